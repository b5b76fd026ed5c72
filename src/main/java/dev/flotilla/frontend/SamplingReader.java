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

  /** Fields that are not built yet, each with the values that change nothing. */
  private static final Map<String, Predicate<JsonNode>> UNSUPPORTED =
      Map.ofEntries(
          Map.entry("frequency_penalty", v -> v.isNumber() && v.doubleValue() == 0),
          Map.entry("presence_penalty", v -> v.isNumber() && v.doubleValue() == 0),
          Map.entry("repetition_penalty", v -> v.isNumber() && v.doubleValue() == 1),
          Map.entry("best_of", v -> v.isIntegralNumber() && v.longValue() == 1),
          Map.entry("use_beam_search", SamplingReader::isFalse),
          Map.entry("logit_bias", SamplingReader::empty),
          Map.entry("logits_processors", SamplingReader::empty),
          Map.entry("allowed_token_ids", SamplingReader::never),
          Map.entry("bad_words", SamplingReader::empty),
          Map.entry("tools", SamplingReader::empty),
          Map.entry("functions", SamplingReader::empty),
          Map.entry("tool_choice", v -> v.asText().equals("none") || v.asText().equals("auto")),
          Map.entry("function_call", v -> v.asText().equals("none") || v.asText().equals("auto")),
          Map.entry("response_format", v -> v.path("type").asText().equals("text")),
          Map.entry("structured_outputs", SamplingReader::never),
          Map.entry("guided_json", SamplingReader::never),
          Map.entry("guided_regex", SamplingReader::never),
          Map.entry("guided_choice", SamplingReader::never),
          Map.entry("guided_grammar", SamplingReader::never),
          Map.entry("prompt_logprobs", SamplingReader::never),
          Map.entry("truncate_prompt_tokens", SamplingReader::never),
          Map.entry("prompt_embeds", SamplingReader::never),
          Map.entry("suffix", v -> v.asText().isEmpty() && v.isTextual()),
          Map.entry("chat_template", SamplingReader::never),
          Map.entry("documents", SamplingReader::empty),
          Map.entry("continue_final_message", SamplingReader::isFalse),
          Map.entry("reasoning_effort", SamplingReader::never),
          Map.entry("modalities", v -> v.size() == 1 && v.get(0).asText().equals("text")),
          Map.entry("audio", SamplingReader::never),
          Map.entry("return_tokens_as_token_ids", SamplingReader::isFalse));

  private SamplingReader() {}

  private static boolean never(JsonNode value) {
    return false;
  }

  private static boolean empty(JsonNode value) {
    return value.isContainerNode() && value.isEmpty();
  }

  private static boolean isFalse(JsonNode value) {
    return value.isBoolean() && !value.booleanValue();
  }

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
    return Sampling.builder()
        .temperature(temperature)
        .topP(topP)
        .topK(Math.max(0, topK != null ? topK : defaults.topK() != null ? defaults.topK() : 0))
        .minP(or(fields.number("min_p", 0, 1), 0f))
        .seed(seed == null ? ThreadLocalRandom.current().nextLong() : seed)
        .maxTokens(1)
        .minTokens(minTokens == null ? 0 : minTokens)
        .ignoreEos(fields.flag("ignore_eos", false))
        .stopIds(TokenIds.of(fields.ids("stop_token_ids", vocab)))
        .logprobs(logprobs(fields, chat))
        .build();
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
