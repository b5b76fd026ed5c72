package dev.flotilla.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.exc.ValueInstantiationException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Comparator;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/** Reads and writes settings as JSON with keys in kebab-case; unknown keys are errors. */
public final class Config {
  private static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.KEBAB_CASE)
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .build();

  /** What an element of a list is completed from, by the list's key. */
  private static final Map<String, JsonNode> ELEMENTS =
      Map.of("engines", MAPPER.valueToTree(EngineConfig.DEFAULT));

  private Config() {}

  /**
   * Settings from JSON.
   *
   * @param defaults values of the keys that do not occur
   * @throws ConfigException with a sentence that names the key
   */
  public static <T> T parse(String json, T defaults) {
    Class<?> type = defaults.getClass();
    try {
      ObjectNode all = MAPPER.valueToTree(defaults);
      JsonNode given = MAPPER.readTree(json);
      if (!given.isObject()) {
        throw new ConfigException("settings must be a JSON object, not: " + json);
      }
      merge(all, (ObjectNode) given);
      @SuppressWarnings("unchecked")
      T parsed = (T) MAPPER.treeToValue(all, type);
      return Objects.requireNonNull(parsed);
    } catch (UnrecognizedPropertyException e) {
      throw new ConfigException(unknownKey(e));
    } catch (ValueInstantiationException e) {
      throw new ConfigException(
          e.getCause() instanceof ConfigException cause
              ? Objects.requireNonNull(cause.getMessage())
              : e.getOriginalMessage());
    } catch (MismatchedInputException e) {
      String key =
          e.getPath().stream()
              .map(r -> r.getFieldName() == null ? "[" + r.getIndex() + "]" : r.getFieldName())
              .collect(Collectors.joining("."));
      throw new ConfigException("setting " + key + ": " + e.getOriginalMessage());
    } catch (JsonProcessingException e) {
      throw new ConfigException("settings are not JSON: " + e.getOriginalMessage());
    }
  }

  /** Settings as JSON. */
  public static String format(Object settings) {
    try {
      return MAPPER.writeValueAsString(settings);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("settings must be writable: " + settings, e);
    }
  }

  private static void merge(ObjectNode base, ObjectNode over) {
    for (var field : over.properties()) {
      JsonNode old = base.get(field.getKey());
      if (old instanceof ObjectNode inner && field.getValue() instanceof ObjectNode value) {
        merge(inner, value);
      } else if (ELEMENTS.get(field.getKey()) instanceof ObjectNode element
          && field.getValue() instanceof ArrayNode list) {
        base.set(field.getKey(), completed(list, element));
      } else {
        base.set(field.getKey(), field.getValue());
      }
    }
  }

  private static ArrayNode completed(ArrayNode given, ObjectNode element) {
    ArrayNode all = MAPPER.createArrayNode();
    for (JsonNode one : given) {
      ObjectNode whole = element.deepCopy();
      if (one instanceof ObjectNode settings) {
        merge(whole, settings);
        all.add(whole);
      } else {
        all.add(one);
      }
    }
    return all;
  }

  private static String unknownKey(UnrecognizedPropertyException e) {
    String key = e.getPropertyName();
    return e.getKnownPropertyIds().stream()
        .map(Object::toString)
        .min(Comparator.comparingInt(known -> distance(key, known)))
        .map(nearest -> "unknown setting '%s'; did you mean '%s'?".formatted(key, nearest))
        .orElse("unknown setting '%s'".formatted(key));
  }

  /** Edit distance of two words. */
  public static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int substituted = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(substituted, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
