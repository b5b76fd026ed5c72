package dev.flotilla.simulation;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The invariants of the wave simulation are worth something: each planted bug breaks one. */
class PlantedWaveBugTest {
  private static final int SEEDS_MAX = 2_000;

  @ParameterizedTest
  @EnumSource
  void isCaught(PlantedWaveBug bug) {
    for (long seed = 1; seed <= SEEDS_MAX; seed++) {
      try {
        WaveSimulation.run(WaveSimulation.Shape.of(seed), seed, bug.plant());
      } catch (SimulationFailure caught) {
        String text = String.valueOf(caught.getMessage());
        System.out.printf(
            "%s: seed %d, %s%n",
            bug, seed, text.substring(0, Math.min(120, text.indexOf("(profile"))));
        assertTrue(text.contains("-Dsim.seed=" + seed), text);
        return;
      }
    }
    fail(bug + " was not caught by " + SEEDS_MAX + " seeds");
  }
}
