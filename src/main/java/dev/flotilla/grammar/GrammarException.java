package dev.flotilla.grammar;

/**
 * A grammar that cannot be honoured. The message is a sentence for the client, and says where in
 * the grammar and what can be done instead.
 */
public final class GrammarException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final String keyword;

  GrammarException(String keyword, String message) {
    super(message);
    this.keyword = keyword;
  }

  /** The keyword of the schema, or the construct of the expression, that is at fault. */
  public String keyword() {
    return keyword;
  }
}
