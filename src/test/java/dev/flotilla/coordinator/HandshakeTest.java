package dev.flotilla.coordinator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.Scenario;
import dev.flotilla.config.Balancing;
import dev.flotilla.coordinator.Membership.Effect;
import dev.flotilla.protocol.DataParallel;
import dev.flotilla.protocol.EngineFacts;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FleetFacts;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * The handshake of a launch that knows whom it expects where: what is right goes through, what is
 * wrong is refused by itself, with its type and its sentence.
 */
class HandshakeTest extends MembershipScript {
  private static final NodeId HEAD = new NodeId("head");
  private static final NodeId AWAY = new NodeId("away");
  private static final String HASH = "c0ffee";

  private void expect(Balancing balancing, int size, int local, boolean lockstep) {
    Expected expected = new Expected(balancing, local, lockstep, lockstep ? HASH : null, HEAD);
    membership =
        Membership.start(
            new Membership.Limits(size, 1_500 * MS, 8_000 * MS, 600 * MS, expected),
            TERM,
            -600 * MS);
  }

  private void hello(int rank, boolean local, boolean headless, String hash) {
    tell(
        new ToCoordinator.Hello(
            inc("e" + rank),
            new Rank(rank),
            local ? HEAD : AWAY,
            local,
            headless,
            hash,
            Epoch.NONE));
  }

  private static EngineFacts facts(int blocks, int length, String hash) {
    return new EngineFacts("m", "scripted", blocks, 16, length, 256, 2048, "0", 2, hash);
  }

  private void ready(int rank, EngineFacts facts, @Nullable NodeId coordinator) {
    Epoch epoch = Objects.requireNonNull(membership.members().of(new Rank(rank))).epoch();
    tell(new ToCoordinator.Ready(new Rank(rank), inc("e" + rank), epoch, facts, coordinator));
  }

  private Rejection rejected() {
    return effects.stream()
        .filter(Effect.Rejected.class::isInstance)
        .map(e -> ((Effect.Rejected) e).why())
        .findFirst()
        .orElseThrow(() -> new AssertionError("nothing was rejected: " + effects));
  }

  private void assertRefused(Rejection why) {
    assertEquals(why, rejected());
    assertEquals(why.sentence(), only(ToEngine.Refused.class).reason());
  }

  @Test
  @Scenario("A1")
  void twoLocalEnginesBecomeReady() {
    expect(Balancing.INTERNAL, 2, 2, false);
    for (int rank = 0; rank < 2; rank++) {
      hello(rank, true, false, "");
      assertEquals(EngineState.CONNECTED, shown(rank).state());
      assertEquals(
          new DataParallel(2, Balancing.INTERNAL, false), only(ToEngine.Init.class).parallel());
      assertEquals(HEAD, only(ToEngine.Init.class).coordinator());
    }
    for (int rank = 0; rank < 2; rank++) {
      ready(rank, facts(10, 100, ""), HEAD);
      only(ToEngine.Welcome.class);
      assertEquals(EngineState.READY, shown(rank).state());
    }
  }

  @Test
  @Scenario("A2")
  void anUnexpectedRankIsNamedAndHarmsNobodyElse() {
    expect(Balancing.INTERNAL, 2, 2, false);
    hello(0, true, false, "");
    hello(5, true, false, "");
    assertRefused(new Rejection.UnexpectedRank(new Rank(5), 2));
    assertTrue(rejected().sentence().contains("rank 5"));
    ready(0, facts(10, 100, ""), HEAD);
    assertEquals(EngineState.READY, shown(0).state());
  }

  @Test
  @Scenario("A3")
  void anEngineOfTheWrongPlaceIsNamedWithItsRankAndStatus() {
    expect(Balancing.INTERNAL, 2, 1, false);
    hello(1, true, true, "");
    assertRefused(new Rejection.WrongPlace(new Rank(1), "Hello", true));
    assertTrue(rejected().sentence().startsWith("Hello of rank 1 says that it is local"));
    assertTrue(gone(1));
    hello(0, false, true, "");
    assertRefused(new Rejection.WrongPlace(new Rank(0), "Hello", false));
  }

  @Test
  @Scenario("A4")
  void underInternalBalancingARemoteEngineMustBeHeadless() {
    expect(Balancing.INTERNAL, 2, 1, false);
    hello(1, false, false, "");
    assertRefused(new Rejection.WrongMode(new Rank(1), Balancing.INTERNAL));
    assertTrue(rejected().sentence().contains("with --headless"));
    hello(1, false, true, "");
    only(ToEngine.Init.class);
  }

  @Test
  @Scenario("A5")
  void underHybridOrExternalBalancingARemoteEngineMustNotBeHeadless() {
    for (Balancing balancing : List.of(Balancing.HYBRID, Balancing.EXTERNAL)) {
      expect(balancing, 2, 1, false);
      hello(1, false, true, "");
      assertRefused(new Rejection.WrongMode(new Rank(1), balancing));
      assertTrue(rejected().sentence().contains("without --headless"));
      hello(1, false, false, "");
      only(ToEngine.Init.class);
    }
  }

  @Test
  @Scenario("A7")
  void readyBeforeHelloIsAWrongState() {
    expect(Balancing.INTERNAL, 2, 2, false);
    tell(
        new ToCoordinator.Ready(new Rank(0), inc("e0"), new Epoch(1, 1), facts(10, 100, ""), HEAD));
    assertEquals(new Rejection.WrongState(new Rank(0), "Ready", EngineState.NEW), rejected());
    only(ToEngine.WhoIsThere.class);
    assertTrue(gone(0));
  }

