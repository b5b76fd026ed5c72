package dev.flotilla.frontend;

import com.fasterxml.jackson.databind.JsonNode;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.TokenIds;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Reads the sampling fields, and refuses those that would change the result but are not built. */
final class SamplingReader {
  /** The most that the original reports. */
  static final int LOGPROBS_MAX = 20;

  private static final int STOPS_MAX = 64;
  private static final int STOP_CHARS_MAX = 4096;

  private static final Predicate<JsonNode> NEVER = _ -> false;
  private static final Predicate<JsonNode> EMPTY = v -> v.isContainerNode() && v.isEmpty();
  private static final Predicate<JsonNode> FALSE = v -> v.isBoolean() && !v.booleanValue();

  /** Fields that are not built yet, each with the values that change nothing. */
  private static final Map<String, Predicate<JsonNode>> UNSUPPORTED =
      Map.ofEntries(
          Map.entry("frequency_penalty", v -> v.isNumber() && v.doubleValue() == 0),
          Map.entry("presence_penalty", v -> v.isNumber() && v.doubleValue() == 0),
          Map.entry("repetition_penalty", v -> v.isNumber() && v.doubleValue() == 1),
          Map.entry("best_of", v -> v.isIntegralNumber() && v.longValue() == 1),
          Map.entry("use_beam_search", FALSE),
          Map.entry("logit_bias", EMPTY),
          Map.entry("logits_processors", EMPTY),
          Map.entry("allowed_token_ids", NEVER),
          Map.entry("bad_words", EMPTY),
          Map.entry("tools", EMPTY),
          Map.entry("functions", EMPTY),
          Map.entry("tool_choice", v -> v.asText().equals("none") || v.asText().equals("auto")),
          Map.entry("function_call", v -> v.asText().equals("none") || v.asText().equals("auto")),
          Map.entry("response_format", v -> v.path("type").asText().equals("text")),
          Map.entry("structured_outputs", NEVER),
          Map.entry("guided_json", NEVER),
          Map.entry("guided_regex", NEVER),
          Map.entry("guided_choice", NEVER),
          Map.entry("guided_grammar", NEVER),
          Map.entry("prompt_logprobs", NEVER),
          Map.entry("truncate_prompt_tokens", NEVER),
          Map.entry("prompt_embeds", NEVER),
          Map.entry("suffix", v -> v.asText().isEmpty() && v.isTextual()),
          Map.entry("chat_template", NEVER),
          Map.entry("documents", EMPTY),
          Map.entry("continue_final_message", FALSE),
          Map.entry("reasoning_effort", NEVER),
          Map.entry("modalities", v -> v.size() == 1 && v.get(0).asText().equals("text")),
          Map.entry("audio", NEVER),
          Map.entry("return_tokens_as_token_ids", FALSE));

  private SamplingReader() {}

  /** Refuses fields that would have to change the result. */
  static void refuseUnsupported(Fields fields) {
    for (var field : fields.json().properties()) {
      Predicate<JsonNode> neutral = UNSUPPORTED.get(field.getKey());
      if (neutral != null && !field.getValue().isNull() && !neutral.test(field.getValue())) {
        throw ApiException.badValue(
            field.getKey(), "%s is not supported yet".formatted(field.getKey()));
      }
    }
  }

  /** The sampling of a request; the limit of tokens is filled in for each prompt. */
  static Sampling read(Fields fields, ServedModel.Defaults defaults, int vocab, boolean chat) {
    float temperature = or(fields.number("temperature", 0, 2), or(defaults.temperature(), 1f));
    float topP = or(fields.number("top_p", 0, 1), or(defaults.topP(), 1f));
    if (topP == 0) {
      throw ApiException.badValue("top_p", "top_p must be above 0 and at most 1, not 0");
    }
    Integer topK = fields.integer("top_k", -1, Integer.MAX_VALUE);
    Integer minTokens = fields.integer("min_tokens", 0, Integer.MAX_VALUE);
    Long seed = fields.integer64("seed");
    return new Sampling(
        temperature,
        topP,
        Math.max(0, topK != null ? topK : defaults.topK() != null ? defaults.topK() : 0),
        or(fields.number("min_p", 0, 1), 0f),
        seed == null ? ThreadLocalRandom.current().nextLong() : seed,
        1,
        minTokens == null ? 0 : minTokens,
        fields.flag("ignore_eos", false),
        TokenIds.of(fields.ids("stop_token_ids", vocab)),
        logprobs(fields, chat),
        -1);
  }

  /** The stop strings. */
  static List<String> stops(Fields fields) {
    List<String> stops = fields.strings("stop");
    if (stops.size() > STOPS_MAX) {
      throw ApiException.badValue(
          "stop", "stop may hold %d strings, not %d".formatted(STOPS_MAX, stops.size()));
    }
    for (String stop : stops) {
      if (stop.isEmpty() || stop.length() > STOP_CHARS_MAX) {
        throw ApiException.badValue(
            "stop", "a stop string must have 1 to %d characters".formatted(STOP_CHARS_MAX));
      }
    }
    return stops;
  }

  private static int logprobs(Fields fields, boolean chat) {
    if (!chat) {
      Integer count = fields.integer("logprobs", 0, LOGPROBS_MAX);
      return count == null ? -1 : count;
    }
    boolean wanted = fields.flag("logprobs", false);
    Integer top = fields.integer("top_logprobs", 0, LOGPROBS_MAX);
    if (top != null && top > 0 && !wanted) {
      throw ApiException.badValue("top_logprobs", "top_logprobs needs logprobs to be true");
    }
    return !wanted ? -1 : top == null ? 0 : top;
  }

  private static float or(@Nullable Float value, float otherwise) {
    return value == null ? otherwise : value;
  }
}
