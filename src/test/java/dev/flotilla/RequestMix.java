package dev.flotilla;

import dev.flotilla.config.SchedulingPolicy;
import dev.flotilla.protocol.Penalties;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.TokenIds;
import dev.flotilla.protocol.TokenRules;
import dev.flotilla.scheduler.SchedulerLimits;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * Requests that run together and the limits that they run under, drawn from a seed.
 *
 * @param blocks of the KV cache; often so few that requests have to be preempted
 */
record RequestMix(SchedulerLimits limits, List<Request> requests) {
  static final int MODEL_LENGTH = 128;

  /**
   * One request.
   *
   * @param arrival before which step it comes
   * @param cut how many of its tokens another engine has delivered already, if it gets so far
   * @param abort before which step it is aborted; -1: never
   */
  record Request(
      TokenIds prompt,
      Sampling sampling,
      int arrival,
      int priority,
      String salt,
      int cut,
      int abort) {}

  static RequestMix draw(long seed, int vocab, TokenIds eos) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    int count = 2 + random.nextInt(6);
    List<TokenIds> openings = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      openings.add(ids(random, 12 + random.nextInt(20), vocab));
    }
    List<Request> requests = new ArrayList<>();
    int longest = 0;
    for (int i = 0; i < count; i++) {
      // Most begin alike, so that the prefix cache is asked; some are short, as in a chat.
      TokenIds opening = openings.get(random.nextInt(2));
      TokenIds prompt =
          switch (random.nextInt(4)) {
            case 0 -> ids(random, 1 + random.nextInt(36), vocab);
            case 1 -> opening;
            default -> opening.concat(ids(random, 1 + random.nextInt(12), vocab));
          };
      Sampling sampling = sampling(random, vocab);
      int arrival = random.nextInt(12);
      longest = Math.max(longest, prompt.size() + sampling.maxTokens());
      requests.add(
          new Request(
              prompt,
              sampling,
              arrival,
              random.nextInt(3),
              random.nextInt(5) == 0 ? "salt" : "",
              random.nextInt(4) == 0 ? 1 + random.nextInt(8) : 0,
              random.nextInt(8) == 0 ? arrival + 1 + random.nextInt(12) : -1));
    }
    int blockSize = 1 << Math.min(4, random.nextInt(6));
    int needed = (longest + blockSize - 1) / blockSize;
    int blocks = needed + (random.nextInt(3) == 0 ? 4 * needed : random.nextInt(needed / 2 + 1));
    SchedulerLimits limits =
        new SchedulerLimits(
            1 + random.nextInt(8),
            random.nextInt(4) == 0 ? 1 + random.nextInt(8) : 8 + random.nextInt(120),
            count,
            MODEL_LENGTH,
            blocks,
            blockSize,
            eos,
            random.nextInt(5) > 0,
            random.nextInt(3) == 0 ? 1 + random.nextInt(20) : 0,
            random.nextBoolean() ? SchedulingPolicy.FCFS : SchedulingPolicy.PRIORITY);
    return new RequestMix(limits, List.copyOf(requests));
  }

  private static Sampling sampling(RandomGenerator random, int vocab) {
    Sampling.Builder builder =
        Sampling.builder()
            .temperature(random.nextInt(3) == 0 ? 0 : 0.3f + 1.5f * random.nextFloat())
            .seed(random.nextLong())
            .maxTokens(1 + random.nextInt(16))
            .ignoreEos(random.nextBoolean())
            .logprobs(random.nextBoolean() ? random.nextInt(6) : -1)
            .promptLogprobs(random.nextInt(5) == 0 ? random.nextInt(4) : -1);
    if (random.nextBoolean()) {
      builder.topP(0.3f + 0.7f * random.nextFloat());
    }
    if (random.nextBoolean()) {
      builder.topK(1 + random.nextInt(60));
    }
    if (random.nextInt(3) == 0) {
      builder.minP(0.2f * random.nextFloat());
    }
    if (random.nextInt(3) == 0) {
      builder.penalties(
          new Penalties(0.8f + random.nextFloat(), random.nextFloat(), random.nextFloat()));
    }
    if (random.nextInt(4) == 0) {
      builder.rules(
          TokenRules.bias(TokenIds.of(random.nextInt(vocab)), List.of(4 * random.nextFloat())));
    }
    if (random.nextInt(4) == 0) {
      builder.minTokens(1 + random.nextInt(6)).stopIds(ids(random, 20, vocab));
    }
    return builder.build();
  }

  private static TokenIds ids(RandomGenerator random, int count, int vocab) {
    return TokenIds.of(random.ints(count, 0, vocab).toArray());
  }
}
