package dev.flotilla.frontend;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Rank;
import java.util.List;
import org.junit.jupiter.api.Test;

class StallWatchTest {
  private static final long SECOND = 1_000_000_000;
  private static final Incarnation ENGINE = new Incarnation("i");

  private final StallWatch watch = new StallWatch();

  private void look(int running, long step, boolean paused, long seconds) {
    LoadReport load =
        new LoadReport(
            new Rank(0),
            ENGINE,
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
            null);
    watch.look(load, paused, seconds * SECOND);
  }

  @Test
  void anEngineThatHasWorkAndDoesNotStepIsStalled_unlessItIsPaused() {
    look(4, 7, false, 0);
    look(4, 7, false, 9);
    assertFalse(watch.stalled(ENGINE, 9 * SECOND));
    look(4, 7, true, 10); // Frozen with what it runs.
    for (int second = 11; second < 100; second++) {
      look(4, 7, true, second);
      assertFalse(watch.stalled(ENGINE, second * SECOND), "paused for " + second + " s");
    }
    look(4, 7, false, 100);
    assertFalse(watch.stalled(ENGINE, 109 * SECOND), "it may take its time to go on");
    assertTrue(watch.stalled(ENGINE, 111 * SECOND));
  }
}
