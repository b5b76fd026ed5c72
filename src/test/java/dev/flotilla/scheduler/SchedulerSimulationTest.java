package dev.flotilla.scheduler;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.config.SchedulingPolicy;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.TokenIds;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/**
 * Random submits, repetitions, aborts, resets and steps, aborts within steps included, against
 * small limits; invariants after every event. {@code -Dsim.seed=N} replays one, {@code
 * -Dsim.seeds=N} runs more.
 */
class SchedulerSimulationTest {
  /** How long a sequence of events is, and how large its requests and its limits may be. */
  private record Shape(int events, int prompt, int output, int blocks, int budget) {}

  private static final Shape SHORT = new Shape(10, 12, 4, 8, 12);
  private static final Shape LONG = new Shape(80, 40, 30, 24, 40);

  @Test
  void holdsInAHundredThousandShortSequencesOfEvents() {
    run(SHORT, 100_000);
  }

  @Test
  void holdsInLongSequencesOfEvents() {
    run(LONG, 500);
  }

  private static void run(Shape shape, int seeds) {
    Long only = Long.getLong("sim.seed");
    long count = only == null ? Long.getLong("sim.seeds", seeds) : 1;
    long first = only == null ? 0 : only;
    long[] sums = // tokens, preemptions, prefix hits
        LongStream.range(first, first + count)
            .parallel()
            .mapToObj(seed -> run(shape, seed))
            .reduce(new long[3], (a, b) -> new long[] {a[0] + b[0], a[1] + b[1], a[2] + b[2]});
    System.out.printf(
        "scheduler simulation of %d events: %d seeds, %d tokens, %d preemptions, %d tokens from the prefix cache%n",
        shape.events, count, sums[0], sums[1], sums[2]);
    assertTrue(only != null || sums[1] > count / 30, "the worlds are too roomy to preempt");
    assertTrue(only != null || sums[2] > count / 3, "too little is found in the cache");
  }

  private static long[] run(Shape shape, long seed) {
    Play play = new Play(shape, seed);
    try {
      play.run();
    } catch (AssertionError | RuntimeException e) {
      throw new AssertionError(
          "-Dsim.seed=%d %s; last events: %s"
              .formatted(seed, play.world.limits, String.join("; ", play.world.events)),
          e);
    }
    var totals = play.world.scheduler.totals();
    return new long[] {play.world.tokens, totals.preemptions(), totals.prefixHits()};
  }

  private static final class Play {
    private final Shape shape;
    private final RandomGenerator random;
    private final List<RequestId> known = new ArrayList<>();
    private final SchedulerWorld world;

    Play(Shape shape, long seed) {
      this.shape = shape;
      random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
      world =
          new SchedulerWorld(
              new SchedulerLimits(
                  1 + random.nextInt(8),
                  1 + random.nextInt(shape.budget),
                  1 + random.nextInt(10),
                  shape.prompt / 2 + random.nextInt(shape.prompt + shape.output),
                  2 + random.nextInt(shape.blocks),
                  1 << random.nextInt(4),
                  TokenIds.of(SchedulerWorld.EOS),
                  random.nextInt(4) > 0,
                  random.nextInt(4) == 0 ? 1 + random.nextInt(6) : 0,
                  random.nextInt(4) == 0 ? 1 + random.nextInt(2) : 0,
                  random.nextBoolean() ? SchedulingPolicy.FCFS : SchedulingPolicy.PRIORITY));
    }

    void run() {
      for (int i = 0; i < shape.events; i++) {
        world.tick(random.nextInt(2_000_000_000));
        switch (random.nextInt(10)) {
          case 0, 1, 2 -> submit();
          case 3 -> again();
          case 4 -> abort();
          case 5 -> {
            if (random.nextInt(4) == 0) {
              world.reset(random.nextBoolean());
            }
          }
          default ->
              world.step(random.nextInt(4) == 0 ? this::disturb : () -> {}, random.nextInt(8) == 0);
        }
      }
      world.finish();
    }

    private void disturb() {
      abort();
      again();
    }

    private void submit() {
      RequestId id = new RequestId(new FrontendId("f" + random.nextInt(3)), known.size());
      // Few different tokens, so that many requests begin alike.
      int kinds = random.nextInt(3) == 0 ? 2 : 1;
      int[] prompt = random.ints(1 + random.nextInt(shape.prompt), 0, kinds).toArray();
      String salt = random.nextInt(8) == 0 ? "s" : "";
      world.submit(id, TokenIds.of(prompt), sampling(), random.nextInt(-2, 3), salt);
      known.add(id);
    }

    private Sampling sampling() {
      Sampling.Builder sampling =
          Sampling.builder()
              .temperature(0)
              .maxTokens(1 + random.nextInt(shape.output))
              .minTokens(random.nextInt(4) == 0 ? random.nextInt(10) : 0)
              .ignoreEos(random.nextBoolean())
              .promptLogprobs(random.nextInt(6) == 0 ? 0 : -1);
      if (random.nextBoolean()) {
        sampling.stopIds(TokenIds.of(random.nextInt(SchedulerWorld.VOCAB)));
      }
      return sampling.build();
    }

    private void again() {
      if (!known.isEmpty()) {
        world.submitAgain(known.get(random.nextInt(known.size())), random.nextInt(-1, 2));
      }
    }

    private void abort() {
      if (!known.isEmpty()) {
        world.abort(known.get(random.nextInt(known.size())));
      }
    }
  }
}
