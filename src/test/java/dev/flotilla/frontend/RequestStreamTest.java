package dev.flotilla.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.frontend.StreamSteps.Effect;
import dev.flotilla.frontend.StreamSteps.Event;
import dev.flotilla.frontend.StreamSteps.Target;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.TokenIds;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** One test for each row of the stream's table. */
class RequestStreamTest {
  private static final long MS = 1_000_000;
  private static final Target A = target(0, "a");
  private static final Target B = target(1, "b");
  private static final Target C = target(2, "c");

  private final RequestStream stream = new RequestStream(10, 60_000 * MS);

  private static Target target(int rank, String incarnation) {
    return new Target(new Rank(rank), new Incarnation(incarnation), new Epoch(1, rank + 1));
  }

  private void running(Target on) {
    stream.on(new Event.Accepted(0));
    stream.on(new Event.Assigned(0, on));
  }

  private List<Effect> tokens(
      Target from, int attempt, int offset, @Nullable FinishReason finish, int... ids) {
    return stream.on(
        new Event.Tokens(
            MS,
            from.incarnation(),
            attempt,
            offset,
            TokenIds.of(ids),
            finish,
            -1,
            List.of(),
            List.of()));
  }

  private static Effect deliver(int... ids) {
    return new Effect.Deliver(TokenIds.of(ids), List.of(), List.of(), false);
  }

  @Test
  void choosesThenSubmitsThenDeliversThenFinishes() {
    assertEquals(List.of(new Effect.Choose(Set.of())), stream.on(new Event.Accepted(0)));
    assertEquals(
        List.of(new Effect.Submit(A, 1, TokenIds.EMPTY)), stream.on(new Event.Assigned(0, A)));
    assertEquals(List.of(deliver(5, 6)), tokens(A, 1, 0, null, 5, 6));
    assertEquals(
        List.of(
            new Effect.Deliver(TokenIds.of(7), List.of(), List.of(), true),
            new Effect.Finish(FinishReason.STOP, -1)),
        tokens(A, 1, 2, FinishReason.STOP, 7));
    assertTrue(stream.ended());
    assertEquals(List.of(), tokens(A, 1, 3, null, 8));
  }

  @Test
  void failsAtOnceWhenNoEngineServes() {
    stream.on(new Event.Accepted(0));
    assertEquals(
        List.of(new Effect.Fail(503, "no engine is ready")), stream.on(new Event.NoneServing(0)));
  }

  @Test
  void dropsOverlapAndWhatIsNotCurrent() {
    running(A);
    tokens(A, 1, 0, null, 5, 6);
    assertEquals(List.of(), tokens(A, 1, 0, null, 5, 6));
    assertEquals(List.of(deliver(7)), tokens(A, 1, 1, null, 6, 7));
    assertEquals(List.of(), tokens(A, 0, 3, null, 9));
    assertEquals(List.of(), tokens(B, 1, 3, null, 9));
    assertEquals(TokenIds.of(5, 6, 7), stream.delivered());
  }

  @Test
  void asksTheSameEngineAgainWhenTokensWereLost() {
    running(A);
    tokens(A, 1, 0, null, 5);
    assertEquals(List.of(new Effect.Submit(A, 2, TokenIds.of(5))), tokens(A, 1, 3, null, 8));
    assertEquals(List.of(), tokens(A, 1, 1, null, 6));
    assertEquals(List.of(deliver(6)), tokens(A, 2, 1, null, 6));
  }

  @Test
  void leavesAnEngineThatKeepsLosingTokens() {
    running(A);
    tokens(A, 1, 0, null, 5);
    for (int attempt = 1; attempt <= 3; attempt++) {
      assertEquals(
          List.of(new Effect.Submit(A, attempt + 1, TokenIds.of(5))),
          tokens(A, attempt, 3, null, 8));
    }
    assertEquals(
        List.of(new Effect.Abort(A, 4), new Effect.Choose(Set.of(A.incarnation()))),
        tokens(A, 4, 3, null, 8));
  }

