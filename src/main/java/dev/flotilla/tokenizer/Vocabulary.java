package dev.flotilla.tokenizer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import dev.flotilla.model.ModelException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the native library does not tell about a {@code tokenizer.json}: how many ids there are,
 * which are special, and how its tokens are written. Read as a stream, since the file may be of
 * many megabytes.
 *
 * @param tokens the written form of each id
 * @param byteLevel whether tokens are written in {@link ByteAlphabet}, which makes a token's bytes
 *     independent of its neighbours
 */
record Vocabulary(Map<Integer, String> tokens, Set<Integer> special, boolean byteLevel) {
  private static final JsonFactory FACTORY = new JsonFactory();

  static Vocabulary parse(Path file, byte[] json) throws IOException {
    Map<Integer, String> tokens = new HashMap<>();
    Set<Integer> special = new HashSet<>();
    boolean byteLevel = false;
    try (JsonParser parser = FACTORY.createParser(json)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw new ModelException("%s must hold a JSON object".formatted(file));
      }
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String key = parser.currentName();
        parser.nextToken();
        switch (key) {
          case "added_tokens" -> added(parser, tokens, special);
          case "decoder" -> byteLevel = "ByteLevel".equals(type(parser));
          case "model" -> model(parser, tokens);
          default -> parser.skipChildren();
        }
      }
    } catch (JsonProcessingException e) {
      throw new ModelException("%s is not JSON: %s".formatted(file, e.getOriginalMessage()), e);
    }
    return new Vocabulary(tokens, Set.copyOf(special), byteLevel);
  }

  /** Ids there are; some in between may have no token. */
  int size() {
    return tokens.keySet().stream().mapToInt(id -> id + 1).max().orElse(0);
  }

  private static void added(JsonParser parser, Map<Integer, String> tokens, Set<Integer> special)
      throws IOException {
    while (parser.nextToken() == JsonToken.START_OBJECT) {
      int id = -1;
      String content = "";
      boolean isSpecial = false;
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String key = parser.currentName();
        parser.nextToken();
        switch (key) {
          case "id" -> id = parser.getIntValue();
          case "content" -> content = parser.getText();
          case "special" -> isSpecial = parser.getBooleanValue();
          default -> parser.skipChildren();
        }
      }
      tokens.put(id, content);
      if (isSpecial) {
        special.add(id);
      }
    }
  }

  /** The type of the object that the parser stands at; null if it is none. */
  private static @Nullable String type(JsonParser parser) throws IOException {
    String type = null;
    if (parser.currentToken() == JsonToken.START_OBJECT) {
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String key = parser.currentName();
        parser.nextToken();
        if (key.equals("type")) {
          type = parser.getText();
        }
        parser.skipChildren();
      }
    }
    return type;
  }

  private static void model(JsonParser parser, Map<Integer, String> tokens) throws IOException {
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      boolean vocab = parser.currentName().equals("vocab");
      JsonToken value = parser.nextToken();
      if (vocab && value == JsonToken.START_OBJECT) {
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
          String token = parser.currentName();
          parser.nextToken();
          tokens.putIfAbsent(parser.getIntValue(), token);
        }
      } else if (vocab && value == JsonToken.START_ARRAY) {
        for (int id = 0; parser.nextToken() == JsonToken.START_ARRAY; id++) {
          parser.nextToken();
          tokens.putIfAbsent(id, parser.getText());
          parser.nextToken();
          parser.nextToken();
        }
      } else {
        parser.skipChildren();
      }
    }
  }
}
