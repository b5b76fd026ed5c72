package dev.flotilla.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/**
 * Whether no document is valid under two schemas of a {@code oneOf}: their types differ, their
 * values differ, or they require one property and mean different values of it.
 */
final class Exclusion {
  private Exclusion() {}

  static void require(
      List<ObjectNode> options, Function<JsonNode, ObjectNode> resolved, SchemaPlace place) {
    for (int i = 0; i < options.size(); i++) {
      for (int j = 0; j < i; j++) {
        if (!exclude(options.get(i), options.get(j), resolved, place, true)) {
          throw place.unsupported(
              "oneOf",
              "its schemas %d and %d do not visibly exclude each other; use anyOf, or const in a required property"
                  .formatted(j, i));
        }
      }
    }
  }

  private static boolean exclude(
      ObjectNode a,
      ObjectNode b,
      Function<JsonNode, ObjectNode> resolved,
      SchemaPlace place,
      boolean within) {
    return typesDiffer(a, b, place)
        || valuesDiffer(a, b, place)
        || (within && propertyDiffers(a, b, resolved, place));
  }

  private static boolean typesDiffer(ObjectNode a, ObjectNode b, SchemaPlace place) {
    Set<String> mine = new HashSet<>(writtenTypes(a, place));
    Set<String> its = new HashSet<>(writtenTypes(b, place));
    for (Set<String> types : List.of(mine, its)) {
      if (types.contains("number")) {
        types.add("integer");
      }
    }
    mine.retainAll(its);
    return mine.isEmpty();
  }

  /** Combined schemas say nothing about their types here. */
  private static Set<String> writtenTypes(ObjectNode schema, SchemaPlace place) {
    if (listed(schema)) {
      Set<String> types = new HashSet<>();
      for (JsonNode value : Constants.values(schema, place)) {
        for (String type : List.of("null", "boolean", "string", "number", "array", "object")) {
          if (Constants.is(value, type)) {
            types.add(type);
          }
        }
      }
      return types;
    }
    ObjectNode empty = schema.objectNode();
    // Only a written type binds: without one, what the keywords speak of is our choice.
    return Schema.types(schema.has("type") ? schema : empty, place);
  }

  private static boolean listed(ObjectNode schema) {
    return schema.has("const") || schema.has("enum");
  }

  private static boolean valuesDiffer(ObjectNode a, ObjectNode b, SchemaPlace place) {
    if (!listed(a) || !listed(b)) {
      return false;
    }
    Set<JsonNode> mine = new HashSet<>(Constants.values(a, place));
    mine.retainAll(new HashSet<>(Constants.values(b, place)));
    return mine.isEmpty();
  }

  private static boolean propertyDiffers(
      ObjectNode a, ObjectNode b, Function<JsonNode, ObjectNode> resolved, SchemaPlace place) {
    Set<String> mine = required(a);
    mine.retainAll(required(b));
    for (String name : mine) {
      JsonNode own = a.path("properties").path(name);
      JsonNode its = b.path("properties").path(name);
      if (own.isObject()
          && its.isObject()
          && exclude(resolved.apply(own), resolved.apply(its), resolved, place, false)) {
        return true;
      }
    }
    // A closed object excludes one that requires what the first does not name.
    return closedWithout(a, required(b)) || closedWithout(b, required(a));
  }

  private static boolean closedWithout(ObjectNode closed, Set<String> names) {
    JsonNode additional = closed.path("additionalProperties");
    return additional.isBoolean()
        && !additional.booleanValue()
        && names.stream().anyMatch(name -> !closed.path("properties").has(name));
  }

  private static Set<String> required(ObjectNode schema) {
    Set<String> names = new HashSet<>();
    schema.path("required").forEach(name -> names.add(name.asText()));
    return names;
  }
}
