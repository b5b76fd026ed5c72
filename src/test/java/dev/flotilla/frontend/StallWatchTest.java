package dev.flotilla.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.EngineWork;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.StepCost;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class StallWatchTest {
  private static final long SECOND = 1_000_000_000;
  private static final Incarnation ENGINE = new Incarnation("i");

  private final StallWatch watch = new StallWatch();

  private void look(int running, long step, boolean paused, long seconds) {
    look(ENGINE, running, step, 0, paused, seconds);
  }

  private void look(
      Incarnation engine, int running, long step, float msToStepEnd, boolean paused, long seconds) {
    EngineWork work = new EngineWork(0, running, 0, 0, msToStepEnd, StepCost.DEFAULT);
    LoadReport load =
        new LoadReport(
            new Rank(0),
            engine,
            new Epoch(1, 1),
            1,
            0,
            running,
            0,
            0,
            0,
            100,
            step,
            0,
            false,
            0,
            List.of(),
            null,
            work);
    watch.look(load, paused, seconds * SECOND);
  }

  @Test
  void anEngineThatHasWorkAndDoesNotStepIsStalled_unlessItIsPaused() {
    look(4, 70, false, 0);
    look(4, 70, false, 9);
    assertFalse(watch.stalled(ENGINE, 9 * SECOND));
    look(4, 70, true, 10); // Frozen with what it runs.
    for (int second = 11; second < 100; second++) {
      look(4, 70, true, second);
      assertFalse(watch.stalled(ENGINE, second * SECOND), "paused for " + second + " s");
    }
    look(4, 70, false, 100);
    assertFalse(watch.stalled(ENGINE, 109 * SECOND), "it may take its time to go on");
    assertTrue(watch.stalled(ENGINE, 111 * SECOND));
  }

  @Test
  void aStepThatIsExpectedToTakeLongMay() {
    look(ENGINE, 4, 70, 0, false, 0);
    look(ENGINE, 4, 70, 3000, false, 1); // It has begun.
    look(ENGINE, 4, 70, 0, false, 9); // It should have ended.
    assertFalse(watch.stalled(ENGINE, 30 * SECOND));
    assertTrue(watch.stalled(ENGINE, 31 * SECOND));
    look(ENGINE, 4, 71, 5, false, 40);
    assertFalse(watch.stalled(ENGINE, 50 * SECOND));
    assertTrue(watch.stalled(ENGINE, 51 * SECOND));
  }

  @Test
  void anEnginesFirstStepsMayTakeAMinute() {
    look(4, 0, false, 0);
    assertFalse(watch.stalled(ENGINE, 60 * SECOND));
    assertTrue(watch.stalled(ENGINE, 61 * SECOND));
  }

  @Test
  void whereAllStallNoneIsWorse() {
    Incarnation other = new Incarnation("j");
    List<ClusterView.Engine> both = List.of(engine(0, ENGINE), engine(1, other));
    look(ENGINE, 4, 70, 0, false, 0);
    look(other, 4, 70, 0, false, 0);
    assertEquals(Set.of(), watch.worse(both, 11 * SECOND));
    look(other, 4, 71, 0, false, 11);
    assertEquals(Set.of(ENGINE), watch.worse(both, 12 * SECOND));
    assertEquals(Set.of(), watch.worse(List.of(engine(0, ENGINE)), 12 * SECOND));
  }

  private static ClusterView.Engine engine(int rank, Incarnation incarnation) {
    return new ClusterView.Engine(
        new Rank(rank),
        incarnation,
        new Epoch(1, rank + 1),
        EngineState.READY,
        new NodeId("node"),
        true,
        false,
        null,
        null);
  }
}
