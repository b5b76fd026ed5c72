package dev.flotilla.protocol;

/** A socket that a rank has bound, as others reach it. */
public record Endpoint(String host, int port) {
  /** Refuses what cannot be connected to. */
  public Endpoint {
    if (host.isBlank() || port < 1 || port > 65_535) {
      throw new IllegalArgumentException(
          "an endpoint needs a host and a port of 1 to 65535, not '%s' and %d"
              .formatted(host, port));
    }
  }

  @Override
  public String toString() {
    return host + ":" + port;
  }
}
