package dev.flotilla.protocol;

/** Why a request ended; the names are those of the original and of the OpenAI API. */
public enum FinishReason {
  /** An end token or a stop id or string came. */
  STOP,
  /** {@code max_tokens} or the model's length was reached. */
  LENGTH,
  /** The client left, or the service shuts down. */
  ABORT,
  /** The engine failed. */
  ERROR;

  /** The name on the wire of the HTTP API. */
  public String apiName() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }
}
