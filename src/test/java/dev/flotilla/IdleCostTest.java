package dev.flotilla;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A group that rests waits without spinning; {@code LockstepBench} measures it more exactly. */
class IdleCostTest {
  /** Of a core; the goal is 0.01, and what else runs on a machine of tests adds to it. */
  private static final double MOST = 0.15;

  @Test
  @Timeout(120)
  void eightRanksThatRestCostHardlyAnything() throws Exception {
    try (RestingGroup group = new RestingGroup(8)) {
      group.start();
      group.wave(20);
      double resting = RestingGroup.cores(3, 1_000);
      group.pause();
      double paused = RestingGroup.cores(2, 1_000);
      group.stop();
      double without = RestingGroup.cores(2, 1_000); // Last, when all code is compiled.
      String figures =
          "cores %.4f without, %.4f at rest, %.4f paused".formatted(without, resting, paused);
      System.out.println(figures);
      assertTrue(resting - without < MOST, figures);
      assertTrue(paused - without < MOST, figures);
    }
  }
}
