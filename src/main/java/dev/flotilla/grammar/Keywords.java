package dev.flotilla.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The keywords of JSON Schema by what is done with them. */
final class Keywords {
  /** They say nothing about which documents are valid. */
  static final Set<String> ANNOTATIONS =
      Set.of(
          "title",
          "description",
          "default",
          "example",
          "examples",
          "$schema",
          "$id",
          "$comment",
          "$defs",
          "definitions",
          "deprecated",
          "readOnly",
          "writeOnly",
          "discriminator",
          "nullable",
          "contentEncoding",
          "contentMediaType",
          "contentSchema",
          "externalDocs",
          "xml");

  /** The keywords that say something about documents of one type only. */
  static final Map<String, List<String>> BY_TYPE =
      Map.of(
          "object",
          List.of(
              "properties",
              "required",
              "additionalProperties",
              "unevaluatedProperties",
              "minProperties",
              "maxProperties",
              "propertyNames"),
          "array",
          List.of("items", "prefixItems", "minItems", "maxItems", "uniqueItems"),
          "string",
          List.of("minLength", "maxLength", "pattern", "format"),
          "number",
          List.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"));

  /** They combine or name schemas. */
  static final Set<String> COMBINING =
      Set.of("type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref");

  /** Formats that say something about numbers or how a string is shown. */
  private static final Set<String> EMPTY_FORMATS =
      Set.of("int64", "float", "double", "password", "binary", "byte", "int32");

  private Keywords() {}

  /** Refuses what would change what is valid and is not built. */
  static void check(JsonNode schema, SchemaPlace place) {
    for (String key : (Iterable<String>) schema::fieldNames) {
      boolean known =
          ANNOTATIONS.contains(key)
              || COMBINING.contains(key)
              || BY_TYPE.values().stream().anyMatch(its -> its.contains(key))
              || key.startsWith("x-");
      if (!known) {
        throw place.unsupported(key);
      }
    }
  }

  /** Whether a format restricts no string. */
  static boolean saysNothing(JsonNode format) {
    return EMPTY_FORMATS.contains(format.asText());
  }
}
