package dev.flotilla.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code -Dsim.seeds=} runs more seeds of each profile, {@code -Dsim.seed=} one again. */
class MembershipSimulationTest {
  private static final long SEEDS = Long.getLong("sim.seeds", 1_300);

  private static void converges(Profile profile) {
    Long one = Long.getLong("sim.seed");
    long first = one == null ? 0 : one;
    long end = one == null ? SEEDS : one + 1;
    long events = 0;
    long ready = 0;
    long terms = 0;
    for (long seed = first; seed < end; seed++) {
      MembershipSimulation.Outcome outcome = MembershipSimulation.run(profile, seed);
      events += outcome.events();
      ready += outcome.ready();
      terms += outcome.term();
    }
    System.out.printf(
        "%s: %d seeds, %d events, %d engines ready in the end, %d terms%n",
        profile.name(), end - first, events, ready, terms);
    assertTrue(ready >= end - first, "engines serve in the end");
  }

  @Test
  void converges_whenNothingIsLost() {
    converges(Profile.LOSSLESS);
  }

  @Test
  void converges_whenAThirdOfMessagesIsLost() {
    converges(Profile.LOSSY);
  }

  @Test
  void converges_whenEnginesCrashFreezeLeaveAndJoin() {
    converges(Profile.CRASHES);
  }

  @Test
  void converges_whenTheCoordinatorIsReplaced() {
    converges(Profile.HANDOVER);
  }

  @Test
  void converges_whenCoordinatorsAndEnginesComeAndGo() {
    converges(Profile.TAKEOVER);
  }

  @Test
  void theSameSeedGivesTheSameRun() {
    for (Profile profile : List.of(Profile.LOSSY, Profile.CRASHES)) {
      assertEquals(MembershipSimulation.run(profile, 7), MembershipSimulation.run(profile, 7));
    }
  }
}
