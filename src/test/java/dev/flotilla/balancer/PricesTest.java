package dev.flotilla.balancer;

import static dev.flotilla.balancer.FleetOf.MS;
import static dev.flotilla.balancer.FleetOf.OWNER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.config.LoadBalancing;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineWork;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.StepCost;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Two idle engines, the first dearer than the second: when it gets requests all the same. */
class PricesTest {
  private static final long SECOND = 1000 * MS;
  private static final StepCost QUICK = StepCost.DEFAULT.times(0.01);

  private final Ledger ledger = new Ledger(OWNER);
  private final Balancer balancer =
      new Balancer(LoadBalancing.FLOTILLA, Client.ALONE, ledger, rank -> true);
  private long sequence;

  private void tell(int rank, long steps, long lastStepAgeMs, StepCost cost, long now) {
    LoadReport idle = FleetOf.report(rank, ++sequence, 0, 0, 0, 0, cost);
    ledger.report(
        new LoadReport(
            idle.rank(),
            idle.incarnation(),
            idle.epoch(),
            sequence,
            0,
            0,
            0,
            0,
            0,
            idle.kvBlocks(),
            steps,
            0,
            false,
            lastStepAgeMs,
            List.of(),
            null,
            new EngineWork(0, 0, 0, 0, 0, cost)),
        now);
  }

  @Test
  void aDecisionIsExplainedByThePricesItWasMadeAt() {
    tell(0, 0, -1, StepCost.DEFAULT, 0);
    tell(1, 9, 0, QUICK, 0);
    Balancer.Reasoned first = balancer.reason(FleetOf.idle(2), Query.of(100), MS).orElseThrow();
    double score = first.choice().score();
    for (Decision.Candidate candidate : first.decision().candidates()) {
      assertEquals(score, candidate.estimate().score(), 1e-9, candidate::toString);
    }
  }

  /** How many of ten requests the dear one gets. */
  private int tries(long now) {
    ClusterView view = FleetOf.idle(2);
    int tries = 0;
    for (int i = 0; i < 10; i++) {
      tries += 1 - balancer.choose(view, Query.of(100), now).orElseThrow().engine().rank().value();
    }
    return tries;
  }

  @Test
  void anEngineThatHasNeverSteppedCostsWhatTheOthersDo() {
    tell(0, 0, -1, StepCost.DEFAULT, 0);
    tell(1, 9, 0, QUICK, 0);
    assertEquals(5, tries(MS));
    tell(0, 1, 0, StepCost.DEFAULT, 2 * MS);
    assertEquals(0, tries(3 * MS));
  }

  @Test
  void anEngineThatHasToldNothingCostsWhatTheOthersDo() {
    tell(1, 9, 0, QUICK, 0);
    assertEquals(5, tries(MS));
  }

  @Test
  void anEngineThatWasSlowLongAgoIsTriedAgainTheLaterTheSlowerItWas() {
    long twice = firstTry(2);
    long twenty = firstTry(20);
    assertTrue(twice > 2 && twice < 20, "twice as slow: after " + twice + " s");
    assertTrue(twenty > 40 && twenty < 80, "twenty times as slow: after " + twenty + " s");
  }

  private long firstTry(double times) {
    for (long s = 1; s < 1000; s++) {
      tell(0, 9, s * 1000, StepCost.DEFAULT.times(times), s * SECOND);
      tell(1, 9 + s, 0, StepCost.DEFAULT, s * SECOND);
      if (tries(s * SECOND) > 0) {
        return s;
      }
    }
    return Long.MAX_VALUE;
  }

  @Test
  void whatItsStepsCostNowCountsAtOnce() {
    tell(0, 9, 90_000, StepCost.DEFAULT.times(20), 0);
    tell(1, 9, 0, StepCost.DEFAULT, 0);
    assertEquals(5, tries(MS));
    tell(0, 10, 0, StepCost.DEFAULT.times(20), 2 * MS);
    assertEquals(0, tries(3 * MS));
  }
}
