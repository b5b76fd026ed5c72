package dev.flotilla.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.Scenario;
import dev.flotilla.coordinator.GroupChange.Phase;
import dev.flotilla.simulation.ScalingSimulation.Outcome;
import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** {@code -Dscaling.seeds=} runs more seeds, {@code -Dsim.seed=} one again. */
class ScalingSimulationTest {
  private static final long SEEDS = Long.getLong("scaling.seeds", 20_000);

  @Test
  @Scenario({"A69", "A74"})
  void everyChangeSettlesInTheOldOrTheNewSizeWhateverDiesInWhichPhase() {
    Long one = Long.getLong("sim.seed");
    long first = one == null ? 0 : one;
    long end = one == null ? SEEDS : one + 1;
    long begun = System.nanoTime();
    var outcomes =
        LongStream.range(first, end).parallel().mapToObj(ScalingSimulation::run).toList();
    Map<Integer, Integer> answers = new TreeMap<>();
    Map<Phase, Integer> faults = new EnumMap<>(Phase.class);
    for (Outcome outcome : outcomes) {
      outcome.answers().forEach((code, n) -> answers.merge(code, n, Integer::sum));
      outcome.faultsIn().forEach((phase, n) -> faults.merge(phase, n, Integer::sum));
    }
    System.out.printf(
        "scaling: answers %s, faults %s, longest %d ms, %.1f s%n",
        answers,
        faults,
        outcomes.stream().mapToLong(Outcome::longestMs).max().orElse(0),
        (System.nanoTime() - begun) / 1e9);
    if (one == null) {
      for (Phase phase : Phase.values()) {
        assertTrue(faults.getOrDefault(phase, 0) > SEEDS / 100, () -> "seldom in " + phase);
      }
      assertTrue(answers.getOrDefault(200, 0) > SEEDS / 4, answers::toString);
    }
  }

  @Test
  void theSameSeedGivesTheSameRun() {
    assertEquals(ScalingSimulation.run(11), ScalingSimulation.run(11));
  }
}
