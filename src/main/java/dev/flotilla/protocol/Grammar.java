package dev.flotilla.protocol;

import java.util.Objects;

/**
 * What the text of an output must be. The engine compiles it; a front-end asks {@code
 * grammar.Grammars.check} first, so that a client hears at once what cannot be honoured.
 *
 * @param text by kind
 */
public record Grammar(Kind kind, String text) {
  /** Most characters of a text; larger ones would make frames and automata that nobody expects. */
  public static final int TEXT_MAX = 1 << 18;

  /** How the text of a grammar is read. */
  public enum Kind {
    /** Any JSON object; the text is empty. */
    JSON_OBJECT,
    /** A JSON document that is valid under the JSON Schema in the text. */
    JSON_SCHEMA,
    /** What the regular expression in the text matches as a whole. */
    REGEX,
    /** One of the strings in the JSON array in the text. */
    CHOICE,
    /**
     * Tool calls in the Hermes form. The text is {@code {"tools": [{"name", "parameters"}],
     * "parallel": boolean}}: one call of one of the tools at least, and with {@code parallel}
     * further ones.
     */
    TOOL_CALLS
  }

  /** Refuses a text that is too long. */
  public Grammar {
    Objects.requireNonNull(kind, "kind");
    if (text.length() > TEXT_MAX) {
      throw new IllegalArgumentException(
          "a grammar of %d characters; at most %d".formatted(text.length(), TEXT_MAX));
    }
  }

  /** Any JSON object. */
  public static Grammar jsonObject() {
    return new Grammar(Kind.JSON_OBJECT, "");
  }
}
