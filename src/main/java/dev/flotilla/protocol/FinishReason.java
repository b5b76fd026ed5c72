package dev.flotilla.protocol;

/** Why a request ended; the names are those of the original and of the OpenAI API. */
public enum FinishReason {
  /** An end token or a stop id or string came. */
  STOP,
  /** {@code max_tokens} or the model's length was reached. */
  LENGTH,
  /** The client left, the service shuts down, or a pause ended it: nobody goes on with it. */
  ABORT,
  /** The engine failed or goes; another may go on with the request. */
  ERROR;

  /** The name on the wire of the HTTP API. */
  public String apiName() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }
}
