package dev.flotilla.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/**
 * Objects of a schema: declared properties in their order, each left out or not, then further ones.
 * The keys of further properties differ from the declared ones, but may repeat each other, as JSON
 * allows.
 */
final class ObjectRules {
  private final Schema schemas;
  private final NetworkBuilder net;

  ObjectRules(Schema schemas, NetworkBuilder net) {
    this.schemas = schemas;
    this.net = net;
  }

  /** Any object. */
  int any(int from) {
    int open = net.literal(from, "{");
    int entry = entryRule(StringRules.any(), BooleanNode.TRUE, SchemaPlace.ROOT);
    return further(open, -1, entry, 0, -1);
  }

  int build(int from, JsonNode schema, SchemaPlace place) {
    Map<String, JsonNode> declared = declared(schema, place);
    Set<String> required = required(schema, declared, place);
    JsonNode additional = additional(schema);
    boolean open = !additional.isBoolean() || additional.booleanValue();
    int min = place.count(schema, "minProperties", 0) - required.size();
    int max = place.count(schema, "maxProperties", -1);
    if (min > (open ? 1 : 0)) {
      throw place.unsupported("minProperties", "require properties by name instead");
    }
    if (max >= 0 && max < declared.size()) {
      throw place.unsupported("maxProperties", "it is below the number of declared properties");
    }
    CharNfa names = names(schema, declared.keySet(), place);
    int[] ends = properties(net.literal(from, "{"), declared, required, place);
    if (!open) {
      int close = net.node();
      for (int end : ends) {
        if (end >= 0) {
          net.empty(end, close);
        }
      }
      return net.literal(close, "}");
    }
    int entry =
        entryRule(without(names, declared.keySet()), additional, place.in("additionalProperties"));
    return further(ends[0], ends[1], entry, Math.max(0, min), max < 0 ? -1 : max - declared.size());
  }

  private static JsonNode additional(JsonNode schema) {
    if (schema.has("additionalProperties")) {
      return schema.get("additionalProperties");
    }
    if (schema.has("unevaluatedProperties")) {
      return schema.get("unevaluatedProperties");
    }
    // Without any word about properties every object is meant, as in {"type": "object"}.
    return BooleanNode.valueOf(!schema.has("properties"));
  }

  private static Map<String, JsonNode> declared(JsonNode schema, SchemaPlace place) {
    JsonNode properties = schema.path("properties");
    if (!properties.isMissingNode() && !properties.isObject()) {
      throw place.bad("properties", "must be an object");
    }
    Map<String, JsonNode> declared = new LinkedHashMap<>();
    for (var entry : properties.properties()) {
      declared.put(entry.getKey(), entry.getValue());
    }
    return declared;
  }

  /** The required names; those that are not declared join the declared ones. */
  private static Set<String> required(
      JsonNode schema, Map<String, JsonNode> declared, SchemaPlace place) {
    JsonNode list = schema.path("required");
    if (!list.isMissingNode() && !list.isArray()) {
      throw place.bad("required", "must be an array of names");
    }
    JsonNode others = schema.path("additionalProperties");
    Set<String> required = new LinkedHashSet<>();
    for (JsonNode name : list) {
      if (!declared.containsKey(name.asText())) {
        if (others.isBoolean() && !others.booleanValue()) {
          throw place.never("required", "asks for '%s', which may not be".formatted(name.asText()));
        }
        declared.put(name.asText(), others.isMissingNode() ? BooleanNode.TRUE : others);
      }
      required.add(name.asText());
    }
    declared.values().removeIf(value -> value.isBoolean() && !value.booleanValue());
    if (!declared.keySet().containsAll(required)) {
      throw place.never("required", "asks for a property whose schema is false");
    }
    return required;
  }

  /** What keys may be; checks those that are declared. */
  private static CharNfa names(JsonNode schema, Set<String> declared, SchemaPlace place) {
    if (!schema.has("propertyNames")) {
      return StringRules.any();
    }
    JsonNode rule = schema.get("propertyNames");
    SchemaPlace its = place.in("propertyNames");
    if (!rule.isObject() || rule.has("enum") || rule.has("const") || rule.has("$ref")) {
      throw place.unsupported("propertyNames", "lengths and a pattern are supported");
    }
    Keywords.check(rule, its);
    CharNfa names = StringRules.of(rule, its);
    for (String name : declared) {
      if (!names.matches(name)) {
        throw place.never("propertyNames", "forbids the declared '%s'".formatted(name));
      }
    }
    return names;
  }

