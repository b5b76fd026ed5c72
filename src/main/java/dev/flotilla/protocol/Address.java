package dev.flotilla.protocol;

/**
 * An event-bus address that knows what may be sent to it; made by {@link Addresses} alone.
 *
 * @param <M> the sealed family of messages
 * @param name on the event bus
 */
public record Address<M>(String name, Class<M> family) {
  @Override
  public String toString() {
    return name;
  }
}
