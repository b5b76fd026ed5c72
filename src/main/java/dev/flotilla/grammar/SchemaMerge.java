package dev.flotilla.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.LinkedHashSet;
import java.util.Set;

/** One schema that says what two say. Only one level is joined; what lies within becomes allOf. */
final class SchemaMerge {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private SchemaMerge() {}

  static ObjectNode both(ObjectNode a, ObjectNode b, SchemaPlace place) {
    ObjectNode merged = JSON.objectNode();
    merged.setAll(a);
    for (var entry : b.properties()) {
      String key = entry.getKey();
      JsonNode mine = merged.get(key);
      JsonNode its = entry.getValue();
      boolean same = mine == null || mine.equals(its);
      if (same) {
        merged.set(key, its);
      } else if (!Keywords.ANNOTATIONS.contains(key) && !key.startsWith("x-")) {
        merged.set(key, joined(key, mine, its, place));
      }
    }
    requireSameClosure(a, b, place);
    return merged;
  }

  private static JsonNode joined(String key, JsonNode a, JsonNode b, SchemaPlace place) {
    return switch (key) {
      case "type" -> types(a, b, place);
      case "properties" -> properties(a, b, place);
      case "required" -> union(a, b);
      case "enum" -> common(a, b, place);
      case "items", "additionalProperties", "propertyNames" -> all(a, b);
      case "allOf" ->
          JSON.arrayNode()
              .addAll((ArrayNode) array(a, key, place))
              .addAll((ArrayNode) array(b, key, place));
      case "minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties" ->
          number(a, key, place).compareTo(number(b, key, place)) > 0 ? a : b;
      case "maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties" ->
          number(a, key, place).compareTo(number(b, key, place)) < 0 ? a : b;
      default ->
          throw place.unsupported(key, "two schemas that hold together say different things");
    };
  }

  private static JsonNode array(JsonNode node, String key, SchemaPlace place) {
    if (!node.isArray()) {
      throw place.bad(key, "must be an array");
    }
    return node;
  }

  private static BigDecimal number(JsonNode node, String key, SchemaPlace place) {
    if (!node.isNumber()) {
      throw place.bad(key, "must be a number");
    }
    return node.decimalValue();
  }

  private static JsonNode all(JsonNode a, JsonNode b) {
    ObjectNode node = JSON.objectNode();
    node.putArray("allOf").add(a).add(b);
    return node;
  }

  private static JsonNode types(JsonNode a, JsonNode b, SchemaPlace place) {
    ArrayNode common = JSON.arrayNode();
    for (String type : names(a)) {
      if (names(b).contains(type) || (type.equals("integer") && names(b).contains("number"))) {
        common.add(type);
      } else if (type.equals("number") && names(b).contains("integer")) {
        common.add("integer");
      }
    }
    if (common.isEmpty()) {
      throw place.never("type", "differs between schemas that hold together");
    }
    return common;
  }

  private static Set<String> names(JsonNode type) {
    Set<String> names = new LinkedHashSet<>();
    if (type.isArray()) {
      type.forEach(name -> names.add(name.asText()));
    } else {
      names.add(type.asText());
    }
    return names;
  }

  private static JsonNode properties(JsonNode a, JsonNode b, SchemaPlace place) {
    if (!a.isObject() || !b.isObject()) {
      throw place.bad("properties", "must be an object");
    }
    ObjectNode merged = JSON.objectNode();
    merged.setAll((ObjectNode) a);
    for (var entry : b.properties()) {
      JsonNode mine = merged.get(entry.getKey());
      JsonNode its = entry.getValue();
      merged.set(entry.getKey(), mine == null || mine.equals(its) ? its : all(mine, its));
    }
    return merged;
  }

  private static JsonNode union(JsonNode a, JsonNode b) {
    Set<JsonNode> all = new LinkedHashSet<>();
    a.forEach(all::add);
    b.forEach(all::add);
    return JSON.arrayNode().addAll(all);
  }

  private static JsonNode common(JsonNode a, JsonNode b, SchemaPlace place) {
    Set<JsonNode> its = new LinkedHashSet<>();
    b.forEach(its::add);
    ArrayNode both = JSON.arrayNode();
    a.forEach(
        value -> {
          if (its.contains(value)) {
            both.add(value);
          }
        });
    if (both.isEmpty()) {
      throw place.never("enum", "has no value in common with another that holds too");
    }
    return both;
  }

  /** A closed object forbids what only the other schema names, which nobody means. */
  private static void requireSameClosure(ObjectNode a, ObjectNode b, SchemaPlace place) {
    boolean closed =
        a.path("additionalProperties").isObject()
            || b.path("additionalProperties").isObject()
            || isFalse(a)
            || isFalse(b);
    if (closed && a.has("properties") && b.has("properties")) {
      Set<String> mine = new LinkedHashSet<>();
      Set<String> its = new LinkedHashSet<>();
      a.get("properties").fieldNames().forEachRemaining(mine::add);
      b.get("properties").fieldNames().forEachRemaining(its::add);
      if (!mine.equals(its)) {
        throw place.unsupported(
            "additionalProperties", "schemas that hold together name different properties");
      }
    }
  }

  private static boolean isFalse(ObjectNode schema) {
    JsonNode additional = schema.path("additionalProperties");
    return additional.isBoolean() && !additional.booleanValue();
  }
}
