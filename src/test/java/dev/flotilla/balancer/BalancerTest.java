package dev.flotilla.balancer;

import static dev.flotilla.balancer.FleetOf.MS;
import static dev.flotilla.balancer.FleetOf.OWNER;
import static dev.flotilla.balancer.FleetOf.incarnation;
import static dev.flotilla.balancer.FleetOf.report;
import static dev.flotilla.balancer.FleetOf.with;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.config.LoadBalancing;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.StepCost;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rules of all policies, and those of each. */
class BalancerTest {
  private final Ledger ledger = new Ledger(OWNER);

  private Balancer balancer(LoadBalancing policy) {
    return new Balancer(policy, Client.ALONE, ledger);
  }

  private int choose(Balancer balancer, ClusterView view, Query query, long now) {
    return balancer.choose(view, query, now).orElseThrow().engine().rank().value();
  }

  private int place(Balancer balancer, ClusterView view, int tokens, long now) {
    Balancer.Choice choice = balancer.choose(view, Query.of(tokens), now).orElseThrow();
    ledger.send(choice.engine().incarnation(), tokens, choice.cachedTokens());
    return choice.engine().rank().value();
  }

  @ParameterizedTest
  @EnumSource
  void neverChoosesWhoIsDownSuspectExcludedOrElsewhere(LoadBalancing policy) {
    ClusterView view =
        FleetOf.view(
            6,
            e ->
                switch (e.rank().value()) {
                  case 0 -> FleetOf.engine(0, EngineState.CONNECTED, false, null);
                  case 1 -> FleetOf.engine(1, EngineState.READY, true, null);
                  case 2 -> FleetOf.engine(2, EngineState.DEAD, false, null);
                  default -> e;
                });
    Balancer balancer = new Balancer(policy, Client.ALONE, ledger, rank -> rank.value() != 4);
    Query query = new Query(10, PrefixChain.NONE, Set.of(incarnation(3)), null);
    for (int i = 0; i < 20; i++) {
      assertEquals(5, choose(balancer, view, query, i));
    }
    Query alsoFive = new Query(10, PrefixChain.NONE, Set.of(incarnation(3), incarnation(5)), null);
    assertTrue(balancer.choose(view, alsoFive, 0).isEmpty());
  }

  /** A53. */
  @ParameterizedTest
  @EnumSource
  void anExplicitRankIsChosenHoweverBusyOrNotAtAll(LoadBalancing policy) {
    ClusterView view =
        FleetOf.view(3, e -> e.rank().value() == 1 ? with(e, report(1, 1, 90, 256, 9000, 0)) : e);
    ledger.take(view, 0);
    Query second = new Query(10, PrefixChain.NONE, Set.of(), new Rank(1));
    assertEquals(1, choose(balancer(policy), view, second, MS));
    Query down = new Query(10, PrefixChain.NONE, Set.of(incarnation(1)), new Rank(1));
    assertTrue(balancer(policy).choose(view, down, MS).isEmpty());
  }

  /** A48. */
  @ParameterizedTest
  @EnumSource
  void fortyEqualRequestsGoTenToEachOfFourEngines(LoadBalancing policy) {
    ClusterView view = FleetOf.idle(4);
    Balancer balancer = balancer(policy);
    int[] counts = new int[4];
    for (int i = 0; i < 40; i++) {
      counts[place(balancer, view, 100, i)]++;
    }
    for (int count : counts) {
      assertEquals(10, count, 1);
    }
  }

  /** A50. */
  @ParameterizedTest
  @EnumSource
  void fourFrontendsStartAtFourEngines(LoadBalancing policy) {
    ClusterView view = FleetOf.idle(4);
    Set<Integer> chosen = new HashSet<>();
    for (int i = 0; i < 4; i++) {
      Balancer balancer = new Balancer(policy, new Client(i, 4), new Ledger(OWNER));
      chosen.add(choose(balancer, view, Query.of(10), 0));
    }
    assertEquals(Set.of(0, 1, 2, 3), chosen);
  }

  @ParameterizedTest
  @EnumSource
  void explainsItsChoice(LoadBalancing policy) {
    ClusterView view =
        FleetOf.view(
            3,
            e ->
                e.rank().value() == 2
                    ? FleetOf.engine(2, EngineState.READY, true, null)
                    : with(e, report(e.rank().value(), 1, 1, 2, 50 * e.rank().value(), 0)));
    ledger.take(view, 0);
    Balancer balancer = balancer(policy);
    int chosen = choose(balancer, view, Query.of(100), MS);
    Decision why = balancer.explain(view, Query.of(100), new Rank(chosen), MS);
    assertEquals(policy.flag(), why.policy());
    assertEquals(3, why.candidates().size());
    assertEquals("suspect", why.candidates().get(2).leftOut());
    assertTrue(why.toString().contains("2: suspect"), why.toString());
  }

