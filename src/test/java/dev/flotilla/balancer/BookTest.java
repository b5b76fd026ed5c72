package dev.flotilla.balancer;

import static dev.flotilla.balancer.FleetOf.incarnation;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.flotilla.protocol.EngineWork;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Rank;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The account of one who chooses for several front-ends. */
class BookTest {
  private static final long MS = 1_000_000;
  private static final FrontendId ONE = new FrontendId("one");
  private static final FrontendId TWO = new FrontendId("two");
  private static final Incarnation ENGINE = incarnation(0);

  private final Ledger ledger = Ledger.ofAll(new FrontendId("coordinator"));
  private final Book book = new Book(ledger);
  private long sequence;

  private void report(long now, int running, long ackOne, long ackTwo) {
    book.report(
        new LoadReport(
            new Rank(0),
            ENGINE,
            new Epoch(1, 1),
            ++sequence,
            0,
            running,
            0,
            0,
            0,
            100,
            0,
            0,
            true,
            0,
            List.of(new LoadReport.Ack(ONE, ackOne), new LoadReport.Ack(TWO, ackTwo)),
            null,
            EngineWork.guessed(running, 0, 0)),
        now);
  }

  @Test
  void aChoiceCountsUntilItsSendIsAcknowledged() {
    report(0, 0, 3, 0);
    book.chosen(ONE, ENGINE, 100, 0, MS);
    book.chosen(TWO, ENGINE, 10, 0, MS);
    book.chosen(ONE, ENGINE, 1, 0, MS);
    assertEquals(111, ledger.unacknowledgedTokens(ENGINE));
    assertEquals(3, ledger.account(ENGINE).inFlight());
    report(2 * MS, 1, 4, 0);
    assertEquals(11, ledger.unacknowledgedTokens(ENGINE), "the fourth send of ONE has come");
    assertEquals(3, ledger.account(ENGINE).inFlight(), "one runs, two are on their way");
    report(3 * MS, 2, 4, 1);
    assertEquals(1, ledger.unacknowledgedTokens(ENGINE));
    report(4 * MS, 3, 5, 1);
    assertEquals(0, ledger.unacknowledgedTokens(ENGINE));
    assertEquals(3, ledger.account(ENGINE).inFlight());
  }

  @Test
  void aFrontEndNumbersItsSendsOverAllEngines() {
    Incarnation other = incarnation(1);
    book.chosen(ONE, ENGINE, 100, 0, 0);
    book.chosen(ONE, other, 10, 0, 0);
    book.chosen(ONE, other, 20, 0, 0);
    book.chosen(ONE, ENGINE, 50, 0, 0);
    book.chosen(ONE, ENGINE, 7, 0, 0);
    report(MS, 2, 4, 0);
    assertEquals(7, ledger.unacknowledgedTokens(ENGINE), "its fifth send is on its way");
    assertEquals(30, ledger.unacknowledgedTokens(other));
  }

  @Test
  void aFrontEndThatAlsoChoseByItselfIsBelieved() {
    book.chosen(ONE, ENGINE, 100, 0, 0);
    report(MS, 3, 3, 0);
    assertEquals(0, ledger.unacknowledgedTokens(ENGINE));
    book.chosen(ONE, ENGINE, 50, 0, 2 * MS);
    report(3 * MS, 3, 3, 0);
    assertEquals(50, ledger.unacknowledgedTokens(ENGINE), "the fourth is still to come");
  }

  @Test
  void aChoiceThatNobodyFollowedIsForgotten() {
    book.chosen(ONE, ENGINE, 100, 0, 0);
    report(Book.FORGET_MS * MS - 1, 0, 0, 0);
    assertEquals(100, ledger.unacknowledgedTokens(ENGINE));
    report(Book.FORGET_MS * MS, 0, 0, 0);
    assertEquals(0, ledger.unacknowledgedTokens(ENGINE));
    book.chosen(ONE, ENGINE, 100, 0, 300 * MS);
    book.keep(Set.of());
    assertEquals(0, ledger.unacknowledgedTokens(ENGINE));
  }
}
