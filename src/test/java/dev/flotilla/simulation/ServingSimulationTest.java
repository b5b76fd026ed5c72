package dev.flotilla.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/**
 * Whole clusters under faults: all invariants of {@link ServingChecks} hold for every seed. The
 * number of seeds is {@code -Dsimulation.seeds} (the profile {@code long} sets a million), the
 * first {@code -Dsimulation.first}; {@code -Dsim.seed} runs one again.
 */
class ServingSimulationTest {
  private static final int THREADS = 2;
  private static final int CHUNK = 100;

  /** Sums over all seeds. */
  private static final class Sums {
    private long seeds;
    private long events;
    private long tokens;
    private long complete;
    private long failed;
    private long moves;
    private long retries;
    private long leaders;

    synchronized void add(ServingSimulation.Outcome outcome) {
      seeds++;
      events += outcome.events();
      tokens += outcome.tokens();
      complete += outcome.complete();
      failed += outcome.failed();
      moves += outcome.moves();
      retries += outcome.retries();
      leaders += outcome.leaders();
    }
  }

  @Test
  void everyInvariantHoldsUnderSeededFaults() throws Exception {
    Long one = Long.getLong("sim.seed");
    long count = one == null ? Long.getLong("simulation.seeds", 20_000) : 1;
    AtomicLong next = new AtomicLong(one == null ? Long.getLong("simulation.first", 1) : one);
    long end = next.get() + count;
    Sums sums = new Sums();
    long start = System.nanoTime();
    try (ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        all.add(threads.submit(() -> run(next, end, sums)));
      }
      for (Future<?> each : all) {
        each.get();
      }
    }
    System.out.printf(
        "serving simulation: %d seeds, %d events, %d tokens, %d requests complete, %d with an error,"
            + " %d moves, %d further attempts, %d leaderships in %d s%n",
        sums.seeds,
        sums.events,
        sums.tokens,
        sums.complete,
        sums.failed,
        sums.moves,
        sums.retries,
        sums.leaders,
        Duration.ofNanos(System.nanoTime() - start).toSeconds());
    assertEquals(count, sums.seeds);
    if (count >= 100) {
      assertTrue(sums.complete > 10 * sums.failed, "most requests are answered");
      assertTrue(sums.failed > 0, "some faults are too many");
      assertTrue(sums.moves > count / 2, "queued requests move: " + sums.moves);
      assertTrue(sums.retries > sums.moves, "requests go on elsewhere: " + sums.retries);
      assertTrue(sums.leaders > count, "coordinators take over: " + sums.leaders);
    }
  }

  private static void run(AtomicLong next, long end, Sums sums) {
    for (long from = next.getAndAdd(CHUNK); from < end; from = next.getAndAdd(CHUNK)) {
      for (long seed = from; seed < Math.min(end, from + CHUNK); seed++) {
        try {
          sums.add(ServingSimulation.run(seed));
        } catch (SimulationFailure e) {
          next.set(end); // The other thread need not go on either.
          throw e;
        }
      }
    }
  }

  @Test
  void theSameSeedGivesTheSameRun() {
    for (long seed = 1; seed <= 20; seed++) {
      assertEquals(ServingSimulation.run(seed), ServingSimulation.run(seed));
    }
  }
}
