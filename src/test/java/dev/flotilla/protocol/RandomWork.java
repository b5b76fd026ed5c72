package dev.flotilla.protocol;

import java.util.random.RandomGenerator;

/** What engines tell of their work, with random contents. */
final class RandomWork {
  private final RandomGenerator random;

  RandomWork(RandomGenerator random) {
    this.random = random;
  }

  /** What a rank that steps with others tells. */
  LockstepLoad lockstep() {
    return new LockstepLoad(
        random.nextLong(), random.nextBoolean(), random.nextLong(), random.nextLong());
  }

  /** Some work. */
  EngineWork next() {
    return new EngineWork(
        random.nextFloat(),
        random.nextInt(),
        random.nextLong(),
        random.nextLong(),
        random.nextFloat(),
        new StepCost(
            random.nextFloat(),
            random.nextFloat(),
            random.nextFloat(),
            random.nextFloat(),
            random.nextFloat()));
  }

  /** Some counters. */
  EngineTotals totals() {
    return new EngineTotals(
        random.nextLong(),
        random.nextLong(),
        random.nextLong(),
        random.nextLong(),
        random.nextLong(),
        random.longs(EngineTotals.NONE.iterationTokens().size()).boxed().toList(),
        random.nextLong());
  }
}
