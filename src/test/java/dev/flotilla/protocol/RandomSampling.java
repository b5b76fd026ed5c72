package dev.flotilla.protocol;

import java.util.List;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/** Sampling parameters with random contents. */
final class RandomSampling {
  private final RandomGenerator random;

  RandomSampling(RandomGenerator random) {
    this.random = random;
  }

  /** Some. */
  Sampling next() {
    return Sampling.builder()
        .temperature(random.nextFloat())
        .topP(1 - random.nextFloat())
        .topK(random.nextInt(100))
        .minP(random.nextFloat())
        .seed(random.nextLong())
        .maxTokens(1 + random.nextInt(Integer.MAX_VALUE - 1))
        .minTokens(random.nextInt(Integer.MAX_VALUE))
        .ignoreEos(random.nextBoolean())
        .stopIds(ids(3))
        .logprobs(random.nextInt(22) - 1)
        .promptLogprobs(random.nextInt(22) - 1)
        .penalties(random.nextBoolean() ? Penalties.NONE : penalties())
        .rules(random.nextBoolean() ? TokenRules.NONE : rules())
        .grammar(random.nextBoolean() ? null : grammar())
        .build();
  }

  private Penalties penalties() {
    return new Penalties(1 + random.nextFloat(), random.nextFloat() - 0.5f, random.nextFloat());
  }

  private TokenRules rules() {
    TokenIds biased = ids(3);
    List<Float> biases = biased.stream().mapToObj(_ -> random.nextFloat()).toList();
    List<TokenIds> badWords =
        IntStream.range(0, random.nextInt(4))
            .mapToObj(_ -> ids(2).concat(TokenIds.of(random.nextInt())))
            .toList();
    return new TokenRules(biased, biases, ids(3), badWords);
  }

  private Grammar grammar() {
    Grammar.Kind[] kinds = Grammar.Kind.values();
    return new Grammar(kinds[random.nextInt(kinds.length)], "[ab]+" + random.nextInt());
  }

  private TokenIds ids(int most) {
    return TokenIds.of(random.ints(random.nextInt(most + 1)).toArray());
  }
}