  private static CharNfa without(CharNfa names, Set<String> declared) {
    CharNfa rest = declared.isEmpty() ? names : names.intersect(others(declared), "properties");
    if (rest.isEmpty()) {
      throw new GrammarException(
          "propertyNames", "'propertyNames' leaves no name for further properties");
    }
    return rest;
  }

  /**
   * All texts but the given ones: a tree of their beginnings, with a way out at every character.
   */
  private static CharNfa others(Set<String> texts) {
    CharNfa.Builder builder = new CharNfa.Builder("properties");
    Map<String, Integer> beginnings = new LinkedHashMap<>();
    beginnings.put("", builder.state());
    for (String text : texts) {
      for (int end = 1; end <= text.length(); end++) {
        if (end == text.length() || !Character.isLowSurrogate(text.charAt(end))) {
          beginnings.computeIfAbsent(text.substring(0, end), _ -> builder.state());
        }
      }
    }
    int free = builder.state();
    builder.accept(free);
    builder.edge(free, CodePoints.ALL, free);
    Map<Integer, CodePoints> taken = new LinkedHashMap<>();
    beginnings.forEach(
        (text, state) -> {
          if (!texts.contains(text)) {
            builder.accept(state);
          }
          if (!text.isEmpty()) {
            int last = text.codePointBefore(text.length());
            int before =
                beginnings.getOrDefault(
                    text.substring(0, text.length() - Character.charCount(last)), 0);
            builder.edge(before, CodePoints.of(last), state);
            taken.merge(before, CodePoints.of(last), CodePoints::union);
          }
        });
    for (int state : beginnings.values()) {
      CodePoints used = taken.getOrDefault(state, CodePoints.NONE);
      builder.edge(state, CodePoints.ALL.minus(used), free);
    }
    return builder.build();
  }

  /** Ends of the two ways through the declared properties: none was written, some were. */
  private int[] properties(
      int open, Map<String, JsonNode> declared, Set<String> required, SchemaPlace place) {
    int none = open;
    int some = -1;
    for (var property : declared.entrySet()) {
      String name = property.getKey();
      int key = net.node();
      if (none >= 0) {
        net.empty(none, key);
      }
      if (some >= 0) {
        net.empty(JsonText.comma(net, some), key);
      }
      int colon = JsonText.colon(net, net.literal(key, TextNode.valueOf(name).toString()));
      int end = net.node();
      net.empty(schemas.value(colon, property.getValue(), place.in("properties").in(name)), end);
      if (required.contains(name)) {
        none = -1;
      } else if (some >= 0) {
        net.empty(some, end);
      }
      some = end;
    }
    return new int[] {none, some};
  }

  private int entryRule(CharNfa names, JsonNode value, SchemaPlace place) {
    int rule = net.node();
    int colon = JsonText.colon(net, JsonText.string(net, rule, names));
    boolean any = value.isBoolean() || value.equals(JsonNodeFactory.instance.objectNode());
    int end = net.node();
    if (any) {
      // Not through the schema, which would build the rule for any document within itself.
      net.call(colon, schemas.anyRule(), end);
    } else {
      net.empty(schemas.value(colon, value, place), end);
    }
    net.end(end);
    return rule;
  }

  /** Further entries after a beginning without and one with entries; then the brace. */
  private int further(int none, int some, int entry, int min, int max) {
    int close = net.node();
    int at = net.node();
    if (min == 0) {
      for (int end : new int[] {none, some}) {
        if (end >= 0) {
          net.empty(end, close);
        }
      }
    }
    if (max != 0) {
      if (none >= 0) {
        net.call(none, entry, at);
      }
      if (some >= 0) {
        net.call(JsonText.comma(net, some), entry, at);
      }
      for (int i = 1; i < max; i++) {
        net.empty(at, close);
        at = net.call(JsonText.comma(net, at), entry);
      }
      if (max < 0) {
        net.call(JsonText.comma(net, at), entry, at);
      }
      net.empty(at, close);
    }
    return net.literal(close, "}");
  }
}
