package dev.flotilla.config;

/** A setting is wrong; the message is one sentence that says which, what came and what may come. */
public final class ConfigException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** With its sentence. */
  public ConfigException(String message) {
    super(message);
  }
}
