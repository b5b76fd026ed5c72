package dev.flotilla.coordinator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.config.Balancing;
import dev.flotilla.coordinator.Membership.Effect;
import dev.flotilla.coordinator.Membership.Event;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.DataParallel;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Handshake and reports: one test per row of the table "Membership" in {@code protocol.md}. */
class MembershipTest extends MembershipScript {
  private static ToCoordinator.Hello helloAfter(String incarnation, Epoch highest, Term seen) {
    return new ToCoordinator.Hello(
        inc(incarnation), new Rank(0), NODE, true, false, "", highest, seen, null);
  }

  @Test
  void givesInitWithAFreshEpochToAHello() {
    tell(new ToCoordinator.FrontendHello(new FrontendId("f"), NODE));
    tell(hello("a", 2));
    assertEquals(
        new ToEngine.Init(
            new Rank(2),
            inc("a"),
            new Epoch(1, 1),
            TERM,
            DataParallel.ofSize(4),
            null,
            List.of(new FrontendId("f"))),
        only(ToEngine.Init.class));
    assertEquals(Addresses.candidate(inc("a")), to());
    assertTrue(changed());
    assertEquals(EngineState.CONNECTED, shown(2).state());
    tell(hello("b", 0));
    assertEquals(new Epoch(1, 2), only(ToEngine.Init.class).epoch());
  }

  @Test
  void initSaysWhetherTheEngineJoinsOthersThatServe() {
    ready(0, "a");
    tell(hello("b", 1));
    assertTrue(only(ToEngine.Init.class).joins(), "another one serves");
    tell(hello("a", 0));
    assertFalse(only(ToEngine.Init.class).joins(), "nobody serves but itself");
  }

  @Test
  void answersARepeatedHelloAlike() {
    tell(hello("a", 2));
    ToEngine.Init first = only(ToEngine.Init.class);
    tell(hello("a", 2));
    assertEquals(first, only(ToEngine.Init.class));
    assertFalse(changed());
    tell(hello("a", null));
    assertEquals(first, only(ToEngine.Init.class));
  }

  @Test
  void aHelloWithoutRankGetsTheLowestFreeOne() {
    tell(hello("a", 1));
    tell(hello("b", null));
    assertEquals(new Rank(0), only(ToEngine.Init.class).rank());
    tell(hello("c", null));
    assertEquals(new Rank(2), only(ToEngine.Init.class).rank());
    tell(hello("d", null));
    tell(hello("e", null));
    assertTrue(only(ToEngine.Refused.class).reason().contains("all 4 ranks are taken"));
  }

  @Test
  void refusesARankOutOfRange() {
    tell(hello("a", 4));
    assertEquals(
        "rank 4 is not one of 0 to 3, since data-parallel-size is 4 here",
        only(ToEngine.Refused.class).reason());
    assertEquals(Addresses.candidate(inc("a")), to());
    assertTrue(gone(3));
  }

  @Test
  void refusesAnotherConfigurationHashWhereRanksStepTogether() {
    Expected lockstep = new Expected(Balancing.INTERNAL, null, true, null, null);
    membership =
        Membership.start(
            new Membership.Limits(4, 1_500 * MS, 8_000 * MS, 600 * MS, lockstep), TERM, -600 * MS);
    tell(new ToCoordinator.Hello(inc("a"), new Rank(0), NODE, true, false, "y", Epoch.NONE));
    tell(new ToCoordinator.Hello(inc("b"), new Rank(1), NODE, true, false, "x", Epoch.NONE));
    assertTrue(
        only(ToEngine.Refused.class)
            .reason()
            .contains("configuration hash 'x', but the group's is 'y'"));
  }

  @Test
  void refusesASecondIncarnationOnceTheHolderShowsThatItLives() {
    ready(0, "a");
    tell(hello("b", 0));
    assertEquals(TERM, only(ToEngine.WhoIsThere.class).term());
    assertEquals(Addresses.engine(new Rank(0), inc("a")), to());
    now += 250 * MS;
    tell(load(0, "a", new Epoch(1, 1), 1));
    now += 250 * MS;
    tell(hello("b", 0));
    assertTrue(only(ToEngine.Refused.class).reason().startsWith("rank 0 is held by engine 0 (a"));
    assertEquals(inc("a"), shown(0).incarnation());
  }

  @Test
  void aDeadHolderNeverTurnsItsSuccessorAway() {
    ready(0, "a");
    for (int i = 0; i < 20; i++) {
      tell(hello("b", 0));
      assertTrue(effects.stream().noneMatch(e -> e.toString().contains("Refused")));
      if (shown(0).incarnation().equals(inc("b"))) {
        return;
      }
      passMs(500);
    }
    throw new AssertionError("the successor was never admitted: " + membership);
  }

  @Test
  void readyUnderTheGivenEpochIsWelcomed() {
    tell(hello("a", 0));
    tell(new ToCoordinator.Ready(new Rank(0), inc("a"), new Epoch(1, 1), FACTS, null));
    assertEquals(new ToEngine.Welcome(inc("a"), new Epoch(1, 1)), only(ToEngine.Welcome.class));
    assertEquals(Addresses.engine(new Rank(0), inc("a")), to());
    assertTrue(changed());
    assertTrue(shown(0).serving());
    assertEquals(FACTS, shown(0).facts());
    tell(new ToCoordinator.Ready(new Rank(0), inc("a"), new Epoch(1, 1), FACTS, null));
    only(ToEngine.Welcome.class);
    assertFalse(changed());
  }

