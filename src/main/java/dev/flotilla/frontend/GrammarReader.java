package dev.flotilla.frontend;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.flotilla.grammar.GrammarException;
import dev.flotilla.grammar.Grammars;
import dev.flotilla.protocol.Grammar;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads what the text of an answer must be: {@code response_format} of the OpenAI API, {@code
 * structured_outputs} of vLLM, and the latter's older names, {@code guided_json} and so on. At most
 * one constraint of all these may be given.
 */
final class GrammarReader {
  /** The fields of a request that may make a grammar. */
  static final List<String> FIELDS =
      List.of(
          "response_format",
          "structured_outputs",
          "guided_json",
          "guided_regex",
          "guided_choice",
          "tool_choice");

  private static final List<String> KINDS = List.of("json", "regex", "choice");
  private static final List<String> UNKNOWN_KINDS =
      List.of("grammar", "structural_tag", "whitespace_pattern");
  private static final List<String> SWITCHES =
      List.of("disable_any_whitespace", "disable_additional_properties");

  private @Nullable Grammar grammar;
  private String field = "";

  private GrammarReader() {}

  /**
   * The grammar of a request; null if it may answer anything.
   *
   * @throws ApiException naming the field, and for a schema the keyword that cannot be honoured
   */
  static @Nullable Grammar read(Fields fields) {
    GrammarReader reader = new GrammarReader();
    reader.responseFormat(fields);
    reader.structuredOutputs(fields);
    reader.guided(fields);
    return reader.grammar;
  }

  private void responseFormat(Fields fields) {
    Fields format = fields.object("response_format");
    if (format == null) {
      return;
    }
    String type = format.string("type");
    switch (type == null ? "" : type) {
      case "text" -> {}
      case "json_object" -> take("response_format", Grammar.jsonObject());
      case "json_schema" -> {
        Fields named = format.object("json_schema");
        JsonNode schema = named == null ? null : named.get("schema");
        if (schema == null) {
          throw ApiException.badValue(
              "response_format",
              "response_format of type json_schema needs json_schema with name and schema");
        }
        take("response_format", schema("response_format", schema));
      }
      default ->
          throw ApiException.badValue(
              "response_format",
              "response_format.type must be text, json_object or json_schema, not " + type);
    }
  }

  private void structuredOutputs(Fields fields) {
    Fields given = fields.object("structured_outputs");
    if (given == null) {
      return;
    }
    String name = "structured_outputs";
    refuse(name, "", given);
    for (String off : SWITCHES) {
      if (given.flag(off, false)) {
        throw ApiException.badValue(name, "%s.%s is not supported".formatted(name, off));
      }
    }
    if (given.flag("json_object", false)) {
      take(name, Grammar.jsonObject());
    }
    for (String kind : KINDS) {
      JsonNode value = given.get(kind);
      if (value != null) {
        take(name, of(name, kind, value));
      }
    }
    if (grammar == null) {
      throw ApiException.badValue(
          name, "structured_outputs must hold one of json, regex, choice and json_object");
    }
  }

  private void guided(Fields fields) {
    refuse("guided_", "guided_", fields);
    for (String kind : KINDS) {
      JsonNode value = fields.get("guided_" + kind);
      if (value != null) {
        take("guided_" + kind, of("guided_" + kind, kind, value));
      }
    }
  }

  private static void refuse(String name, String prefix, Fields fields) {
    for (String kind : UNKNOWN_KINDS) {
      if (fields.has(prefix + kind)) {
        throw ApiException.badValue(
            prefix.isEmpty() ? name : prefix + kind,
            "%s is not supported; use json, regex or choice"
                .formatted(prefix.isEmpty() ? name + "." + kind : prefix + kind));
      }
    }
  }

  private void take(String name, Grammar other) {
    if (grammar != null) {
      throw ApiException.badValue(
          name,
          field.equals(name)
              ? name + " must hold one constraint only"
              : "%s and %s cannot both constrain the answer".formatted(field, name));
    }
    grammar = checked(name, other);
    field = name;
  }

  /** What no engine could honour is the client's mistake, and is said before one is asked. */
  private static Grammar checked(String name, Grammar grammar) {
    try {
      Grammars.check(grammar);
      return grammar;
    } catch (GrammarException e) {
      throw ApiException.badValue(name, String.valueOf(e.getMessage()));
    }
  }

  private static Grammar of(String name, String kind, JsonNode value) {
    return switch (kind) {
      case "json" -> schema(name, value);
      case "regex" -> {
        if (!value.isTextual()) {
          throw Fields.wrong(name, "a regular expression", value);
        }
        yield grammar(name, Grammar.Kind.REGEX, value.textValue());
      }
      default -> choice(name, value);
    };
  }

  private static Grammar choice(String name, JsonNode value) {
    if (!(value instanceof ArrayNode list) || list.isEmpty()) {
      throw ApiException.badValue(name, name + " must hold a list of one choice or more");
    }
    for (JsonNode item : list) {
      if (!item.isTextual() || item.textValue().isEmpty()) {
        throw Fields.wrong(name, "a list of strings that are not empty", item);
      }
    }
    return grammar(name, Grammar.Kind.CHOICE, list.toString());
  }

  /** A JSON Schema: an object (or true), or its text. */
  private static Grammar schema(String name, JsonNode value) {
    JsonNode schema = value;
    if (value.isTextual()) {
      try {
        schema = Fields.MAPPER.readTree(value.textValue());
      } catch (JsonProcessingException e) {
        throw ApiException.badValue(
            name, "the JSON Schema in %s is not JSON: %s".formatted(name, e.getOriginalMessage()));
      }
    }
    if (!schema.isObject() && !schema.isBoolean()) {
      throw Fields.wrong(name, "a JSON Schema (an object)", schema);
    }
    return grammar(name, Grammar.Kind.JSON_SCHEMA, schema.toString());
  }

  private static Grammar grammar(String name, Grammar.Kind kind, String text) {
    if (text.length() > Grammar.TEXT_MAX) {
      throw ApiException.badValue(
          name,
          "what %s asks for may have %d characters, not %d"
              .formatted(name, Grammar.TEXT_MAX, text.length()));
    }
    return new Grammar(kind, text);
  }
}
