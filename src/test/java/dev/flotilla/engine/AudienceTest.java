package dev.flotilla.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.protocol.FrontendId;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
    audience.received(ONE);
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
    audience.received(ONE);
    assertTrue(audience.rides(ONE, 10_000 * MS), "an acknowledgement is told whatever it costs");
    assertFalse(audience.rides(new FrontendId("unknown"), 11_000 * MS));
  }

  @Test
  void whatStepsMayNotSpendIsThereForWorkThatComes() {
    for (int i = 0; i < 8; i++) {
      audience.add(new FrontendId("f" + i));
    }
    audience.due(0, true);
    int ofSteps = 0;
    for (long ms = 1; ms < 10_000; ms++) {
      audience.stepped();
      ofSteps += audience.due(ms * MS, true).size();
    }
    int most = 10 * Audience.REPORTS_PER_SECOND;
    assertTrue(ofSteps <= most + 64 && ofSteps > most * 0.9, ofSteps + " in 10 s");
    audience.received(new FrontendId("f3"));
    assertEquals(8, audience.due(10_000 * MS, true).size(), "all hear of work");
  }

  @Test
  void whoWasNotToldForWantOfBudgetComesFirstNextTime() {
    for (int i = 0; i < 8; i++) {
      audience.add(new FrontendId("f" + i));
    }
    Map<FrontendId, Integer> told = new HashMap<>();
    for (long ms = 0; ms < 10_000; ms++) {
      audience.changed();
      audience.due(ms * MS, true).forEach(f -> told.merge(f, 1, Integer::sum));
    }
    int least = told.values().stream().mapToInt(n -> n).min().orElseThrow();
    int most = told.values().stream().mapToInt(n -> n).max().orElseThrow();
    assertEquals(8, told.size());
    assertTrue(most - least <= 1 + most / 20, told::toString);
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