  @Test
  void rejectsReadyBeforeInit() {
    tell(new ToCoordinator.Ready(new Rank(0), inc("a"), new Epoch(1, 1), FACTS, null));
    only(ToEngine.WhoIsThere.class);
    assertTrue(gone(0));
  }

  @Test
  void readyUnderAnOldEpochGetsTheInitThatItMissed() {
    tell(hello("a", 0, new Epoch(3, 1)));
    assertEquals(new Epoch(4, 1), only(ToEngine.Init.class).epoch());
    tell(new ToCoordinator.Ready(new Rank(0), inc("a"), new Epoch(3, 1), FACTS, null));
    assertEquals(new Epoch(4, 1), only(ToEngine.Init.class).epoch());
    assertEquals(EngineState.CONNECTED, shown(0).state());
  }

  @Test
  void keepsTheNewestReportAlone() {
    ready(0, "a");
    tell(load(0, "a", new Epoch(1, 1), 5));
    assertTrue(changed());
    tell(load(0, "a", new Epoch(1, 1), 4));
    assertFalse(changed());
    LoadReport kept = shown(0).load();
    assertEquals(5, kept == null ? -1 : kept.sequence());
  }

  @Test
  void asksAnUnknownReporterWhoItIs() {
    tell(load(1, "a", new Epoch(1, 1), 5));
    assertEquals(TERM, only(ToEngine.WhoIsThere.class).term());
    assertEquals(Addresses.engine(new Rank(1), inc("a")), to());
  }

  @Test
  void goesAboveEveryEpochThatItIsToldAndRenewsAll() {
    ready(0, "a");
    tell(hello("b", 1, new Epoch(6, 3)));
    assertEquals(new Term(7, NODE), membership.term());
    assertTrue(effects.contains(new Effect.AskAll(membership.term())));
    assertEquals(new Epoch(7, 2), only(ToEngine.Init.class).epoch());
    assertEquals(EngineState.CONNECTED, shown(0).state());
    // The others are told when they say which rank they hold.
    tell(load(0, "a", new Epoch(1, 1), 1));
    assertEquals(new Epoch(7, 1), only(ToEngine.Init.class).epoch());
  }

  @Test
  void anEpochOfItsOwnTermThatItDidNotGiveRaisesTheTerm() {
    ready(0, "a");
    tell(hello("b", 1, new Epoch(1, 1)));
    assertEquals(new Epoch(2, 2), only(ToEngine.Init.class).epoch());
  }

  @Test
  void goesAboveALeaderOfTheSameNumberThatSomebodyFollows() {
    ready(0, "a");
    Term other = new Term(1, new NodeId("another"));
    tell(new ToCoordinator.FrontendHello(new FrontendId("f"), NODE, other));
    assertEquals(new Term(2, NODE), membership.term());
    assertEquals(new Epoch(2, 1), shown(0).epoch());
    // An engine may have been given the very same epoch by the other.
    tell(helloAfter("a", new Epoch(2, 1), new Term(2, new NodeId("another"))));
    assertEquals(new Epoch(3, 1), only(ToEngine.Init.class).epoch());
  }

  @Test
  void whoFollowsThisLeaderOrAnEarlierOneChangesNothing() {
    ready(0, "a");
    tell(new ToCoordinator.FrontendHello(new FrontendId("f"), NODE));
    for (Term seen : List.of(TERM, Term.NONE, new Term(Integer.MAX_VALUE, NODE))) {
      tell(new ToCoordinator.FrontendHello(new FrontendId("f"), NODE, seen));
      assertEquals(List.of(), effects);
    }
    assertEquals(TERM, membership.term());
  }

  @Test
  void asksAConnectedRankEverySecondUntilItIsReady() {
    tell(hello("a", 0));
    passMs(1_000);
    assertEquals(TERM, only(ToEngine.WhoIsThere.class).term());
  }

  @Test
  void aKnownIncarnationMayClaimTheRankThatAnotherCoordinatorGaveIt() {
    tell(hello("a", null));
    tell(hello("a", 3, new Epoch(5, 1)));
    assertEquals(new Rank(3), only(ToEngine.Init.class).rank());
    assertTrue(gone(0));
  }

  @Test
  void refusesAnEpochWithoutSuccessor() {
    tell(hello("a", 0, new Epoch(Integer.MAX_VALUE, 1)));
    assertTrue(only(ToEngine.Refused.class).reason().contains("no successor"));
  }

  @Test
  void stepsDownForAHigherTermAlone() {
    on(new Event.Claimed(TERM));
    assertEquals(List.of(), effects);
    on(new Event.Claimed(new Term(1, new NodeId("m")))); // A lower node.
    assertEquals(List.of(), effects);
    on(new Event.Claimed(new Term(1, new NodeId("o"))));
    assertEquals(
        List.of(new Effect.StepDown("another coordinator leads term 1@o, this one term 1@n")),
        effects);
  }

  @Test
  void listensForHoldersBeforeItAdmitsNewcomers() {
    membership = Membership.start(membership.limits(), TERM, 0);
    tell(hello("new", null));
    assertEquals(List.of(), effects);
    tell(hello("old", 0, new Epoch(1, 3)));
    assertEquals(new Rank(0), only(ToEngine.Init.class).rank());
    now += 600 * MS;
    tell(hello("new", null));
    assertEquals(new Rank(1), only(ToEngine.Init.class).rank());
  }
}
