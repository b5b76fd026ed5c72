package dev.flotilla;

/** The service cannot start; the message is one sentence for a person. */
final class FailedStart extends RuntimeException {
  private static final long serialVersionUID = 1;

  FailedStart(String message) {
    super(message);
  }

  FailedStart(String message, Throwable cause) {
    super(message, cause);
  }
}