  @Test
  void movesOnWithWhatWasDeliveredWhenTheEngineIsGone() {
    running(A);
    tokens(A, 1, 0, null, 5, 6);
    assertEquals(List.of(), stream.on(new Event.EngineGone(MS, B.incarnation())));
    assertEquals(
        List.of(new Effect.Choose(Set.of(A.incarnation()))),
        stream.on(new Event.EngineGone(MS, A.incarnation())));
    assertEquals(
        List.of(new Effect.Submit(B, 2, TokenIds.of(5, 6))), stream.on(new Event.Assigned(MS, B)));
  }

  @Test
  void leavesAnEngineThatDoesNotStepAndTellsItSo() {
    running(A);
    tokens(A, 1, 0, null, 5, 6);
    assertEquals(List.of(), stream.on(new Event.EngineStalled(MS, B.incarnation())));
    assertEquals(
        List.of(new Effect.Abort(A, 1), new Effect.Choose(Set.of(A.incarnation()))),
        stream.on(new Event.EngineStalled(MS, A.incarnation())));
    assertEquals(
        List.of(new Effect.Submit(B, 2, TokenIds.of(5, 6))), stream.on(new Event.Assigned(MS, B)));
    assertEquals(List.of(), tokens(A, 1, 2, null, 7), "it has woken");
  }

  @Test
  void resendsTheSameAttemptThreeTimesThenMovesOn() {
    running(A);
    assertEquals(List.of(), stream.on(new Event.Tick(999 * MS, false, false)));
    Effect again = new Effect.Submit(A, 1, TokenIds.EMPTY);
    assertEquals(List.of(again), stream.on(new Event.Tick(1000 * MS, false, false)));
    assertEquals(List.of(again), stream.on(new Event.Tick(2000 * MS, false, false)));
    assertEquals(
        List.of(new Effect.Abort(A, 1), new Effect.Choose(Set.of(A.incarnation()))),
        stream.on(new Event.Tick(3000 * MS, false, false)));
  }

  @Test
  void anAcknowledgedRequestMayWaitForLong() {
    running(A);
    assertEquals(List.of(), stream.on(new Event.Tick(500 * MS, true, false)));
    assertEquals(List.of(), stream.on(new Event.Tick(50_000 * MS, true, false)));
    List<Effect> late = stream.on(new Event.Tick(60_000 * MS, true, false));
    assertEquals(new Effect.Abort(A, 1), late.getFirst());
    assertEquals(new Effect.Fail(503, "engine 0 gave no token for 60000 ms"), late.getLast());
  }

  @Test
  void aPausedRequestMayWaitForever() {
    running(A);
    for (long minute = 1; minute < 100; minute++) {
      assertEquals(List.of(), stream.on(new Event.Tick(minute * 60_000 * MS, true, false, true)));
    }
    assertEquals(List.of(), stream.on(new Event.Tick(99 * 60_000 * MS + 59_000 * MS, true, false)));
    List<Effect> late = stream.on(new Event.Tick(100 * 60_000 * MS, true, false));
    assertEquals(new Effect.Fail(503, "engine 0 gave no token for 60000 ms"), late.getLast());
  }

  @Test
  void asksAgainAnEngineThatIsIdleForASecond() {
    running(A);
    assertEquals(List.of(), stream.on(new Event.Tick(100 * MS, true, true)));
    assertEquals(List.of(), stream.on(new Event.Tick(200 * MS, true, false)));
    assertEquals(List.of(), stream.on(new Event.Tick(300 * MS, true, true)));
    assertEquals(List.of(), stream.on(new Event.Tick(1200 * MS, true, true)));
    assertEquals(
        List.of(new Effect.Submit(A, 2, TokenIds.EMPTY)),
        stream.on(new Event.Tick(1300 * MS, true, true)));
  }

