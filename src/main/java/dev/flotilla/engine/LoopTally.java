package dev.flotilla.engine;

import dev.flotilla.protocol.LockstepLoad;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.scheduler.Backlog;
import dev.flotilla.scheduler.Counters;
import dev.flotilla.scheduler.Scheduler;
import org.jspecify.annotations.Nullable;

/** Counts what the step loop has taken and done, for its snapshots. Used by who has the turn. */
final class LoopTally {
  private long version;
  private long submits;
  private long tokens;
  private double squares;
  private long steps;
  private long lastStepNanos;

  /** A submit was taken out of the inbox. */
  void took(ToEngine.Submit submit) {
    submits++;
    int count = Inbox.tokens(submit);
    tokens += count;
    squares += (double) count * count;
  }

  /** A step is over. */
  void stepped(long nowNanos) {
    lastStepNanos = nowNanos;
    steps++;
  }

  /**
   * The loop's state now.
   *
   * @param intact false: a broken loop holds nothing any more, whatever its scheduler still says
   */
  Snapshot snapshot(
      Scheduler scheduler,
      boolean intact,
      boolean stepping,
      StepMeter meter,
      long wave,
      @Nullable LockstepLoad lockstep) {
    Counters counters = intact ? scheduler.counters() : Counters.NONE;
    Backlog backlog = intact ? Backlog.of(scheduler) : Backlog.NONE;
    long now = System.nanoTime();
    return new Snapshot(
        ++version,
        counters,
        scheduler.totals(),
        submits,
        tokens,
        steps,
        stepping,
        lastStepNanos,
        squares,
        meter.work(backlog, now),
        now,
        wave,
        lockstep);
  }
}
