package dev.flotilla.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Compiles a JSON Schema (draft 2020-12, and of older ones {@code definitions}) into rules of a
 * network. What is generated is always valid, but not all that is valid is generated:
 *
 * <ul>
 *   <li>properties come in the order of the schema, and further ones after them;
 *   <li>a missing {@code additionalProperties} means false, and a missing {@code type} the types
 *       that the other keywords speak of;
 *   <li>numbers have bounded digits ({@link NumberRules}), formats are parts of what they allow
 *       ({@link StringRules}), nesting is bounded ({@link Network#DEPTH_MAX});
 *   <li>{@code oneOf} is taken only where its schemas visibly exclude each other.
 * </ul>
 *
 * Every other keyword is refused by its name.
 */
final class Schema {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
  private static final List<String> TYPES =
      List.of("object", "array", "string", "number", "integer", "boolean", "null");

  /** Schemas within schemas, and references to references. */
  private static final int DEPTH_MAX = 64;

  private final JsonNode root;
  private final NetworkBuilder net;
  private final Map<String, Integer> rules = new HashMap<>();
  private final ObjectRules objects;
  private final ArrayRules arrays;
  private int anyRule = -1;
  private int depth;

  Schema(JsonNode root, NetworkBuilder net) {
    this.root = root;
    this.net = net;
    objects = new ObjectRules(this, net);
    arrays = new ArrayRules(this, net);
  }

  /** A rule of its own for a schema. */
  int rule(JsonNode schema, SchemaPlace place) {
    int rule = net.node();
    net.end(value(rule, schema, place));
    return rule;
  }

  /** The rule for any document. */
  int anyRule() {
    if (anyRule < 0) {
      anyRule = net.node();
      int end = net.node();
      net.end(end);
      net.empty(JsonText.string(net, anyRule, StringRules.any()), end);
      net.empty(net.text(anyRule, NumberRules.any(), NetworkBuilder.Writing.PLAIN), end);
      for (String constant : List.of("true", "false", "null")) {
        net.empty(net.literal(anyRule, constant), end);
      }
      net.empty(objects.any(anyRule), end);
      net.empty(arrays.build(anyRule, JSON.objectNode(), SchemaPlace.ROOT), end);
    }
    return anyRule;
  }

  /** Any object, from a node on. */
  int anyObject(int from) {
    return objects.any(from);
  }

  /** What the schema accepts, from a node on. */
  int value(int from, JsonNode schema, SchemaPlace place) {
    if (schema.isBoolean()) {
      if (!schema.booleanValue()) {
        throw new GrammarException(
            "false",
            "the schema at %s is false, so that nothing is valid".formatted(place.pointer()));
      }
      return net.call(from, anyRule());
    }
    if (!(schema instanceof ObjectNode object)) {
      throw new GrammarException(
          "schema", "the schema at %s must be an object or a boolean".formatted(place.pointer()));
    }
    if (++depth > DEPTH_MAX) {
      throw new GrammarException(
          "$ref", "the JSON schema nests more than %d schemas".formatted(DEPTH_MAX));
    }
    Keywords.check(object, place);
    int to = combined(from, object, place);
    depth--;
    return to;
  }

  private int combined(int from, ObjectNode schema, SchemaPlace place) {
    if (schema.has("$ref")) {
      ObjectNode rest = assertionsWithout(schema, "$ref");
      return rest.isEmpty()
          ? net.call(from, referenced(schema, place))
          : value(from, SchemaMerge.both(target(schema, place), rest, place), place);
    }
    if (schema.has("allOf")) {
      ObjectNode merged = assertionsWithout(schema, "allOf");
      for (JsonNode part : options(schema, "allOf", place)) {
        merged = SchemaMerge.both(merged, resolved(part, place), place);
      }
      return value(from, merged, place);
    }
    for (String keyword : List.of("anyOf", "oneOf")) {
      if (schema.has(keyword)) {
        return choice(from, schema, keyword, place);
      }
    }
    return plain(from, schema, place);
  }

  private int choice(int from, ObjectNode schema, String keyword, SchemaPlace place) {
    ObjectNode rest = assertionsWithout(schema, keyword);
    List<JsonNode> options = options(schema, keyword, place);
    if (keyword.equals("oneOf")) {
      List<ObjectNode> all = options.stream().map(option -> resolved(option, place)).toList();
      Exclusion.require(all, option -> resolved(option, place), place);
    }
    int to = net.node();
    for (int i = 0; i < options.size(); i++) {
      JsonNode option = options.get(i);
      SchemaPlace its = place.in(keyword).in(Integer.toString(i));
      JsonNode whole = rest.isEmpty() ? option : SchemaMerge.both(rest, resolved(option, its), its);
      net.empty(value(from, whole, its), to);
    }
    return to;
  }

  private static List<JsonNode> options(ObjectNode schema, String keyword, SchemaPlace place) {
    JsonNode list = schema.get(keyword);
    if (!list.isArray() || list.isEmpty()) {
      throw place.bad(keyword, "must be an array of schemas");
    }
    List<JsonNode> options = new ArrayList<>();
    list.forEach(options::add);
    return options;
  }

  private static ObjectNode assertionsWithout(ObjectNode schema, String keyword) {
    ObjectNode rest = schema.deepCopy();
    rest.remove(keyword);
    rest.remove(Keywords.ANNOTATIONS);
    List<String> extensions = new ArrayList<>();
    rest.fieldNames()
        .forEachRemaining(
            key -> {
              if (key.startsWith("x-")) {
                extensions.add(key);
              }
            });
    rest.remove(extensions);
    return rest;
  }

  /** The rule that a reference names; recursive schemas call their own rules. */
  private int referenced(ObjectNode schema, SchemaPlace place) {
    String reference = schema.get("$ref").asText();
    Integer known = rules.get(reference);
    if (known == null) {
      JsonNode target = pointed(reference, place);
      known = net.node();
      rules.put(reference, known);
      net.end(value(known, target, new SchemaPlace(reference)));
    }
    return known;
  }

  private ObjectNode target(ObjectNode schema, SchemaPlace place) {
    return resolved(pointed(schema.get("$ref").asText(), place), place);
  }

  /** The schema itself, through references that stand alone. */
  private ObjectNode resolved(JsonNode schema, SchemaPlace place) {
    JsonNode at = schema;
    for (int i = 0; i < DEPTH_MAX; i++) {
      if (at.isBoolean() && at.booleanValue()) {
        return JSON.objectNode();
      }
      if (!(at instanceof ObjectNode object)) {
        throw place.bad("$ref", "leads to what is no schema");
      }
      Keywords.check(object, place);
      if (!object.has("$ref")) {
        return object;
      }
      ObjectNode rest = assertionsWithout(object, "$ref");
      if (!rest.isEmpty()) {
        return SchemaMerge.both(rest, target(object, place), place);
      }
      at = pointed(object.get("$ref").asText(), place);
    }
    throw place.never("$ref", "refers to itself");
  }

  private JsonNode pointed(String reference, SchemaPlace place) {
    JsonNode target =
        reference.equals("#")
            ? root
            : reference.startsWith("#/") ? root.at(reference.substring(1)) : JSON.missingNode();
    if (target.isMissingNode()) {
      throw place.unsupported(
          "$ref", "'%s' names nothing within the schema itself".formatted(reference));
    }
    return target;
  }

  private int plain(int from, ObjectNode schema, SchemaPlace place) {
    if (schema.has("const") || schema.has("enum")) {
      return Constants.build(net, from, schema, place);
    }
    Set<String> types = types(schema, place);
    if (types.size() == TYPES.size()) {
      return net.call(from, anyRule());
    }
    int to = net.node();
    for (String type : types) {
      net.empty(typed(from, type, schema, place), to);
    }
    return to;
  }

  private int typed(int from, String type, ObjectNode schema, SchemaPlace place) {
    return switch (type) {
      case "null" -> net.literal(from, "null");
      case "boolean" -> {
        int to = net.literal(from, "true");
        net.empty(net.literal(from, "false"), to);
        yield to;
      }
      case "string" -> JsonText.string(net, from, StringRules.of(schema, place));
      case "integer", "number" ->
          net.text(
              from,
              NumberRules.of(schema, type.equals("integer"), place),
              NetworkBuilder.Writing.PLAIN);
      case "array" -> arrays.build(from, schema, place);
      default -> objects.build(from, schema, place);
    };
  }

  /** The types that a schema allows, or that its keywords speak of; all, if it says nothing. */
  static Set<String> types(ObjectNode schema, SchemaPlace place) {
    Set<String> types = new LinkedHashSet<>();
    JsonNode type = schema.get("type");
    if (type != null) {
      if (type.isArray()) {
        type.forEach(name -> types.add(name.asText()));
      } else {
        types.add(type.asText());
      }
      if (types.isEmpty() || !TYPES.containsAll(types)) {
        throw place.bad("type", "must be one or several of " + TYPES + ", not " + type);
      }
      if (types.contains("number")) {
        types.remove("integer");
      }
      return types;
    }
    Keywords.BY_TYPE.forEach(
        (name, keywords) -> {
          if (keywords.stream().anyMatch(schema::has)) {
            types.add(name);
          }
        });
    return types.isEmpty()
        ? new HashSet<>(TYPES)
        : new LinkedHashSet<>(types.stream().sorted().toList());
  }

  /** A schema that both say. */
  static JsonNode both(JsonNode a, JsonNode b) {
    ArrayNode parts = JSON.arrayNode().add(a).add(b);
    ObjectNode all = JSON.objectNode();
    all.set("allOf", parts);
    return all;
  }
}
