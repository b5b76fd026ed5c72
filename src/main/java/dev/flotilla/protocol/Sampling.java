package dev.flotilla.protocol;

import java.util.Objects;

/**
 * How the tokens of one request are drawn and when it ends. Every value is concrete: the front-end
 * has filled in defaults and drawn a seed, so that a request resumed elsewhere continues with the
 * same tokens. Randomness is keyed by (seed, position of the token in prompt and output).
 *
 * @param temperature 0 means greedy
 * @param topP 1 means off
 * @param topK 0 means off
 * @param minP 0 means off
 * @param seed keys every draw
 * @param maxTokens most output tokens, at least 1
 * @param minTokens before so many outputs no eos and no stop id ends the request
 * @param ignoreEos the model's own end tokens do not end the request
 * @param stopIds further ids that end it
 * @param logprobs how many best tokens to report with each output; -1 reports none at all, 0 only
 *     the chosen one
 * @param promptLogprobs the same for the tokens of the prompt
 */
public record Sampling(
    float temperature,
    float topP,
    int topK,
    float minP,
    long seed,
    int maxTokens,
    int minTokens,
    boolean ignoreEos,
    TokenIds stopIds,
    int logprobs,
    int promptLogprobs) {

  /** Refuses what no front-end may send; texts for clients are the front-end's. */
  public Sampling {
    Objects.requireNonNull(stopIds, "stopIds");
    boolean sane =
        temperature >= 0
            && topP > 0
            && topP <= 1
            && topK >= 0
            && minP >= 0
            && minP <= 1
            && maxTokens >= 1
            && minTokens >= 0
            && logprobs >= -1
            && promptLogprobs >= -1;
    if (!sane) {
      throw new IllegalArgumentException(
          "sampling out of range: temperature %s, top_p %s, top_k %d, min_p %s, max_tokens %d, min_tokens %d, logprobs %d, prompt_logprobs %d"
              .formatted(
                  temperature, topP, topK, minP, maxTokens, minTokens, logprobs, promptLogprobs));
    }
  }

  /** Greedy, no log-probabilities. */
  public static Sampling greedy(int maxTokens) {
    return new Sampling(0, 1, 0, 0, 0, maxTokens, 0, false, TokenIds.EMPTY, -1, -1);
  }

  /** The same with another limit. */
  public Sampling withMaxTokens(int limit) {
    return new Sampling(
        temperature,
        topP,
        topK,
        minP,
        seed,
        limit,
        minTokens,
        ignoreEos,
        stopIds,
        logprobs,
        promptLogprobs);
  }

  /** The same with log-probabilities reported. */
  public Sampling withLogprobs(int outputs, int prompts) {
    return new Sampling(
        temperature,
        topP,
        topK,
        minP,
        seed,
        maxTokens,
        minTokens,
        ignoreEos,
        stopIds,
        outputs,
        prompts);
  }
}