  @Test
  void classicCountsWaitingFourTimesAndForgetsItsBumpsWithTheNextView() {
    ClusterView first =
        FleetOf.view(
            2, e -> with(e, report(e.rank().value(), 1, e.rank().value() == 0 ? 1 : 0, 3, 0, 0)));
    Balancer balancer = new Balancer(LoadBalancing.VLLM_CLASSIC, new Client(0, 2), ledger);
    ledger.take(first, 0);
    List<Integer> chosen = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      chosen.add(place(balancer, first, 10, MS)); // scores 7:3, 7:11, 15:11
    }
    assertEquals(List.of(1, 0, 1), chosen);
    ClusterView second =
        FleetOf.view(
            2, e -> with(e, report(e.rank().value(), 2, 0, e.rank().value() == 0 ? 2 : 9, 0, 0)));
    ledger.take(second, 100 * MS);
    assertEquals(0, place(balancer, second, 10, 100 * MS));
  }

  @Test
  void vllmNeverTakesLessThanItsOwnInFlightAndPricesAFullCache() {
    ClusterView view =
        FleetOf.view(
            2,
            e ->
                with(
                    e,
                    FleetOf.report(
                        e.rank().value(),
                        1,
                        2,
                        e.rank().value() == 0 ? 0 : 1,
                        e.rank().value() == 0 ? 1000 : 0,
                        0,
                        dev.flotilla.protocol.EngineWork.guessed(0, 0, 0))));
    ledger.take(view, 0);
    Balancer balancer = new Balancer(LoadBalancing.VLLM, Client.ALONE, ledger);
    // Rank 0: 2 + 2 * 6 * 0.5 = 8; rank 1: 3.
    Decision why = balancer.explain(view, Query.of(10), new Rank(1), 0);
    assertEquals(8, why.candidates().get(0).estimate().score(), 1e-9);
    assertEquals(3, why.candidates().get(1).estimate().score(), 1e-9);
    for (int i = 0; i < 9; i++) {
      ledger.send(incarnation(1), 10);
    }
    assertEquals(0, choose(balancer, view, Query.of(10), 0));
  }

  @Test
  void flotillaPricesTokensNotRequests() {
    ledger.report(report(0, 1, 1, 1, 1800, 0), 0); // one prompt of 60,000 tokens
    ledger.report(report(1, 1, 20, 1, 30, 0), 0); // twenty of 50
    assertEquals(1, choose(balancer(LoadBalancing.FLOTILLA), FleetOf.idle(2), Query.of(100), MS));
  }

  @Test
  void flotillaPricesASlowEngineByItsOwnSteps() {
    StepCost slow = StepCost.DEFAULT.times(3);
    ledger.report(report(0, 1, 0, 1, 0, 0, slow), 0);
    ledger.report(report(1, 1, 0, 1, 60, 0), 0);
    Balancer balancer = balancer(LoadBalancing.FLOTILLA);
    assertEquals(1, choose(balancer, FleetOf.idle(2), Query.of(4000), MS));
    assertEquals(0, choose(balancer, FleetOf.idle(2), Query.of(10), MS));
  }

  /** Noise in steps of short prompts makes one coefficient 0; the prompt still fits in one step. */
  @Test
  void anEngineWhosePromptsSeemFreeButForTheirContextIsNotLeftOut() {
    StepCost odd = new StepCost(6, 0, 0.03 / 40_000, 0.03, 0.00002);
    ledger.report(report(0, 1, 0, 0, 0, 0, odd), 0);
    ledger.report(report(1, 1, 1, 1, 100, 0), 0);
    assertEquals(0, choose(balancer(LoadBalancing.FLOTILLA), FleetOf.idle(2), Query.of(32), MS));
  }

  @Test
  void aNewReportNeverErasesASendThatItDoesNotAcknowledge() {
    ClusterView view = FleetOf.idle(2);
    Balancer balancer = balancer(LoadBalancing.FLOTILLA);
    long first = ledger.send(incarnation(0), 5000);
    ledger.send(incarnation(0), 5000);
    ledger.report(report(0, 5, 1, 0, 150, first), MS);
    ledger.report(report(1, 5, 1, 0, 200, 0), MS);
    assertEquals(5000, ledger.unacknowledgedTokens(incarnation(0)));
    assertEquals(1, choose(balancer, view, Query.of(100), MS));
    ledger.report(report(0, 6, 0, 0, 0, first + 1), 2 * MS);
    assertEquals(0, ledger.unacknowledgedTokens(incarnation(0)));
    assertEquals(0, choose(balancer, view, Query.of(100), 2 * MS));
  }

  @Test
  void anOlderReportIsDropped() {
    assertTrue(ledger.report(report(0, 5, 0, 0, 0, 0), MS));
    assertTrue(!ledger.report(report(0, 4, 9, 9, 900, 0), 2 * MS));
    assertEquals(5, ledger.freshest(incarnation(0)).orElseThrow().sequence());
  }

  @Test
  void aHitIsWorthThePrefillThatItSaves() {
    Balancer balancer = balancer(LoadBalancing.FLOTILLA);
    long[] hashes = {11, 12, 13, 14};
    for (int i = 0; i < hashes.length; i++) {
      balancer.prefixes().added(incarnation(1), i + 1, hashes[i]);
    }
    PrefixChain chain = PrefixChain.of(512, hashes);
    Query query = new Query(2100, chain, Set.of(), null);
    double saved = StepCost.DEFAULT.prefill(0, 2048);
    ledger.report(report(0, 1, 0, 1, 0, 0), 0);
    ledger.report(report(1, 1, 1, 1, saved - 10, 0), 0);
    Balancer.Choice near = balancer.choose(FleetOf.idle(2), query, MS).orElseThrow();
    assertEquals(1, near.engine().rank().value());
    assertEquals(2048, near.cachedTokens());
    ledger.report(report(1, 2, 1, 1, saved + 10, 0), 0);
    assertEquals(0, choose(balancer, FleetOf.idle(2), query, MS));
  }

  /** A55. */
  @Test
  void aConversationKeepsItsEngineWhenLoadsTie() {
    Balancer balancer = balancer(LoadBalancing.FLOTILLA);
    balancer.prefixes().added(incarnation(2), 1, 77);
    Query query = new Query(40, PrefixChain.of(16, 77), Set.of(), null);
    for (int i = 0; i < 10; i++) {
      assertEquals(2, choose(balancer, FleetOf.idle(4), query, i));
    }
  }

  @Test
  void anEngineWithoutRoomForThePromptCostsTheWaitForIt() {
    ledger.report(
        FleetOf.report(0, 1, 0, 8, 990, 0, dev.flotilla.protocol.EngineWork.guessed(8, 0, 0)), 0);
    ledger.report(report(1, 1, 1, 8, 60, 0), 0);
    assertEquals(1, choose(balancer(LoadBalancing.FLOTILLA), FleetOf.idle(2), Query.of(4000), MS));
  }

  @Test
  void aSilentEngineIsLeftOutUntilAllAreSilent() {
    Balancer balancer = balancer(LoadBalancing.FLOTILLA);
    ledger.report(report(0, 1, 0, 0, 0, 0), 0);
    ledger.report(report(1, 1, 3, 3, 300, 0), 1500 * MS);
    for (int i = 0; i < 5; i++) {
      assertEquals(1, choose(balancer, FleetOf.idle(2), Query.of(10), 1600 * MS));
    }
    ledger.send(incarnation(1), 10);
    assertEquals(0, choose(balancer, FleetOf.idle(2), Query.of(10), 4000 * MS));
  }

  @Test
  void aViewThatRepeatsAReportConfirmsIt() {
    Balancer balancer = balancer(LoadBalancing.FLOTILLA);
    ClusterView view =
        FleetOf.view(2, e -> with(e, report(e.rank().value(), 1, 1, 1, 100 * e.rank().value(), 0)));
    ledger.take(view, 0);
    ledger.take(view, 3000 * MS);
    for (int i = 0; i < 5; i++) {
      assertEquals(0, choose(balancer, view, Query.of(10), 3001 * MS));
    }
  }

  @Test
  void withStaleReportsAndManyArrivalsNotEverybodyTakesTheSameBest() {
    Balancer balancer = new Balancer(LoadBalancing.FLOTILLA, new Client(0, 4), ledger);
    ClusterView view = FleetOf.idle(8);
    for (int rank = 0; rank < 8; rank++) {
      ledger.report(report(rank, 1, 5, 5, 1000 + 100 * rank, 0), 0);
    }
    Set<Integer> chosen = new HashSet<>();
    for (int i = 0; i < 100; i++) {
      chosen.add(choose(balancer, view, Query.of(10), (100 + i) * MS));
    }
    assertTrue(chosen.size() >= 4, chosen::toString);
  }
}
