package dev.flotilla.coordinator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.Scenario;
import dev.flotilla.coordinator.Pausing.Effect;
import dev.flotilla.coordinator.Pausing.Event;
import dev.flotilla.coordinator.Pausing.Outcome;
import dev.flotilla.coordinator.Pausing.State;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.PauseMode;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PausingTest {
  private static final long MS = 1_000_000;
  private static final NodeId NODE = new NodeId("n");
  private static final Term TERM = new Term(3, NODE);
  private static final long FIRST = (3L << 32) + 1;

  private Pausing pausing = Pausing.start(TERM, null, 0);
  private long nowMs = 10_000; // Long after the start, unless a test says otherwise.
  private final List<Effect> effects = new ArrayList<>();

  private void on(Event event) {
    Pausing.Step step = pausing.on(event);
    pausing = step.next();
    effects.addAll(step.effects());
  }

  private static ClusterView.Engine engine(int rank) {
    return new ClusterView.Engine(
        new Rank(rank),
        new Incarnation("i" + rank),
        new Epoch(3, 1),
        EngineState.READY,
        NODE,
        false,
        false,
        null,
        null);
  }

  private void members(int... ranks) {
    on(new Event.Seen(nowMs * MS, IntStream.of(ranks).mapToObj(PausingTest::engine).toList()));
  }

  private void pause(long call, PauseMode mode) {
    on(new Event.Pause(nowMs * MS, call, mode, true, 5_000));
  }

  private void resume(long call) {
    on(new Event.Resume(nowMs * MS, call, 5_000));
  }

  private void told(int rank, long number, PauseMode mode, boolean resting) {
    tell(
        new ToCoordinator.Paused(
            new Rank(rank), new Incarnation("i" + rank), number, mode, resting));
  }

  private void goesOn(int rank, long number) {
    tell(new ToCoordinator.Paused(new Rank(rank), new Incarnation("i" + rank), number, null, true));
  }

  private void tell(ToCoordinator.Paused level) {
    on(new Event.Told(nowMs * MS, level));
  }

  private void pass(long ms) {
    nowMs += ms;
    on(new Event.Tick(nowMs * MS));
  }

  /** What was ordered since this was asked last, with the ranks' incarnations. */
  private List<String> orders() {
    List<String> all = new ArrayList<>();
    for (Effect effect : effects) {
      if (effect instanceof Effect.Send(var to, var order)) {
        String what = order instanceof ToEngine.Pause pause ? pause.mode().apiName() : "resume";
        all.add(to.name().replaceAll(".*\\.", "") + " " + what + " " + order.number());
      }
    }
    effects.removeIf(Effect.Send.class::isInstance);
    return all;
  }

  private List<Outcome> answers(long call) {
    return effects.stream()
        .filter(e -> e instanceof Effect.Answer a && a.call() == call)
        .map(e -> ((Effect.Answer) e).outcome())
        .toList();
  }

  /** Two ranks, paused by call 1. */
  private void paused(PauseMode mode) {
    members(0, 1);
    pause(1, mode);
    told(0, FIRST, mode, true);
    told(1, FIRST, mode, true);
    assertEquals(State.PAUSED, pausing.state());
    effects.clear();
  }

  @Test
  void aPauseIsAnsweredWhenAllHaveObeyedAndNothingRunsAnywhere() {
    members(0, 1);
    pause(1, PauseMode.WAIT);
    String number = " wait " + FIRST;
    assertEquals(List.of("i0" + number, "i1" + number), orders());
    assertTrue(pausing.paused());
    told(0, FIRST, PauseMode.WAIT, true);
    assertEquals(List.of(), answers(1));
    told(1, FIRST, PauseMode.WAIT, false);
    assertEquals(List.of(new Rank(1)), pausing.missing());
    assertEquals(List.of(), answers(1), "rank 1 still runs");
    told(1, FIRST, PauseMode.WAIT, true);
    assertEquals(List.of(new Outcome.Done(State.PAUSED)), answers(1));
    pass(10_000);
    assertEquals(List.of(), orders(), "nothing is repeated to those that have obeyed");
  }

  @Test
  void whatIsLostIsOrderedAgain_onlyToThoseThatHaveNotObeyed() {
    members(0, 1);
    pause(1, PauseMode.KEEP);
    orders();
    told(0, FIRST, PauseMode.KEEP, true);
    pass(199);
    assertEquals(List.of(), orders());
    pass(1);
    assertEquals(List.of("i1 keep " + FIRST), orders());
  }

  @Test
  @Scenario("A42")
  void aResumeWhileAPauseIsMadeIsRefused_andOneOfWhatRunsChangesNothing() {
    members(0);
    resume(1);
    assertEquals(List.of(new Outcome.Done(State.RUNNING)), answers(1));
    pause(2, PauseMode.KEEP);
    resume(3);
    assertEquals(List.of(new Outcome.Busy(State.PAUSING)), answers(3));
    assertEquals(409, answers(3).getFirst().code());
    told(0, FIRST, PauseMode.KEEP, true);
    resume(4);
    pause(5, PauseMode.KEEP);
    assertEquals(List.of(new Outcome.Busy(State.RESUMING)), answers(5));
    goesOn(0, FIRST + 1);
    assertEquals(List.of(new Outcome.Done(State.RUNNING)), answers(4));
    effects.clear();
    resume(6);
    assertEquals(List.of(new Outcome.Done(State.RUNNING)), answers(6));
    assertEquals(List.of(), orders(), "resume twice is no order");
    assertFalse(pausing.paused());
  }

  @Test
  void aSecondPauseJoinsTheFirst_andChangesNothingOnceThatIsInForce() {
    members(0);
    pause(1, PauseMode.ABORT);
    pause(2, PauseMode.ABORT);
    assertEquals(List.of("i0 abort " + FIRST), orders());
    told(0, FIRST, PauseMode.ABORT, true);
    assertEquals(List.of(new Outcome.Done(State.PAUSED)), answers(1));
    assertEquals(List.of(new Outcome.Done(State.PAUSED)), answers(2));
    pause(3, PauseMode.ABORT);
    assertEquals(List.of(new Outcome.Done(State.PAUSED)), answers(3));
    assertEquals(List.of(), orders(), "what is queued now is not aborted");
  }

  @Test
  void anotherModeTakesThePlaceOfTheOneThatTakesTooLong() {
    members(0);
    pause(1, PauseMode.WAIT);
    told(0, FIRST, PauseMode.WAIT, false);
    orders();
    pause(2, PauseMode.ABORT);
    assertEquals(List.of("i0 abort " + (FIRST + 1)), orders());
    told(0, FIRST + 1, PauseMode.ABORT, true);
    assertEquals(List.of(new Outcome.Done(State.PAUSED)), answers(1));
    assertEquals(List.of(new Outcome.Done(State.PAUSED)), answers(2));
  }

  @Test
  void aPauseThatIsNotCompleteInTimeNamesWhoIsMissingAndIsUndone() {
    members(0, 1, 2);
    pause(1, PauseMode.ABORT);
    told(0, FIRST, PauseMode.ABORT, true);
    told(1, FIRST, PauseMode.ABORT, false);
    pass(5_000);
    Outcome.Overdue late = assertInstanceOf(Outcome.Overdue.class, answers(1).getFirst());
    assertEquals(new Outcome.Overdue(State.PAUSING, 1, List.of(new Rank(2)), 5_000), late);
    assertEquals(504, late.code());
    assertEquals("after 5000 ms rank 2 did not obey; the pause is undone", late.sentence());
    assertTrue(orders().contains("i0 resume " + (FIRST + 1)));
    goesOn(0, FIRST + 1);
    goesOn(1, FIRST + 1);
    assertEquals(State.RESUMING, pausing.state(), "rank 2 may have heard of the pause");
    goesOn(2, FIRST + 1);
    assertEquals(State.RUNNING, pausing.state());
  }

  @Test
  void aRankThatStillRunsIsNamedInTheSecondPhase() {
    members(0, 1);
    pause(1, PauseMode.WAIT);
    told(0, FIRST, PauseMode.WAIT, true);
    told(1, FIRST, PauseMode.WAIT, false);
    pass(5_000);
    assertEquals(
        List.of(new Outcome.Overdue(State.PAUSING, 2, List.of(new Rank(1)), 5_000)), answers(1));
  }

  @Test
  void aResumeThatARankDoesNotHearEnds_andTheRankIsToldWhenItIsHeard() {
    paused(PauseMode.KEEP);
    resume(2);
    goesOn(0, FIRST + 1);
    pass(5_000);
    Outcome late = answers(2).getFirst();
    assertEquals(new Outcome.Overdue(State.RESUMING, 1, List.of(new Rank(1)), 5_000), late);
    members(0);
    orders();
    members(0, 1); // It stood still, and is back.
    told(1, FIRST, PauseMode.KEEP, true);
    assertEquals(List.of("i1 resume " + (FIRST + 1)), orders());
  }

  @Test
  void aRankThatDiesWhileAPauseIsMadeIsNotWaitedFor() {
    members(0, 1);
    pause(1, PauseMode.WAIT);
    told(0, FIRST, PauseMode.WAIT, true);
    members(0);
    assertEquals(List.of(new Outcome.Done(State.PAUSED)), answers(1));
  }

  @Test
  void whoComesWhileAPauseIsInForceIsFrozen_andGetsNoWorkBefore() {
    paused(PauseMode.ABORT);
    members(0, 1, 2);
    assertEquals(List.of("i2 keep " + FIRST), orders());
    ClusterView view = new ClusterView(TERM, 1, 3, pausing.engines());
    assertEquals(EngineState.CONNECTED, pausing.shown(view).engines().get(2).state());
    assertEquals(EngineState.READY, pausing.shown(view).engines().get(1).state());
    assertTrue(pausing.shown(view).paused());
    told(2, FIRST, PauseMode.KEEP, true);
    assertEquals(EngineState.READY, pausing.shown(view).engines().get(2).state());
    assertEquals(State.PAUSED, pausing.state());
    resume(2);
    assertEquals(3, orders().size());
  }

  @Test
  void aNewCoordinatorKnowsFromTheRanksThatTheyArePaused() {
    Term next = TERM.next(NODE);
    for (Boolean seen : new Boolean[] {null, true}) {
      pausing = Pausing.start(next, seen, 0);
      nowMs = 0;
      effects.clear();
      members(0, 1);
      told(0, FIRST, PauseMode.KEEP, true);
      told(1, FIRST, PauseMode.KEEP, true);
      assertEquals(State.RUNNING, pausing.state(), "it listens first");
      pass(600);
      assertTrue(pausing.paused());
      pass(1_400);
      assertEquals(State.PAUSED, pausing.state());
      assertEquals(List.of(), orders(), "nobody needs to be told anything");
      resume(1);
      assertEquals(
          2, orders().stream().filter(o -> o.endsWith(" resume " + ((4L << 32) + 1))).count());
    }
  }

  @Test
  void aNewCoordinatorCompletesWhatReachedOnlySome() {
    pausing = Pausing.start(TERM.next(NODE), true, 0);
    nowMs = 0;
    members(0, 1, 2);
    told(0, FIRST, PauseMode.WAIT, true);
    pass(600);
    String number = " wait " + FIRST;
    assertEquals(List.of("i1" + number, "i2" + number), orders());
    goesOn(2, FIRST + 1); // The resume after it was under way.
    assertEquals(State.RESUMING, pausing.state());
    pass(200);
    String back = " resume " + (FIRST + 1);
    assertTrue(orders().containsAll(List.of("i0" + back, "i1" + back)));
    goesOn(0, FIRST + 1);
    goesOn(1, FIRST + 1);
    pass(2_000);
    assertEquals(State.RUNNING, pausing.state());
    assertFalse(pausing.paused());
  }

  @Test
  void aRankThatStoodStillSinceAnEarlierPauseIsResumedAndPausesNobody() {
    pausing = Pausing.start(TERM.next(NODE), false, 0);
    nowMs = 700;
    members(0, 1);
    told(1, FIRST, PauseMode.KEEP, true);
    assertEquals(State.RUNNING, pausing.state());
    assertEquals(List.of("i1 resume " + ((4L << 32) + 1)), orders());
    assertFalse(pausing.paused());
  }

  @Test
  void aPauseOfANewCoordinatorIsAnsweredOnlyWhenItsMembersCanBeKnown() {
    pausing = Pausing.start(TERM, null, 0);
    nowMs = 0;
    pause(1, PauseMode.KEEP);
    pass(100);
    assertEquals(List.of(), answers(1), "nobody has said Hello yet");
    members(0);
    told(0, FIRST, PauseMode.KEEP, true);
    pass(2_000);
    assertEquals(List.of(new Outcome.Done(State.PAUSED)), answers(1));
  }
}
