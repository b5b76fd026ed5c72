package dev.flotilla.protocol;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import dev.flotilla.protocol.FrameException.Problem;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The body of rare messages: JSON, readable in a capture. Ids are plain strings, ranks numbers,
 * epochs {@code "term.count"}, terms {@code "number@node"}. Unknown keys are skipped, so that a key
 * can be added within a version; a missing key is an error unless the component is nullable.
 */
final class JsonBody {
  private static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .addModule(
              new SimpleModule()
                  .addSerializer(Rank.class, numbers(Rank::value))
                  .addDeserializer(Rank.class, fromText(text -> new Rank(Integer.parseInt(text))))
                  .addSerializer(Epoch.class, texts(Epoch::toString))
                  .addDeserializer(Epoch.class, fromText(JsonBody::epoch))
                  .addSerializer(Term.class, texts(Term::toString))
                  .addDeserializer(Term.class, fromText(Term::of))
                  .addSerializer(Incarnation.class, texts(Incarnation::value))
                  .addDeserializer(Incarnation.class, fromText(Incarnation::new))
                  .addSerializer(NodeId.class, texts(NodeId::value))
                  .addDeserializer(NodeId.class, fromText(NodeId::new))
                  .addSerializer(FrontendId.class, texts(FrontendId::value))
                  .addDeserializer(FrontendId.class, fromText(FrontendId::new)))
          .build();

  /** The components of a record that may not be null. */
  private static final ClassValue<List<RecordComponent>> REQUIRED =
      new ClassValue<>() {
        @Override
        protected List<RecordComponent> computeValue(Class<?> type) {
          return Arrays.stream(type.getRecordComponents())
              .filter(c -> !c.getType().isPrimitive())
              .filter(c -> !c.getAnnotatedType().isAnnotationPresent(Nullable.class))
              .peek(c -> c.getAccessor().setAccessible(true))
              .toList();
        }
      };

  private JsonBody() {}

  static void write(Object message, FrameWriter out) {
    try {
      out.raw(MAPPER.writeValueAsBytes(message));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("message must be writable: " + message, e);
    }
  }

  static <T> T read(Class<T> type, FrameReader in) {
    byte[] json = in.rest();
    try {
      T message = MAPPER.readValue(json, type);
      complete(type, message);
      return message;
    } catch (IOException e) {
      throw new FrameException(
          Problem.BODY, "JSON of " + type.getSimpleName(), String.valueOf(e.getMessage()));
    }
  }

  private static void complete(Class<?> expected, @Nullable Object value) {
    switch (value) {
      case null -> throw new FrameException(Problem.BODY, expected.getSimpleName(), "null");
      case Record whole -> {
        for (RecordComponent component : REQUIRED.get(whole.getClass())) {
          complete(component, whole);
        }
      }
      case List<?> items -> items.forEach(item -> complete(Object.class, item));
      default -> {}
    }
  }

  private static void complete(RecordComponent component, Record whole) {
    try {
      Object part = component.getAccessor().invoke(whole);
      if (part == null) {
        throw new FrameException(
            Problem.BODY,
            whole.getClass().getSimpleName() + " with " + component.getName(),
            "none of it");
      }
      complete(component.getType(), part);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("record must be readable: " + component, e);
    }
  }

  private static Epoch epoch(String text) {
    int dot = text.indexOf('.');
    if (dot < 0) {
      throw new IllegalArgumentException("epoch must be term.count, not '" + text + "'");
    }
    return new Epoch(
        Integer.parseInt(text.substring(0, dot)), Integer.parseInt(text.substring(dot + 1)));
  }

  private static <T> JsonSerializer<T> texts(Function<T, String> text) {
    return new JsonSerializer<>() {
      @Override
      public void serialize(T value, JsonGenerator out, SerializerProvider provider)
          throws IOException {
        out.writeString(text.apply(value));
      }
    };
  }

  private static <T> JsonSerializer<T> numbers(Function<T, Integer> number) {
    return new JsonSerializer<>() {
      @Override
      public void serialize(T value, JsonGenerator out, SerializerProvider provider)
          throws IOException {
        out.writeNumber(number.apply(value));
      }
    };
  }

  private static <T> JsonDeserializer<T> fromText(Function<String, T> make) {
    return new JsonDeserializer<>() {
      @Override
      public T deserialize(JsonParser in, DeserializationContext context) throws IOException {
        String text = in.getValueAsString();
        try {
          return make.apply(text == null ? "" : text);
        } catch (IllegalArgumentException e) {
          throw context.weirdStringException(text, Object.class, String.valueOf(e.getMessage()));
        }
      }
    };
  }
}
