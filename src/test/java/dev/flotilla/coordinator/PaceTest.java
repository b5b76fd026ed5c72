package dev.flotilla.coordinator;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class PaceTest {
  @Test
  void looksAtOnceWhenSomethingHasHappened_otherwiseNowAndThen() {
    Pace pace = new Pace();
    assertTrue(pace.due(0), "the first time");
    assertFalse(pace.due(1));
    pace.stir();
    assertTrue(pace.due(2));
    assertFalse(pace.due(1 + Pace.REST_NANOS));
    assertTrue(pace.due(2 + Pace.REST_NANOS));
    assertFalse(pace.due(3 + Pace.REST_NANOS));
  }
}
