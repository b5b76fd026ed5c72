package dev.flotilla.tokenizer.jinja;

/**
 * A piece of a template's source.
 *
 * @param text a name, an operator, or the source of a literal
 * @param value of a literal; the text otherwise
 */
record Token(int line, Kind kind, String text, Object value) {
  enum Kind {
    DATA("template data / text"),
    BLOCK_BEGIN("begin of statement block"),
    BLOCK_END("end of statement block"),
    PRINT_BEGIN("begin of print statement"),
    PRINT_END("end of print statement"),
    NAME("name"),
    STRING("string"),
    INTEGER("integer"),
    FLOAT("float"),
    OPERATOR("operator"),
    END("end of template");

    private final String words;

    Kind(String words) {
      this.words = words;
    }
  }

  static Token of(int line, Kind kind, String text) {
    return new Token(line, kind, text, text);
  }

  boolean is(String operator) {
    return kind == Kind.OPERATOR && text.equals(operator);
  }

  boolean isName(String name) {
    return kind == Kind.NAME && text.equals(name);
  }

  String describe() {
    return kind == Kind.NAME || kind == Kind.OPERATOR ? text : kind.words;
  }
}
