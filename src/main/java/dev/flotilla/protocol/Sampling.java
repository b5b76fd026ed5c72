package dev.flotilla.protocol;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

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
 * @param minTokens before so many outputs no eos and no stop id is drawn
 * @param ignoreEos the model's own end tokens do not end the request
 * @param stopIds further ids that end it
 * @param logprobs how many best tokens to report with each output; -1 reports none at all, 0 only
 *     the chosen one
 * @param promptLogprobs the same for the tokens of the prompt
 * @param grammar what the text of the output must be; null: anything
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
    int promptLogprobs,
    Penalties penalties,
    TokenRules rules,
    @Nullable Grammar grammar) {

  /** Refuses what no front-end may send; texts for clients are the front-end's. */
  public Sampling {
    Objects.requireNonNull(stopIds, "stopIds");
    Objects.requireNonNull(penalties, "penalties");
    Objects.requireNonNull(rules, "rules");
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
    return builder().temperature(0).maxTokens(maxTokens).build();
  }

  /** Draws from the model's own distribution; everything else is off. */
  public static Builder builder() {
    return new Builder();
  }

  /** This one, to be changed. */
  public Builder toBuilder() {
    Builder builder = new Builder();
    builder.temperature = temperature;
    builder.topP = topP;
    builder.topK = topK;
    builder.minP = minP;
    builder.seed = seed;
    builder.maxTokens = maxTokens;
    builder.minTokens = minTokens;
    builder.ignoreEos = ignoreEos;
    builder.stopIds = stopIds;
    builder.logprobs = logprobs;
    builder.promptLogprobs = promptLogprobs;
    builder.penalties = penalties;
    builder.rules = rules;
    builder.grammar = grammar;
    return builder;
  }

  /** The same with another limit. */
  public Sampling withMaxTokens(int limit) {
    return toBuilder().maxTokens(limit).build();
  }

  /** The same with log-probabilities reported. */
  public Sampling withLogprobs(int outputs, int prompts) {
    return toBuilder().logprobs(outputs).promptLogprobs(prompts).build();
  }

  /** Collects the parameters by name; {@link #build} checks them. */
  public static final class Builder {
    private float temperature = 1;
    private float topP = 1;
    private int topK;
    private float minP;
    private long seed;
    private int maxTokens = 16;
    private int minTokens;
    private boolean ignoreEos;
    private TokenIds stopIds = TokenIds.EMPTY;
    private int logprobs = -1;
    private int promptLogprobs = -1;
    private Penalties penalties = Penalties.NONE;
    private TokenRules rules = TokenRules.NONE;
    private @Nullable Grammar grammar;

    private Builder() {}

    /** See {@link Sampling#temperature()}. */
    public Builder temperature(float value) {
      temperature = value;
      return this;
    }

    /** See {@link Sampling#topP()}. */
    public Builder topP(float value) {
      topP = value;
      return this;
    }

    /** See {@link Sampling#topK()}. */
    public Builder topK(int value) {
      topK = value;
      return this;
    }

    /** See {@link Sampling#minP()}. */
    public Builder minP(float value) {
      minP = value;
      return this;
    }

    /** See {@link Sampling#seed()}. */
    public Builder seed(long value) {
      seed = value;
      return this;
    }

    /** See {@link Sampling#maxTokens()}. */
    public Builder maxTokens(int value) {
      maxTokens = value;
      return this;
    }

    /** See {@link Sampling#minTokens()}. */
    public Builder minTokens(int value) {
      minTokens = value;
      return this;
    }

    /** See {@link Sampling#ignoreEos()}. */
    public Builder ignoreEos(boolean value) {
      ignoreEos = value;
      return this;
    }

    /** See {@link Sampling#stopIds()}. */
    public Builder stopIds(TokenIds value) {
      stopIds = value;
      return this;
    }

    /** See {@link Sampling#logprobs()}. */
    public Builder logprobs(int value) {
      logprobs = value;
      return this;
    }

    /** See {@link Sampling#promptLogprobs()}. */
    public Builder promptLogprobs(int value) {
      promptLogprobs = value;
      return this;
    }

    /** See {@link Sampling#penalties()}. */
    public Builder penalties(Penalties value) {
      penalties = value;
      return this;
    }

    /** See {@link Sampling#rules()}. */
    public Builder rules(TokenRules value) {
      rules = value;
      return this;
    }

    /** See {@link Sampling#grammar()}. */
    public Builder grammar(@Nullable Grammar value) {
      grammar = value;
      return this;
    }

    /**
     * The parameters.
     *
     * @throws IllegalArgumentException if one is out of range
     */
    public Sampling build() {
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
          logprobs,
          promptLogprobs,
          penalties,
          rules,
          grammar);
    }
  }
}
