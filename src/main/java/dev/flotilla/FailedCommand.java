package dev.flotilla;

/** A command cannot do what it was asked; the message is one sentence for a person. */
final class FailedCommand extends RuntimeException {
  private static final long serialVersionUID = 1;

  FailedCommand(String message) {
    super(message);
  }

  FailedCommand(String message, Throwable cause) {
    super(message, cause);
  }
}
