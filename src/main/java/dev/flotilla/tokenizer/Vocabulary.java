package dev.flotilla.tokenizer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import dev.flotilla.model.ModelException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/**
 * What the native library does not tell about a {@code tokenizer.json}: how many ids there are and
 * which are special. Read as a stream, since the file may be of many megabytes.
 */
record Vocabulary(int size, Set<Integer> special) {
  private static final JsonFactory FACTORY = new JsonFactory();

  static Vocabulary parse(Path file, byte[] json) throws IOException {
    int size = 0;
    Set<Integer> special = new HashSet<>();
    try (JsonParser parser = FACTORY.createParser(json)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw new ModelException("%s must hold a JSON object".formatted(file));
      }
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String key = parser.currentName();
        parser.nextToken();
        switch (key) {
          case "added_tokens" -> size = Math.max(size, added(parser, special));
          case "model" -> size = Math.max(size, model(parser));
          default -> parser.skipChildren();
        }
      }
    } catch (JsonProcessingException e) {
      throw new ModelException("%s is not JSON: %s".formatted(file, e.getOriginalMessage()), e);
    }
    return new Vocabulary(size, Set.copyOf(special));
  }

  private static int added(JsonParser parser, Set<Integer> special) throws IOException {
    int size = 0;
    while (parser.nextToken() == JsonToken.START_OBJECT) {
      int id = -1;
      boolean isSpecial = false;
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String key = parser.currentName();
        parser.nextToken();
        if (key.equals("id")) {
          id = parser.getIntValue();
        } else if (key.equals("special")) {
          isSpecial = parser.getBooleanValue();
        }
      }
      size = Math.max(size, id + 1);
      if (isSpecial) {
        special.add(id);
      }
    }
    return size;
  }

  private static int model(JsonParser parser) throws IOException {
    int size = 0;
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      boolean vocab = parser.currentName().equals("vocab");
      JsonToken value = parser.nextToken();
      if (vocab && value == JsonToken.START_OBJECT) {
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
          parser.nextToken();
          size = Math.max(size, parser.getIntValue() + 1);
        }
      } else if (vocab && value == JsonToken.START_ARRAY) {
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          parser.skipChildren();
          size++;
        }
      } else {
        parser.skipChildren();
      }
    }
    return size;
  }
}
