package dev.flotilla.frontend;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Fields that would have to change the result and cannot: refused instead of ignored. Fields that
 * are only information ({@code user}, {@code metadata}, {@code store} and the like) are not read.
 */
final class Refusals {
  /** Each with the values that change nothing. */
  private static final Map<String, Predicate<JsonNode>> UNSUPPORTED =
      Map.ofEntries(
          Map.entry("use_beam_search", Refusals::isFalse),
          Map.entry("logits_processors", Refusals::empty),
          Map.entry("functions", Refusals::empty),
          Map.entry("function_call", v -> v.asText().equals("none") || v.asText().equals("auto")),
          Map.entry("prompt_embeds", Refusals::never),
          Map.entry("suffix", v -> v.asText().isEmpty() && v.isTextual()),
          Map.entry("chat_template", Refusals::never),
          Map.entry("modalities", v -> v.size() == 1 && v.get(0).asText().equals("text")),
          Map.entry("audio", Refusals::never));

  private Refusals() {}

  private static boolean never(JsonNode value) {
    return false;
  }

  private static boolean empty(JsonNode value) {
    return value.isContainerNode() && value.isEmpty();
  }

  private static boolean isFalse(JsonNode value) {
    return value.isBoolean() && !value.booleanValue();
  }

  /** Refuses a request that holds one of them. */
  static void check(Fields fields) {
    for (var field : fields.json().properties()) {
      Predicate<JsonNode> neutral = UNSUPPORTED.get(field.getKey());
      if (neutral != null && !field.getValue().isNull() && !neutral.test(field.getValue())) {
        throw ApiException.badValue(
            field.getKey(), "%s is not supported".formatted(field.getKey()));
      }
    }
  }
}
