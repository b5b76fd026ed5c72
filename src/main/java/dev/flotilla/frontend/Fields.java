package dev.flotilla.frontend;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The typed fields of one JSON object; a wrong one is a sentence that names it. */
record Fields(ObjectNode json) {
  static final ObjectMapper MAPPER = mapper();

  private static ObjectMapper mapper() {
    ObjectMapper mapper =
        JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();
    // A prompt may fill the whole body, whose size is bounded before it comes here.
    mapper
        .getFactory()
        .setStreamReadConstraints(
            StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build());
    return mapper;
  }

  /** Reads a body. */
  static Fields parse(byte[] body) {
    try {
      return of(MAPPER.readTree(body));
    } catch (JsonProcessingException e) {
      String place =
          e.getLocation() == null
              ? ""
              : " (line %d, column %d)"
                  .formatted(e.getLocation().getLineNr(), e.getLocation().getColumnNr());
      throw ApiException.badRequest("the body is not JSON: " + e.getOriginalMessage() + place);
    } catch (IOException e) {
      throw ApiException.badRequest("the body cannot be read: " + e.getMessage());
    }
  }

  /** Takes a tree that must be an object. */
  static Fields of(@Nullable JsonNode tree) {
    if (tree == null || tree.isMissingNode()) {
      throw ApiException.badRequest("the body is empty; a JSON object is expected");
    }
    if (!(tree instanceof ObjectNode object)) {
      throw ApiException.badRequest("the body must be a JSON object, not " + kind(tree));
    }
    return new Fields(object);
  }

  /** The value of a field; null if it is absent or JSON's null. */
  @Nullable JsonNode get(String name) {
    JsonNode value = json.get(name);
    return value == null || value.isNull() ? null : value;
  }

  boolean has(String name) {
    return get(name) != null;
  }

  @Nullable String string(String name) {
    JsonNode value = get(name);
    if (value == null) {
      return null;
    }
    if (!value.isTextual()) {
      throw wrong(name, "a string", value);
    }
    return value.textValue();
  }

  boolean flag(String name, boolean otherwise) {
    JsonNode value = get(name);
    if (value == null) {
      return otherwise;
    }
    if (!value.isBoolean()) {
      throw wrong(name, "true or false", value);
    }
    return value.booleanValue();
  }

  /** An integer within bounds; null if absent. */
  @Nullable Integer integer(String name, int least, int most) {
    Long value = integer64(name);
    if (value == null) {
      return null;
    }
    if (value < least || value > most) {
      throw ApiException.badValue(
          name,
          most == Integer.MAX_VALUE
              ? "%s must be at least %d, not %d".formatted(name, least, value)
              : "%s must be %d to %d, not %d".formatted(name, least, most, value));
    }
    return value.intValue();
  }

  /** An integer of 64 bits; null if absent. */
  @Nullable Long integer64(String name) {
    JsonNode value = get(name);
    if (value == null) {
      return null;
    }
    if (!value.isIntegralNumber()) {
      throw wrong(name, "an integer", value);
    }
    if (!value.canConvertToLong()) {
      throw ApiException.badValue(name, name + " must fit into 64 bits, not " + value);
    }
    return value.longValue();
  }

  /** A number within bounds; null if absent. */
  @Nullable Float number(String name, double least, double most) {
    JsonNode value = get(name);
    if (value == null) {
      return null;
    }
    if (!value.isNumber()) {
      throw wrong(name, "a number", value);
    }
    double number = value.doubleValue();
    if (!(number >= least && number <= most)) {
      throw ApiException.badValue(
          name, "%s must be %s to %s, not %s".formatted(name, plain(least), plain(most), value));
    }
    return (float) number;
  }

  /** A number above 0; null if absent. */
  @Nullable Float positive(String name) {
    JsonNode value = get(name);
    if (value != null && !value.isNumber()) {
      throw wrong(name, "a number", value);
    }
    if (value != null && !(value.floatValue() > 0 && Float.isFinite(value.floatValue()))) {
      throw ApiException.badValue(name, "%s must be above 0, not %s".formatted(name, value));
    }
    return value == null ? null : Float.valueOf(value.floatValue());
  }

  /** An object within this one; null if absent. */
  @Nullable Fields object(String name) {
    JsonNode value = get(name);
    if (value == null) {
      return null;
    }
    if (!(value instanceof ObjectNode object)) {
      throw wrong(name, "an object", value);
    }
    return new Fields(object);
  }

  /** A list of token ids; empty if absent. */
  int[] ids(String name, int vocab) {
    JsonNode value = get(name);
    return value == null ? new int[0] : ids(name, value, vocab);
  }

  /** A list of token ids. */
  static int[] ids(String name, JsonNode list, int vocab) {
    if (!list.isArray()) {
      throw wrong(name, "a list of token ids", list);
    }
    int[] ids = new int[list.size()];
    for (int i = 0; i < ids.length; i++) {
      JsonNode id = list.get(i);
      if (!id.isIntegralNumber()) {
        throw wrong("%s[%d]".formatted(name, i), "a token id", id);
      }
      if (!id.canConvertToInt() || id.intValue() < 0 || id.intValue() >= vocab) {
        throw ApiException.badValue(
            name,
            "%s[%d] must be a token id from 0 to %d, not %s".formatted(name, i, vocab - 1, id));
      }
      ids[i] = id.intValue();
    }
    return ids;
  }

  /** A string or a list of strings; empty if absent. */
  List<String> strings(String name) {
    JsonNode value = get(name);
    if (value == null) {
      return List.of();
    }
    if (value.isTextual()) {
      return List.of(value.textValue());
    }
    if (!value.isArray()) {
      throw wrong(name, "a string or a list of strings", value);
    }
    List<String> strings = new ArrayList<>();
    for (JsonNode item : value) {
      if (!item.isTextual()) {
        throw wrong("%s[%d]".formatted(name, strings.size()), "a string", item);
      }
      strings.add(item.textValue());
    }
    return strings;
  }

  static ApiException wrong(String name, String expected, JsonNode came) {
    return ApiException.badValue(
        name, "%s must be %s, not %s".formatted(name, expected, kind(came)));
  }

  private static String kind(JsonNode node) {
    return switch (node.getNodeType()) {
      case STRING -> "a string";
      case NUMBER -> "the number " + node;
      case BOOLEAN -> node.toString();
      case ARRAY -> "a list";
      case OBJECT -> "an object";
      default -> "null";
    };
  }

  private static String plain(double bound) {
    return bound == Math.rint(bound) ? Long.toString((long) bound) : Double.toString(bound);
  }
}
