package dev.flotilla.frontend;

import dev.flotilla.protocol.Penalties;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.TokenIds;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * Reads how the tokens of a request are drawn, with vLLM's names and meanings. Safe for use by
 * several threads.
 */
record SamplingReader(ServedModel model) {
  /** The most that the original reports. */
  static final int LOGPROBS_MAX = 20;

  private static final int STOPS_MAX = 64;
  private static final int STOP_CHARS_MAX = 4096;

  /** The sampling of a request; seed and limit of tokens are filled in for each choice. */
  Sampling read(Fields fields, boolean chat, int minTokens) {
    ServedModel.Defaults defaults = model.defaults();
    float temperature = or(fields.number("temperature", 0, 2), or(defaults.temperature(), 1f));
    Float givenTopP = fields.number("top_p", 0, 1);
    float topP = or(givenTopP, or(defaults.topP(), 1f));
    if (topP == 0) {
      throw ApiException.badValue("top_p", "top_p must be above 0 and at most 1, not 0");
    }
    Integer topK = fields.integer("top_k", -1, Integer.MAX_VALUE);
    Long seed = fields.integer64("seed");
    int logprobs = logprobs(fields, chat);
    return Sampling.builder()
        .temperature(temperature)
        .topP(topP)
        .topK(Math.max(0, topK != null ? topK : defaults.topK() != null ? defaults.topK() : 0))
        .minP(or(fields.number("min_p", 0, 1), or(defaults.minP(), 0f)))
        .seed(seed == null ? ThreadLocalRandom.current().nextLong() : seed)
        .maxTokens(1)
        .minTokens(minTokens)
        .ignoreEos(fields.flag("ignore_eos", false))
        .stopIds(TokenIds.of(fields.ids("stop_token_ids", model.tokenizer().vocab())))
        .logprobs(logprobs)
        .promptLogprobs(promptLogprobs(fields, chat, logprobs))
        .penalties(penalties(fields, or(defaults.repetitionPenalty(), 1f)))
        .rules(new TokenRulesReader(model.tokenizer()).read(fields))
        .grammar(GrammarReader.read(fields))
        .build();
  }

  /** The strings that end a choice. */
  static GenerationRequest.Stops stops(Fields fields) {
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
    return new GenerationRequest.Stops(stops, fields.flag("include_stop_str_in_output", false));
  }

  private static Penalties penalties(Fields fields, float repetitionOtherwise) {
    Float repetition = fields.positive("repetition_penalty");
    return new Penalties(
        or(repetition, repetitionOtherwise),
        or(fields.number("presence_penalty", -2, 2), 0f),
        or(fields.number("frequency_penalty", -2, 2), 0f));
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

  /** Echoed log-probabilities are those of the prompt, so that echo asks for them too. */
  private static int promptLogprobs(Fields fields, boolean chat, int logprobs) {
    int echoed = !chat && fields.flag("echo", false) ? logprobs : -1;
    return Math.max(shownPromptLogprobs(fields), echoed);
  }

  /** How many of each prompt token's best are shown beside the text; -1 shows nothing of them. */
  static int shownPromptLogprobs(Fields fields) {
    Integer count = fields.integer("prompt_logprobs", 0, LOGPROBS_MAX);
    if (count != null && fields.flag("stream", false)) {
      throw ApiException.badValue(
          "prompt_logprobs", "prompt_logprobs are not available when stream is true");
    }
    return count == null ? -1 : count;
  }

  private static float or(@Nullable Float value, float otherwise) {
    return value == null ? otherwise : value;
  }
}
