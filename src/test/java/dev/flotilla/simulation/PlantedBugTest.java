package dev.flotilla.simulation;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The invariants of the serving simulation are worth something: each planted bug breaks one. */
class PlantedBugTest {
  private static final int SEEDS_MAX = 1_500;

  @ParameterizedTest
  @EnumSource
  void isCaught(PlantedBug bug) {
    for (long seed = 1; seed <= SEEDS_MAX; seed++) {
      try {
        ServingSimulation.run(seed, bug.plant());
      } catch (SimulationFailure caught) {
        String text = String.valueOf(caught.getMessage());
        System.out.printf(
            "%s: seed %d, %s%n",
            bug, seed, text.substring(0, Math.min(120, text.indexOf("(prof"))));
        assertTrue(text.contains("-Dsim.seed=" + seed), text);
        return;
      }
    }
    fail(bug + " was not caught by " + SEEDS_MAX + " seeds");
  }
}
