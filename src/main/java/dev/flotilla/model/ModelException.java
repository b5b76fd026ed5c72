package dev.flotilla.model;

/** A model cannot be loaded or used; the message is one sentence for a person. */
public final class ModelException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** With its sentence. */
  public ModelException(String message) {
    super(message);
  }

  /** With its sentence and what lies beneath. */
  public ModelException(String message, Throwable cause) {
    super(message, cause);
  }
}
