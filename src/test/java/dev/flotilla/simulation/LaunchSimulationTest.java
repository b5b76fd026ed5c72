package dev.flotilla.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.simulation.LaunchSimulation.Ending;
import dev.flotilla.simulation.LaunchSimulation.Outcome;
import java.util.EnumMap;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** {@code -Dlaunch.seeds=} runs more seeds, {@code -Dsim.seed=} one again. */
class LaunchSimulationTest {
  private static final long SEEDS = Long.getLong("launch.seeds", 20_000);

  @Test
  void everyLaunchEndsBeforeItsDeadlineWithAllReadyOrDegradedOrTheMissingNamed() {
    Long one = Long.getLong("sim.seed");
    long first = one == null ? 0 : one;
    long end = one == null ? SEEDS : one + 1;
    long begun = System.nanoTime();
    var outcomes = LongStream.range(first, end).parallel().mapToObj(LaunchSimulation::run).toList();
    Map<Ending, Integer> endings = new EnumMap<>(Ending.class);
    outcomes.forEach(o -> endings.merge(o.ending(), 1, Integer::sum));
    System.out.printf(
        "launches: %s, %d events, %d starts of engines, %d ranks given up, %.1f s%n",
        endings,
        outcomes.stream().mapToLong(Outcome::events).sum(),
        outcomes.stream().mapToLong(Outcome::starts).sum(),
        outcomes.stream().mapToLong(Outcome::givenUp).sum(),
        (System.nanoTime() - begun) / 1e9);
    if (one == null) {
      for (Ending ending : Ending.values()) {
        assertTrue(endings.getOrDefault(ending, 0) > SEEDS / 100, () -> "seldom " + ending);
      }
    }
  }

  @Test
  void theSameSeedGivesTheSameLaunch() {
    assertEquals(LaunchSimulation.run(7), LaunchSimulation.run(7));
  }
}