  @Test
  void triesThreeEnginesAndSaysWhyItGaveUp() {
    running(A);
    stream.on(new Event.SendFailed(0, 1, "NO_HANDLERS"));
    stream.on(new Event.Assigned(0, B));
    stream.on(new Event.Refused(0, 2, 503, "draining"));
    stream.on(new Event.Assigned(0, C));
    assertEquals(
        List.of(new Effect.Fail(503, "engine 2 was lost (the last of 3 engines tried)")),
        stream.on(new Event.EngineGone(0, C.incarnation())));
    assertTrue(stream.ended());
  }

  @Test
  void passesAFullQueueOnOnlyWhenNoOtherEngineHasRoom() {
    running(A);
    assertEquals(
        List.of(new Effect.Abort(A, 1), new Effect.Choose(Set.of(A.incarnation()))),
        stream.on(new Event.Refused(0, 1, 429, "full")),
        "it may have refused a repetition only");
    assertEquals(
        List.of(new Effect.Fail(429, "engine 0 refused: full")),
        stream.on(new Event.NoneServing(0)));
  }

  @Test
  void passesABadRequestOnAtOnce() {
    running(A);
    assertEquals(
        List.of(new Effect.Fail(400, "too long")),
        stream.on(new Event.Refused(0, 1, 400, "too long")));
  }

  @Test
  void waitsAWhileForAnotherEngineAfterAFailure() {
    running(A);
    stream.on(new Event.EngineGone(0, A.incarnation()));
    assertEquals(List.of(), stream.on(new Event.NoneServing(0)));
    assertEquals(
        List.of(new Effect.Choose(Set.of(A.incarnation()))),
        stream.on(new Event.Tick(100 * MS, false, false)));
    assertEquals(
        List.of(new Effect.Fail(503, "engine 0 was lost")),
        stream.on(new Event.NoneServing(2000 * MS)));
  }

  @Test
  void finishesWhenOnlyTheEndWasLost() {
    RequestStream two = new RequestStream(2, 60_000 * MS);
    two.on(new Event.Accepted(0));
    two.on(new Event.Assigned(0, A));
    two.on(
        new Event.Tokens(
            0, A.incarnation(), 1, 0, TokenIds.of(5, 6), null, -1, List.of(), List.of()));
    assertEquals(
        List.of(new Effect.Finish(FinishReason.LENGTH, -1)),
        two.on(new Event.EngineGone(0, A.incarnation())));
  }

  @Test
  void abortsWhenTheClientLeaves() {
    running(A);
    assertEquals(List.of(new Effect.Abort(A, 1)), stream.on(new Event.Closed()));
    assertEquals(List.of(), stream.on(new Event.Closed()));
    assertTrue(stream.ended());
  }

  @Test
  void movesOnWhenTheEngineGivesUp() {
    running(A);
    assertEquals(
        List.of(deliver(5), new Effect.Choose(Set.of(A.incarnation()))),
        tokens(A, 1, 0, FinishReason.ERROR, 5));
  }

  @Test
  void endsWhatAPauseAborted() {
    running(A);
    assertEquals(
        List.of(deliver(5), new Effect.Finish(FinishReason.ABORT, -1)),
        tokens(A, 1, 0, FinishReason.ABORT, 5));
  }

  @Test
  void movesWhatHasNotBegunAtMostThreeTimesAndCountsNoFailure() {
    running(A);
    Target from = A;
    for (int attempt = 1; attempt <= 3; attempt++) {
      Target to = from.equals(A) ? B : A;
      assertEquals(
          List.of(
              new Effect.Move(from, to),
              new Effect.Abort(from, attempt),
              new Effect.Submit(to, attempt + 1, TokenIds.EMPTY)),
          stream.on(new Event.Offered(0, from.incarnation(), attempt, to)));
      assertEquals(
          List.of(),
          stream.on(new Event.Offered(0, from.incarnation(), attempt, to)),
          "an offer that comes again is over");
      from = to;
    }
    assertEquals(
        List.of(new Effect.Decline(from, 4)),
        stream.on(new Event.Offered(0, from.incarnation(), 4, A)));
    assertEquals(
        List.of(new Effect.Choose(Set.of(from.incarnation()))),
        stream.on(new Event.EngineGone(0, from.incarnation())),
        "the first failure");
  }
}
