package dev.flotilla.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.util.List;
import org.junit.jupiter.api.Test;

class LoadReportTest {
  @Test
  void aCopyKeepsAllThatItDoesNotChange() {
    LoadReport load = SampleMessages.LOAD;
    assertNotNull(load.lockstep());
    assertEquals(load, load.withWaiting(99).withWaiting(load.waiting()));
    assertEquals(load, load.withTotals(EngineTotals.NONE).withTotals(load.totals()));
    LoadReport one = load.toFrontend(load.acks().getFirst().frontend());
    assertEquals(List.of(load.acks().getFirst()), one.acks());
    assertEquals(load.lockstep(), one.lockstep());
    assertEquals(load.work(), one.work());
  }
}
