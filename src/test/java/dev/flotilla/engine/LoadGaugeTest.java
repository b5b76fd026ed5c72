package dev.flotilla.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.flotilla.protocol.EngineTotals;
import dev.flotilla.protocol.EngineWork;
import dev.flotilla.scheduler.Counters;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which changes of the step loop are news that nobody could foresee. */
class LoadGaugeTest {
  private static Snapshot loop(
      long version, int waiting, int running, long submits, long steps, boolean stepping) {
    return new Snapshot(
        version,
        new Counters(waiting, running, 100L * waiting, 100L * running, 10 * running, 0),
        EngineTotals.NONE,
        submits,
        100 * submits,
        steps,
        stepping,
        0,
        0,
        EngineWork.guessed(running, 100L * waiting, 100L * running),
        0,
        0,
        null);
  }

  @ParameterizedTest
  @CsvSource({
    "2, 2, 4, 8, false, the end of a step, false",
    "2, 2, 4, 9, true, the next step, false",
    "3, 2, 5, 8, true, a submit was taken and counted on receipt, false",
    "1, 2, 4, 8, true, a request went to another engine, true",
    "2, 1, 4, 8, true, a request was aborted, true",
    "0, 0, 4, 9, false, nothing is left, true"
  })
  void workThatGoesOtherwiseThanByStepsIsNews(
      int waiting,
      int running,
      long submits,
      long steps,
      boolean stepping,
      String what,
      boolean is) {
    LoadGauge gauge = new LoadGauge(1000);
    gauge.update(loop(1, 2, 2, 4, 8, true));
    assertEquals(is, gauge.update(loop(2, waiting, running, submits, steps, stepping)), what);
  }

  @Test
  void whatIsOldOrWasAtRestBeforeIsNoNews() {
    LoadGauge gauge = new LoadGauge(1000);
    gauge.update(loop(3, 0, 0, 4, 8, false));
    assertEquals(false, gauge.update(loop(2, 5, 5, 4, 8, true)), "late");
    assertEquals(false, gauge.update(loop(4, 0, 0, 4, 9, false)), "still at rest");
  }
}
