package dev.flotilla.grammar;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.SpecVersion.VersionFlag;
import dev.flotilla.protocol.Grammar;
import java.util.List;
import java.util.regex.Pattern;

/** Grammars as people write them, and what an independent reader says of texts. */
public final class Cases {
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .build();

  /** Texts of all of them are bounded, so that every generation can come to its end. */
  public static final List<Grammar> ALL =
      List.of(
          schema(
              """
              {"type": "object", "properties": {"name": {"type": "string", "maxLength": 12},
               "age": {"type": "integer", "minimum": 0, "maximum": 150}}, "required": ["name", "age"]}"""),
          schema("{\"enum\": [\"red\", \"green\", \"blue\", 7, null, true, {\"a\": [1, 2]}]}"),
          schema("{\"type\": \"boolean\"}"),
          schema("{\"type\": \"integer\"}"),
          schema("{\"type\": \"number\"}"),
          schema("{\"type\": \"number\", \"minimum\": -1.5, \"exclusiveMaximum\": 2.25}"),
          schema("{\"type\": \"integer\", \"exclusiveMinimum\": -20, \"maximum\": -3}"),
          schema("{\"type\": \"integer\", \"minimum\": 3, \"multipleOf\": 7, \"maximum\": 70000}"),
          schema("{\"type\": \"number\", \"minimum\": 0, \"multipleOf\": 0.01}"),
          schema("{\"type\": \"string\", \"minLength\": 3, \"maxLength\": 20}"),
          schema("{\"type\": \"string\", \"pattern\": \"^[a-z]{2,5}-\\\\d{3}$\"}"),
          schema("{\"type\": \"string\", \"pattern\": \"[0-9]\\\"[x\\\\\\\\]\", \"maxLength\": 9}"),
          schema(
              "{\"type\": \"string\", \"pattern\": \"^[\\u00e4\\u00f6\\u00fc\\u4e00-\\u4fff\\ud83d\\ude00]{1,6}$\"}"),
          schema("{\"type\": \"string\", \"format\": \"date-time\"}"),
          schema(
              "{\"type\": \"array\", \"items\": {\"type\": \"string\", \"format\": \"uuid\"}, \"minItems\": 1, \"maxItems\": 2}"),
          schema(
              "{\"type\": \"array\", \"items\": {\"type\": \"integer\", \"minimum\": 0, \"maximum\": 9}, \"minItems\": 3, \"maxItems\": 5}"),
          schema(
              """
              {"type": "array", "prefixItems": [{"type": "string", "maxLength": 4}, {"type": "boolean"}],
               "items": {"type": "null"}, "minItems": 2, "maxItems": 4}"""),
          schema(
              """
              {"type": "object", "properties": {"outer": {"type": "object", "properties":
               {"inner": {"type": "object", "properties": {"kind": {"enum": ["a", "b\\u00e9"]},
               "list": {"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 1},
               "maxItems": 3}}, "required": ["kind"]}}, "required": ["inner"]}},
               "required": ["outer"], "additionalProperties": false}"""),
          schema(
              """
              {"anyOf": [{"type": "string", "maxLength": 5}, {"type": "integer", "minimum": 1},
               {"type": "object", "properties": {"x": {"const": "y"}}, "required": ["x"]}]}"""),
          schema(
              """
              {"oneOf": [
               {"type": "object", "properties": {"type": {"const": "cat"}, "lives": {"type": "integer",
                "minimum": 1, "maximum": 9}}, "required": ["type", "lives"]},
               {"type": "object", "properties": {"type": {"const": "dog"}, "good": {"type": "boolean"}},
                "required": ["type"]}]}"""),
          schema(
              """
              {"$defs": {"node": {"type": "object", "properties": {"value": {"type": "integer",
               "minimum": 0, "maximum": 99}, "next": {"anyOf": [{"$ref": "#/$defs/node"},
               {"type": "null"}]}}, "required": ["value", "next"]}}, "$ref": "#/$defs/node"}"""),
          schema(
              """
              {"type": "object", "properties": {"label": {"enum": ["x", "y"]}, "children":
               {"type": "array", "items": {"$ref": "#"}, "maxItems": 1}}, "required": ["label"],
               "additionalProperties": false}"""),
          schema(
              """
              {"type": "object", "properties": {"a": {"type": "integer", "maximum": 5}, "b":
               {"type": "string", "maxLength": 3}, "c": {"type": "null"}, "d": {"type": ["boolean",
               "null"]}}, "required": ["c"]}"""),
          schema(
              """
              {"type": "object", "properties": {"id": {"type": "integer", "minimum": 1}},
               "required": ["id"], "additionalProperties": {"type": "boolean"}, "maxProperties": 3,
               "propertyNames": {"pattern": "^[a-z]{1,4}$"}}"""),
          schema(
              """
              {"title": "Person", "description": "as Pydantic writes it", "type": "object",
               "$defs": {"Address": {"title": "Address", "type": "object", "properties": {"city":
               {"title": "City", "type": "string", "maxLength": 8}, "zip": {"type": "string",
               "pattern": "^\\\\d{5}$"}}, "required": ["city", "zip"]}},
               "properties": {"address": {"allOf": [{"$ref": "#/$defs/Address"}], "title": "Home"},
               "host": {"anyOf": [{"type": "string", "format": "ipv4"}, {"type": "null"}],
               "default": null}}, "required": ["address"]}"""),
          regex("(yes|no|maybe)[.!]{0,3}"),
          regex("\\d{3}-\\d{3}-\\d{4}"),
          regex("[A-Z][a-z]{1,8}( [A-Z][a-z]{1,8}){0,2}"),
          regex("[\\u3040-\\u309f\\u{1F600}-\\u{1F64F}]{1,8}"),
          regex("(GET|POST) /[a-z]{1,6}(/[a-z0-9]{1,6}){0,3}(\\?q=\\w{1,5})? HTTP/[12]\\.[01]"),
          new Grammar(
              Grammar.Kind.CHOICE,
              "[\"positive\", \"negative\", \"n\\u00e9utre \\ud83d\\ude10\"]"));

  private Cases() {}

  static Grammar schema(String text) {
    return new Grammar(Grammar.Kind.JSON_SCHEMA, text);
  }

  static Grammar regex(String text) {
    return new Grammar(Grammar.Kind.REGEX, text);
  }

  /** What is wrong with a text under a grammar; empty if nothing. */
  public static String fault(Grammar grammar, String text) {
    try {
      return switch (grammar.kind()) {
        case REGEX ->
            Pattern.compile(grammar.text().replace("\\u{", "\\x{")).matcher(text).matches()
                ? ""
                : "does not match";
        case CHOICE ->
            MAPPER.readValue(grammar.text(), List.class).contains(text) ? "" : "is no choice";
        case JSON_OBJECT -> MAPPER.readTree(text).isObject() ? "" : "is no object";
        case JSON_SCHEMA -> fault(MAPPER.readTree(grammar.text()), MAPPER.readTree(text));
        case TOOL_CALLS -> throw new IllegalArgumentException("checked elsewhere");
      };
    } catch (JsonProcessingException e) {
      return e.getOriginalMessage();
    }
  }

  static String fault(JsonNode schema, JsonNode document) {
    var messages =
        JsonSchemaFactory.getInstance(VersionFlag.V202012)
            .getSchema(
                schema, SchemaValidatorsConfig.builder().formatAssertionsEnabled(true).build())
            .validate(document);
    return messages.isEmpty() ? "" : messages.toString();
  }
}
