package dev.flotilla.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/** Arrays of a schema: first items by their places, then further ones of one kind. */
final class ArrayRules {
  private final Schema schemas;
  private final NetworkBuilder net;

  ArrayRules(Schema schemas, NetworkBuilder net) {
    this.schemas = schemas;
    this.net = net;
  }

  int build(int from, JsonNode schema, SchemaPlace place) {
    List<Integer> rules = prefix(schema, place);
    JsonNode items = schema.path("items");
    if (items.isArray()) {
      throw place.unsupported("items", "an array of schemas is called prefixItems today");
    }
    int min = place.count(schema, "minItems", 0);
    int max = place.count(schema, "maxItems", -1);
    boolean closed = items.isBoolean() && !items.booleanValue();
    if (closed) {
      max = max < 0 ? rules.size() : Math.min(max, rules.size());
    }
    if (max >= 0 && min > max) {
      throw place.never("minItems", "asks for more items than may be");
    }
    JsonNode unique = schema.path("uniqueItems");
    if (unique.asBoolean() && (max < 0 || max > 1)) {
      throw place.unsupported("uniqueItems");
    }
    int further = -1;
    if (max < 0 || max > rules.size()) {
      further =
          items.isMissingNode() || items.isBoolean()
              ? schemas.anyRule()
              : schemas.rule(items, place.in("items"));
    }
    return list(net.literal(from, "["), rules, further, min, max);
  }

  private List<Integer> prefix(JsonNode schema, SchemaPlace place) {
    List<Integer> rules = new ArrayList<>();
    JsonNode first = schema.path("prefixItems");
    if (!first.isMissingNode() && !first.isArray()) {
      throw place.bad("prefixItems", "must be an array of schemas");
    }
    for (int i = 0; i < first.size(); i++) {
      rules.add(schemas.rule(first.get(i), place.in("prefixItems").in(Integer.toString(i))));
    }
    return rules;
  }

  /** Items one by one as long as their places count, then a loop. */
  private int list(int from, List<Integer> first, int further, int min, int max) {
    int close = net.node();
    int at = from;
    int counted = max >= 0 ? max : Math.max(Math.max(min, first.size()), 1);
    for (int i = 0; i < counted; i++) {
      if (i >= min) {
        net.empty(at, close);
      }
      int item = i == 0 ? at : JsonText.comma(net, at);
      at = net.call(item, i < first.size() ? first.get(i) : further);
    }
    if (max < 0) {
      int loop = net.node();
      net.empty(at, loop);
      net.call(JsonText.comma(net, loop), further, loop);
      at = loop;
    }
    net.empty(at, close);
    return net.literal(close, "]");
  }
}
