package dev.flotilla.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.simulation.WaveSimulation.Outcome;
import dev.flotilla.simulation.WaveSimulation.Shape;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/**
 * Lockstep groups under faults: whatever is lost and whoever dies, all requests are done and the
 * group rests in the end. The number of seeds is {@code -Dsimulation.seeds} (the profile {@code
 * long} sets a million); {@code -Dsim.seed} runs one again.
 */
class WaveSimulationTest {
  private static final int THREADS = 2;
  private static final int CHUNK = 100;

  /** Sums over all seeds of one shape. */
  private static final class Sums {
    private long seeds;
    private long events;
    private long requests;
    private long waves;
    private long generations;
    private long repairs;
    private long failures;
    private long takeovers;
    private long restMs;

    void add(Outcome outcome) {
      seeds++;
      events += outcome.events();
      requests += outcome.requests();
      waves += outcome.wave();
      generations += outcome.generations();
      repairs += outcome.repairs();
      failures += outcome.failures();
      takeovers += outcome.term() - 1;
      restMs = Math.max(restMs, outcome.restMs());
    }
  }

  @Test
  void everyRequestIsDoneAndEveryGroupRestsUnderSeededFaults() throws Exception {
    Long one = Long.getLong("sim.seed");
    long count = one == null ? Long.getLong("simulation.seeds", 20_000) : 1;
    AtomicLong next = new AtomicLong(one == null ? 1 : one);
    long end = next.get() + count;
    Map<Shape, Sums> sums = new HashMap<>();
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
    long seeds = 0;
    for (Shape shape : Shape.ALL) {
      Sums s = sums.getOrDefault(shape, new Sums());
      seeds += s.seeds;
      System.out.printf(
          "waves, %s: %d seeds, %d events, %d requests, %d waves, %d generations, %d orders given"
              + " again, %d failed exchanges, %d takeovers, at rest after %d ms at most%n",
          shape.name(),
          s.seeds,
          s.events,
          s.requests,
          s.waves,
          s.generations,
          s.repairs,
          s.failures,
          s.takeovers,
          s.restMs);
    }
    System.out.printf("waves: %d seeds in %.1f s%n", seeds, (System.nanoTime() - start) / 1e9);
    assertEquals(count, seeds);
    if (count >= 400) {
      assertEquals(0, sums.get(Shape.EDGES).repairs + sums.get(Shape.QUIET).repairs);
      assertTrue(sums.get(Shape.LOSSY).repairs > count / 5, "lost orders are given again");
      assertTrue(sums.get(Shape.CRASHES).failures > count / 50, "exchanges fail");
      assertTrue(sums.get(Shape.CRASHES).generations > count / 2, "groups are formed anew");
      assertTrue(sums.get(Shape.TAKEOVER).takeovers > count / 5, "coordinators take over");
    }
  }

  private static void run(AtomicLong next, long end, Map<Shape, Sums> sums) {
    for (long from = next.getAndAdd(CHUNK); from < end; from = next.getAndAdd(CHUNK)) {
      for (long seed = from; seed < Math.min(end, from + CHUNK); seed++) {
        Outcome outcome = WaveSimulation.run(seed);
        synchronized (sums) {
          sums.computeIfAbsent(outcome.shape(), _ -> new Sums()).add(outcome);
        }
      }
    }
  }

  @Test
  void theSameSeedGivesTheSameRun() {
    for (long seed = 1; seed <= 20; seed++) {
      assertEquals(WaveSimulation.run(seed), WaveSimulation.run(seed));
    }
  }
}
