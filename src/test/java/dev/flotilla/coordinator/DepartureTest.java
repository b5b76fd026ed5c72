package dev.flotilla.coordinator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.Scenario;
import dev.flotilla.coordinator.Membership.Event;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Silence and goodbyes: the other rows of the table "Membership" in {@code protocol.md}. */
class DepartureTest extends MembershipScript {
  @Test
  @Scenario("A60")
  void silenceMakesSuspectThenGone() {
    ready(0, "a");
    passMs(1_500);
    assertTrue(shown(0).serving());
    passMs(100);
    assertTrue(changed());
    assertTrue(shown(0).suspect());
    tell(load(0, "a", new Epoch(1, 1), 1));
    assertTrue(shown(0).serving());
    passMs(8_000);
    assertFalse(gone(0));
    passMs(100);
    assertTrue(gone(0));
    assertTrue(changed());
  }

  @Test
  void aStandstillOfTheCoordinatorKillsNobody() {
    ready(0, "a");
    tell(new ToCoordinator.FrontendHello(new FrontendId("f"), NODE));
    now += 60_000 * MS;
    on(new Event.Tick(now));
    assertTrue(shown(0).serving());
    assertEquals(List.of(new FrontendId("f")), membership.presence().frontendIds());
  }

  @Test
  void aStandstillGivesNobodyCreditForTheFuture() {
    ready(0, "a");
    now += 60_000 * MS;
    tell(load(0, "a", new Epoch(1, 1), 1));
    on(new Event.Tick(now));
    assertEquals(now, membership.members().all().get(0).heardNanos());
  }

  @Test
  void theSilentMayReturnUnderANewEpoch() {
    ready(0, "a");
    passMs(8_200);
    assertTrue(gone(0));
    tell(load(0, "a", new Epoch(1, 1), 9));
    only(ToEngine.WhoIsThere.class);
    tell(hello("a", 0, new Epoch(1, 1)));
    assertEquals(new Epoch(1, 2), only(ToEngine.Init.class).epoch());
    assertEquals(TERM, membership.term());
  }

  @Test
  void aStandstillIsNoSignOfLifeOfAChallengedHolder() {
    ready(0, "a");
    passMs(100);
    tell(hello("b", 0));
    now += 4_000 * MS;
    on(new Event.Tick(now));
    tell(hello("b", 0));
    now += 1;
    tell(hello("b", 0));
    assertEquals(List.of(), effects);
  }

  @Test
  void theSilentGetTheirFormerRankBack() {
    ready(0, "a");
    tell(hello("b", null));
    assertEquals(new Rank(1), only(ToEngine.Init.class).rank());
    passMs(8_200);
    assertTrue(gone(0) && gone(1));
    tell(hello("b", null));
    assertEquals(new Rank(1), only(ToEngine.Init.class).rank());
  }

  @Test
  void leavingFreesTheRankForGood() {
    ready(0, "a");
    tell(new ToCoordinator.Leaving(new Rank(0), inc("a"), "drained"));
    assertTrue(changed());
    assertTrue(gone(0));
    tell(load(0, "a", new Epoch(1, 1), 9));
    assertEquals(List.of(), effects);
    tell(hello("a", 0, new Epoch(1, 1)));
    assertEquals(List.of(), effects);
    tell(hello("b", 0));
    assertEquals(new Epoch(1, 2), only(ToEngine.Init.class).epoch());
  }

  @Test
  void leavingBeforeHelloCounts() {
    tell(new ToCoordinator.Leaving(new Rank(0), inc("a"), "crashed"));
    tell(hello("a", 0));
    assertTrue(gone(0));
  }

  @Test
  @Scenario("A60")
  void aNodeTakesItsEnginesAndFrontendsAlong() {
    ready(0, "a");
    ready(1, "b");
    tell(
        new ToCoordinator.Hello(
            inc("c"), new Rank(2), new NodeId("other"), true, false, "", Epoch.NONE));
    tell(new ToCoordinator.FrontendHello(new FrontendId("f"), NODE));
    tell(new ToCoordinator.NodeHello(NODE, "h", 2, false));
    tell(new ToCoordinator.NodeLeft(NODE));
    assertTrue(changed());
    assertTrue(gone(0) && gone(1));
    assertFalse(gone(2));
    assertEquals(List.of(), membership.presence().frontendIds());
    assertTrue(membership.presence().nodes().isEmpty());
  }

  @Test
  void forgetsSilentFrontendsAndNodes() {
    tell(new ToCoordinator.FrontendHello(new FrontendId("f"), NODE));
    tell(new ToCoordinator.NodeHello(NODE, "h", 2, false));
    passMs(8_000);
    assertEquals(1, membership.presence().nodes().size());
    passMs(100);
    assertEquals(Presence.NONE, membership.presence());
  }
}
