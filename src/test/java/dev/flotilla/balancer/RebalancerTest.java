package dev.flotilla.balancer;

import static dev.flotilla.balancer.FleetOf.MS;
import static dev.flotilla.balancer.FleetOf.OWNER;
import static dev.flotilla.balancer.FleetOf.report;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.StepCost;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** When never-started requests move, and which. */
class RebalancerTest {
  private final Ledger ledger = new Ledger(OWNER);
  private final Rebalancer rebalancer = new Rebalancer(ledger, 0.5);
  private final ClusterView view = FleetOf.idle(3);

  private Optional<HandOver> hear(int rank, long sequence, int waiting, double queuedMs, long now) {
    ledger.report(report(rank, sequence, waiting, 1, queuedMs, 0), now);
    return rebalancer.look(view, new Rank(rank), now);
  }

  @Test
  void aBusyRankHandsOverToTheIdlestWhicheverOfThemReports() {
    assertTrue(hear(0, 1, 0, 0, 0).isEmpty());
    assertTrue(hear(1, 1, 0, 40, 0).isEmpty());
    HandOver order = hear(2, 1, 5, 500, 0).orElseThrow();
    assertEquals(new Rank(2), order.from());
    assertEquals(new Rank(0), order.to());
    assertTrue(order.gapMs() > 450 && order.gapMs() < 550, order::toString);
    assertTrue(hear(2, 2, 5, 500, MS / 10).isEmpty(), "the first order is under way");
    HandOver second = hear(0, 2, 0, 0, 20 * MS).orElseThrow();
    assertEquals(new Rank(2), second.from());
    assertEquals(new Rank(0), second.to());
  }

  @Test
  void aSmallGapIsNotWorthAMove() {
    hear(0, 1, 0, 0, 0);
    assertTrue(hear(1, 1, 2, 11, 0).isEmpty());
    assertTrue(hear(1, 2, 2, 15, 0).isPresent());
  }

  @Test
  void whoHasNothingWaitingHandsNothingOver() {
    hear(0, 1, 0, 0, 0);
    assertTrue(hear(1, 1, 0, 900, 0).isEmpty());
  }

  @Test
  void silentSuspectAndFullRanksGetNothing() {
    ClusterView suspect =
        FleetOf.view(
            2, e -> e.rank().value() == 0 ? FleetOf.engine(0, EngineState.READY, true, null) : e);
    ledger.report(report(0, 1, 0, 0, 0, 0), 0);
    ledger.report(report(1, 1, 5, 5, 900, 0), 0);
    assertTrue(rebalancer.look(suspect, new Rank(1), 0).isEmpty());
    assertTrue(rebalancer.look(FleetOf.idle(2), new Rank(1), 5000 * MS).isEmpty());
    ledger.report(report(0, 2, 0, 256, 0, 0), 6000 * MS);
    ledger.report(report(1, 2, 5, 5, 9000, 0), 6000 * MS);
    assertTrue(rebalancer.look(FleetOf.idle(2), new Rank(1), 6000 * MS).isEmpty());
  }

  private static HandOver order(double gapMs, long kvRoom, int slots) {
    return new HandOver(
        new Rank(0),
        FleetOf.incarnation(0),
        new Rank(1),
        FleetOf.incarnation(1),
        gapMs,
        StepCost.DEFAULT,
        kvRoom,
        slots);
  }

  private static HandOver.Movable movable(int tokens) {
    return new HandOver.Movable(tokens, 0, 0);
  }

  @Test
  void theTailMovesAsFarAsItWouldBeSoonerThere() {
    // 1,000 tokens take about 30 ms on either side: two moves close a gap of 130 ms.
    List<HandOver.Movable> tail = List.of(movable(1000), movable(1000), movable(1000));
    assertEquals(List.of(0, 1), order(130, 100_000, 100).pick(tail, StepCost.DEFAULT));
    assertEquals(List.of(), order(20, 100_000, 100).pick(tail, StepCost.DEFAULT));
  }

  @Test
  void aPromptThatIsTooLongStaysAndShorterOnesBeforeItMayStillGo() {
    List<HandOver.Movable> tail = List.of(movable(20_000), movable(300));
    assertEquals(List.of(), order(130, 100_000, 100).pick(tail, StepCost.DEFAULT));
    assertEquals(List.of(1), order(1000, 10_000, 100).pick(tail, StepCost.DEFAULT));
  }

  @Test
  void aPrefixThatIsCachedHereIsPaidForThere() {
    List<HandOver.Movable> tail = List.of(new HandOver.Movable(10_000, 9_900, 0));
    assertEquals(List.of(), order(200, 100_000, 100).pick(tail, StepCost.DEFAULT));
    assertEquals(List.of(0), order(400, 100_000, 100).pick(tail, StepCost.DEFAULT));
  }

  @Test
  void limitsHold() {
    List<HandOver.Movable> tail = java.util.Collections.nCopies(100, movable(10));
    assertEquals(HandOver.MOST, order(10_000, 100_000, 100).pick(tail, StepCost.DEFAULT).size());
    assertEquals(3, order(10_000, 100_000, 3).pick(tail, StepCost.DEFAULT).size());
    assertEquals(2, order(10_000, 29, 100).pick(tail, StepCost.DEFAULT).size());
    List<HandOver.Movable> moved =
        List.of(new HandOver.Movable(10, 0, HandOver.MOVES_MAX), movable(10));
    assertEquals(List.of(1), order(10_000, 100_000, 100).pick(moved, StepCost.DEFAULT));
  }
}
