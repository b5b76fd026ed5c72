package dev.flotilla.engine;

import dev.flotilla.balancer.StepCostFit;
import dev.flotilla.balancer.StepWork;
import dev.flotilla.model.Batch;
import dev.flotilla.protocol.EngineWork;
import dev.flotilla.protocol.Machine;
import dev.flotilla.protocol.StepCost;
import dev.flotilla.scheduler.Backlog;

/**
 * Learns from a rank's own steps what steps cost, and tells its backlog as time. Used by the thread
 * that steps.
 */
public final class StepMeter implements Machine {
  private final StepCostFit fit = new StepCostFit(StepCost.DEFAULT);
  private StepWork flying = StepWork.NONE;
  private long startedNanos;
  private double expectedMs;

  /** A step begins. */
  public void start(Batch batch, long nowNanos) {
    flying = workOf(batch);
    startedNanos = nowNanos;
    expectedMs = fit.predict(flying);
  }

  /**
   * It has ended.
   *
   * @param waitedNanos of it, the time in which this rank only waited for others of its lockstep
   *     group: counted in, it would make every rank's cost that of the slowest, and nothing that a
   *     rank is given would seem to cost anything
   */
  public void end(long nowNanos, long waitedNanos) {
    fit.add(flying, (nowNanos - startedNanos - waitedNanos) / 1e6);
    flying = StepWork.NONE;
    expectedMs = 0;
  }

  /** It came to nothing. */
  public void drop() {
    flying = StepWork.NONE;
    expectedMs = 0;
  }

  /** What steps cost. */
  public StepCost cost() {
    return fit.cost();
  }

  /** The backlog as time. What the step under way computes counts in the time to its end. */
  public EngineWork work(Backlog backlog, long nowNanos) {
    StepCost cost = fit.cost();
    double queued =
        cost.prefillOfSums(
            (double) (backlog.prefillTokens() - flying.prefillTokens()),
            backlog.prefillSquares() - 2 * flying.prefillContext());
    double left = expectedMs - (nowNanos - startedNanos) / 1e6;
    return new EngineWork(
        (float) Math.max(0, queued),
        backlog.decoding(),
        backlog.decodeContext(),
        backlog.kvQueued(),
        (float) Math.max(0, left),
        cost);
  }

  /** What a batch computes. */
  public static StepWork workOf(Batch batch) {
    long prefill = 0;
    double context = 0;
    int decoding = 0;
    long resident = 0;
    for (Batch.Item item : batch.items()) {
      int count = item.tokens().size();
      if (count == 1 && item.start() > 0) {
        decoding++;
        resident += item.start() + 1;
      } else {
        prefill += count;
        context += (double) count * (item.start() + count / 2.0);
      }
    }
    return new StepWork(prefill, context, decoding, resident);
  }
}