  @Test
  @Scenario("A8")
  void ranksThatStepTogetherMustHaveTheGroupsConfigurationHash() {
    for (String wrong : List.of("beef", "")) {
      expect(Balancing.INTERNAL, 2, 2, true);
      hello(0, true, false, wrong);
      assertRefused(new Rejection.OtherConfiguration(new Rank(0), "Hello", HASH, wrong));

      hello(0, true, false, HASH);
      hello(1, true, false, HASH);
      ready(1, facts(10, 100, wrong), HEAD);
      assertRefused(new Rejection.OtherConfiguration(new Rank(1), "Ready", HASH, wrong));
      assertTrue(rejected().sentence().contains(HASH));
      assertTrue(rejected().sentence().contains(wrong.isEmpty() ? "none" : wrong));
      assertTrue(gone(1));
      assertEquals(EngineState.CONNECTED, shown(0).state());
    }
  }

  @Test
  @Scenario("A8")
  void denseRanksMayDiffer() {
    expect(Balancing.INTERNAL, 2, 2, false);
    hello(0, true, false, "a");
    hello(1, true, false, "b");
    ready(0, facts(10, 100, "a"), HEAD);
    ready(1, facts(10, 100, ""), HEAD);
    assertTrue(shown(0).serving() && shown(1).serving());
  }

  @Test
  @Scenario("A17")
  void theCoordinatorIsToldAndRelayedAndASecondOneRefused() {
    expect(Balancing.EXTERNAL, 2, 1, false);
    hello(0, true, false, "");
    hello(1, false, false, "");
    assertEquals(HEAD, only(ToEngine.Init.class).coordinator());
    ready(1, facts(10, 100, ""), HEAD);
    assertTrue(shown(1).serving());
    ready(0, facts(10, 100, ""), AWAY);
    assertEquals(new Rejection.OtherCoordinator(new Rank(0), HEAD, AWAY), rejected());
    assertEquals(EngineState.CONNECTED, shown(0).state());
    // Asked again, the engine says Hello, gets this coordinator's Init and follows it.
    only(ToEngine.WhoIsThere.class);
  }

  @Test
  @Scenario("A18")
  void ranksThatStepTogetherBecomeReadyOnlyWhenAllAreHere() {
    expect(Balancing.INTERNAL, 4, 4, true);
    for (int rank = 0; rank < 3; rank++) {
      hello(rank, true, false, HASH);
    }
    for (int rank = 0; rank < 3; rank++) {
      ready(rank, facts(10, 100, HASH), HEAD);
      assertEquals(EngineState.CONNECTED, shown(rank).state());
    }
    hello(3, true, false, HASH);
    for (int rank = 0; rank < 4; rank++) {
      ready(rank, facts(10, 100, HASH), HEAD);
      assertEquals(EngineState.READY, shown(rank).state());
    }
  }

  @Test
  @Scenario("A25")
  void underExternalBalancingNoCountsArePublished() {
    for (Balancing balancing : Balancing.values()) {
      expect(balancing, 2, 2, false);
      hello(0, true, false, "");
      ready(0, facts(10, 100, ""), HEAD);
      Epoch epoch = shown(0).epoch();
      tell(load(0, "e0", epoch, 1));
      assertEquals(balancing == Balancing.EXTERNAL, shown(0).load() == null);
    }
  }

  @Test
  void blocksAreSummedAndTheShortestSequenceCounts() {
    expect(Balancing.INTERNAL, 3, 3, false);
    assertTrue(FleetFacts.of(membership.view(1).engines()).longest().isEmpty());
    for (int rank = 0; rank < 3; rank++) {
      hello(rank, true, false, "");
    }
    ready(0, facts(10, 4096, ""), HEAD);
    ready(1, facts(30, 2048, ""), HEAD);
    FleetFacts all = FleetFacts.of(membership.view(1).engines());
    assertEquals(new FleetFacts(2, 40, 2048, 160, 4), all);
  }

  @Test
  void aRepeatedHelloGetsTheSameAnswerAndASecondIncarnationWaitsForTheFirst() {
    expect(Balancing.INTERNAL, 2, 2, false);
    hello(0, true, false, "");
    ToEngine.Init first = only(ToEngine.Init.class);
    hello(0, true, false, "");
    assertEquals(first, only(ToEngine.Init.class));
    tell(new ToCoordinator.Hello(inc("x"), new Rank(0), HEAD, true, false, "", Epoch.NONE));
    only(ToEngine.WhoIsThere.class);
    now += 100 * MS;
    tell(load(0, "e0", first.epoch(), 1));
    tell(new ToCoordinator.Hello(inc("x"), new Rank(0), HEAD, true, false, "", Epoch.NONE));
    assertTrue(rejected() instanceof Rejection.RankHeld);
  }

  @Test
  void anEngineWithoutRankLeavesTheHeadsRanksToTheHead() {
    expect(Balancing.INTERNAL, 3, 1, false);
    tell(new ToCoordinator.Hello(inc("a"), null, AWAY, false, true, "", Epoch.NONE));
    assertEquals(new Rank(1), only(ToEngine.Init.class).rank());
    tell(new ToCoordinator.Hello(inc("b"), null, HEAD, true, false, "", Epoch.NONE));
    assertEquals(new Rank(0), only(ToEngine.Init.class).rank());
    // What a coordinator gave is no claim: the engine may say Hello with it again.
    tell(new ToCoordinator.Hello(inc("a"), new Rank(1), AWAY, true, false, "", new Epoch(1, 1)));
    assertEquals(new Rank(1), only(ToEngine.Init.class).rank());
    assertNull(shown(1).facts());
  }
}
