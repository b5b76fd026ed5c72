package dev.flotilla.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** {@code const} and {@code enum}: documents written out, without white space. */
final class Constants {
  private Constants() {}

  static int build(NetworkBuilder net, int from, ObjectNode schema, SchemaPlace place) {
    refuseOthers(schema, place);
    int to = net.node();
    for (JsonNode value : values(schema, place)) {
      net.empty(net.literal(from, value.toString()), to);
    }
    return to;
  }

  /** The values that const, enum and type leave. */
  static List<JsonNode> values(ObjectNode schema, SchemaPlace place) {
    List<JsonNode> values = new ArrayList<>();
    JsonNode listed = schema.get("enum");
    if (listed == null) {
      values.add(schema.get("const"));
    } else if (!listed.isArray() || listed.isEmpty()) {
      throw place.bad("enum", "must be an array of values");
    } else {
      listed.forEach(values::add);
      if (schema.has("const")) {
        values.retainAll(List.of(schema.get("const")));
      }
    }
    if (schema.has("type")) {
      Set<String> types = Schema.types(schema, place);
      values.removeIf(value -> types.stream().noneMatch(type -> is(value, type)));
    }
    if (values.isEmpty()) {
      throw place.never(listed == null ? "const" : "enum", "has no value of the type");
    }
    return values;
  }

  /** A list of values beside another rule for them would need a validator here. */
  private static void refuseOthers(ObjectNode schema, SchemaPlace place) {
    Keywords.BY_TYPE.values().stream()
        .flatMap(List::stream)
        .filter(schema::has)
        .findFirst()
        .ifPresent(
            keyword -> {
              throw place.unsupported(keyword, "it is not supported beside const or enum");
            });
  }

  static boolean is(JsonNode value, String type) {
    return switch (type) {
      case "null" -> value.isNull();
      case "boolean" -> value.isBoolean();
      case "string" -> value.isTextual();
      case "number" -> value.isNumber();
      case "integer" -> value.isNumber() && value.decimalValue().stripTrailingZeros().scale() <= 0;
      case "array" -> value.isArray();
      default -> value.isObject();
    };
  }
}
