package dev.flotilla.tokenizer;

/** A conversation cannot be put into the model's chat template; the message is one sentence. */
public final class ChatTemplateException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** With its sentence. */
  public ChatTemplateException(String message) {
    super(message);
  }
}
