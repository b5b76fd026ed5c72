package dev.flotilla.grammar;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * Where in a schema something stands, for messages and for reading values.
 *
 * @param pointer a JSON pointer in a URI fragment, as {@code $ref} writes it
 */
record SchemaPlace(String pointer) {
  static final SchemaPlace ROOT = new SchemaPlace("#");

  SchemaPlace in(String key) {
    return new SchemaPlace(pointer + "/" + key.replace("~", "~0").replace("/", "~1"));
  }

  /** A number of something; the default if the keyword is missing. */
  int count(JsonNode schema, String keyword, int otherwise) {
    JsonNode value = schema.get(keyword);
    if (value == null) {
      return otherwise;
    }
    boolean whole = value.isNumber() && value.decimalValue().stripTrailingZeros().scale() <= 0;
    if (!whole || value.decimalValue().signum() < 0) {
      throw bad(keyword, "must be a whole number from 0 on");
    }
    // More than any output can hold; large bounds mean "no bound".
    return value.decimalValue().compareTo(java.math.BigDecimal.valueOf(CharNfa.STATES_MAX)) > 0
        ? large(keyword, otherwise)
        : value.intValue();
  }

  private int large(String keyword, int otherwise) {
    if (keyword.startsWith("min")) {
      throw unsupported(keyword, "asks for more than any output holds");
    }
    return otherwise;
  }

  GrammarException unsupported(String keyword, String why) {
    return new GrammarException(
        keyword, "'%s' at %s of the JSON schema: %s".formatted(keyword, pointer, why));
  }

  GrammarException unsupported(String keyword) {
    return unsupported(keyword, "this keyword is not supported");
  }

  GrammarException bad(String keyword, String what) {
    return new GrammarException(
        keyword, "'%s' at %s of the JSON schema %s".formatted(keyword, pointer, what));
  }

  GrammarException never(String keyword, String what) {
    return new GrammarException(
        keyword,
        "'%s' at %s of the JSON schema %s, so that nothing is valid"
            .formatted(keyword, pointer, what));
  }
}
