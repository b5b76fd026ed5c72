package dev.flotilla.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.protocol.FrontendId;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Whom an engine tells its load, and what that may cost. */
class AudienceTest {
  private static final long MS = 1_000_000;
  private static final FrontendId ONE = new FrontendId("one");
  private static final FrontendId TWO = new FrontendId("two");

  private final Audience audience = new Audience(0);

  @Test
  void onlyThoseThatNoReportRodeToGetAMessageOfTheirOwn() {
    audience.add(ONE);
    audience.add(TWO);
    assertEquals(List.of(ONE, TWO), audience.due(0, true));
    assertEquals(List.of(), audience.due(MS, true), "all know");
    audience.changed();
    assertTrue(audience.rides(ONE, 2 * MS));
    assertFalse(audience.rides(ONE, 2 * MS), "it knows already");
    assertEquals(List.of(TWO), audience.due(2 * MS, true));
    audience.changed();
    assertEquals(List.of(), audience.due(3 * MS, false), "nobody else wants to know");
    audience.owe(ONE);
    assertEquals(List.of(ONE), audience.due(3 * MS, false), "but work is acknowledged");
  }

  @Test
  void messagesStayWithinTheirBudgetForLong() {
    for (int i = 0; i < 8; i++) {
      audience.add(new FrontendId("f" + i));
    }
    int messages = 0;
    int seconds = 10;
    for (long ms = 0; ms < seconds * 1000L; ms++) {
      audience.changed();
      messages += audience.due(ms * MS, true).size();
    }
    int most = seconds * Audience.REPORTS_PER_SECOND;
    assertTrue(messages <= most + 100 && messages > most * 0.9, messages + " in 10 s");
  }

  @Test
  void reportsThatRideOnTokensArePaidOutOfTheSameBudget() {
    audience.add(ONE);
    audience.add(TWO);
    int reports = 0;
    int seconds = 10;
    for (long ms = 0; ms < seconds * 1000L; ms += 2) {
      audience.changed();
      reports += audience.rides(ONE, ms * MS) ? 1 : 0;
      reports += audience.due(ms * MS, true).size();
    }
    int most = seconds * Audience.REPORTS_PER_SECOND;
    assertTrue(reports <= most + 100 && reports > most * 0.9, reports + " in 10 s");
    audience.changed();
    audience.owe(ONE);
    assertTrue(audience.rides(ONE, 10_000 * MS), "an acknowledgement is told whatever it costs");
    assertFalse(audience.rides(new FrontendId("unknown"), 11_000 * MS));
  }

  @Test
  void whoHasHeardNothingForLongIsToldThatTheEngineLives() {
    audience.add(ONE);
    audience.add(TWO);
    audience.due(0, true);
    audience.changed();
    assertTrue(audience.rides(ONE, 300 * MS));
    assertEquals(List.of(TWO), audience.silentFor(500 * MS, 500 * MS));
    assertEquals(List.of(), audience.silentFor(500 * MS, 600 * MS));
    audience.remove(TWO);
    assertEquals(List.of(ONE), audience.silentFor(500 * MS, 2000 * MS));
  }

  @Test
  void onlyThoseThatAskedGetPrefixes() {
    audience.add(ONE);
    audience.wantsPrefixes(TWO);
    assertEquals(List.of(TWO), audience.prefixed());
  }
}
