package dev.flotilla.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An object of a JSON file. Every failure is a {@link ModelException} that names the file and key.
 */
record JsonFile(Path file, String prefix, JsonNode object) {
  private static final ObjectMapper MAPPER = JsonMapper.builder().build();

  static JsonFile read(Path file) {
    try {
      return parse(file, Files.readAllBytes(file));
    } catch (NoSuchFileException e) {
      throw new ModelException("model folder %s has no %s".formatted(file.getParent(), name(file)));
    } catch (IOException e) {
      throw new ModelException("cannot read %s: %s".formatted(file, e.getMessage()), e);
    }
  }

  static JsonFile parse(Path file, byte[] json) throws IOException {
    try {
      JsonNode all = MAPPER.readTree(json);
      if (!all.isObject()) {
        throw new ModelException("%s must hold a JSON object".formatted(file));
      }
      return new JsonFile(file, "", all);
    } catch (JsonProcessingException e) {
      throw new ModelException("%s is not JSON: %s".formatted(file, e.getOriginalMessage()), e);
    }
  }

  private static Path name(Path file) {
    Path name = file.getFileName();
    return name == null ? file : name;
  }

  /** The value; null if the key is missing or null. */
  @Nullable JsonNode find(String key) {
    JsonNode value = object.get(key);
    return value == null || value.isNull() ? null : value;
  }

  /** The object under a key; null if there is none. */
  @Nullable JsonFile section(String key) {
    JsonNode value = find(key);
    if (value == null) {
      return null;
    }
    if (!value.isObject()) {
      throw wrong(key, "an object", value);
    }
    return new JsonFile(file, prefix + key + ".", value);
  }

  int positive(String key, @Nullable Integer otherwise) {
    JsonNode value = find(key);
    if (value == null && otherwise != null) {
      return otherwise;
    }
    if (value == null) {
      throw new ModelException("%s lacks the key %s%s".formatted(file, prefix, key));
    }
    if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() < 1) {
      throw wrong(key, "a positive whole number", value);
    }
    return value.intValue();
  }

  @Nullable Double number(String key) {
    JsonNode value = find(key);
    if (value == null) {
      return null;
    }
    if (!value.isNumber()) {
      throw wrong(key, "a number", value);
    }
    return value.doubleValue();
  }

  double number(String key, double otherwise) {
    Double value = number(key);
    return value == null ? otherwise : value;
  }

  double required(String key) {
    Double value = number(key);
    if (value == null) {
      throw new ModelException("%s lacks the key %s%s".formatted(file, prefix, key));
    }
    return value;
  }

  boolean flag(String key, boolean otherwise) {
    JsonNode value = find(key);
    if (value == null) {
      return otherwise;
    }
    if (!value.isBoolean()) {
      throw wrong(key, "true or false", value);
    }
    return value.booleanValue();
  }

  @Nullable String text(String key) {
    JsonNode value = find(key);
    if (value == null) {
      return null;
    }
    if (!value.isTextual()) {
      throw wrong(key, "a string", value);
    }
    return value.textValue();
  }

  /** The strings of a list; empty if the key is missing. */
  List<String> texts(String key) {
    List<String> all = new ArrayList<>();
    JsonNode value = find(key);
    if (value != null) {
      if (!value.isArray()) {
        throw wrong(key, "a list of strings", value);
      }
      for (JsonNode item : value) {
        if (!item.isTextual()) {
          throw wrong(key, "a list of strings", value);
        }
        all.add(item.textValue());
      }
    }
    return all;
  }

  /** A token id or a list of them; null if the key is missing. */
  int @Nullable [] tokens(String key) {
    JsonNode value = find(key);
    if (value == null) {
      return null;
    }
    List<JsonNode> items = new ArrayList<>();
    if (value.isArray()) {
      value.forEach(items::add);
    } else {
      items.add(value);
    }
    int[] ids = new int[items.size()];
    for (int i = 0; i < ids.length; i++) {
      JsonNode item = items.get(i);
      if (!item.isIntegralNumber() || !item.canConvertToInt() || item.intValue() < 0) {
        throw wrong(key, "a token id or a list of token ids", value);
      }
      ids[i] = item.intValue();
    }
    return ids;
  }

  ModelException wrong(String key, String expected, JsonNode value) {
    return new ModelException(
        "%s: %s%s must be %s, not %s".formatted(file, prefix, key, expected, value));
  }

  ModelException unsupported(String key, Object value, String supported) {
    return new ModelException(
        "%s: %s%s = %s is not supported; %s".formatted(file, prefix, key, value, supported));
  }
}
