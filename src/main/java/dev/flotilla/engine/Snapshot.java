package dev.flotilla.engine;

import dev.flotilla.protocol.EngineTotals;
import dev.flotilla.protocol.EngineWork;
import dev.flotilla.protocol.LockstepLoad;
import dev.flotilla.scheduler.Counters;
import org.jspecify.annotations.Nullable;

/**
 * What the step loop tells its port about itself, at every step's start and end.
 *
 * @param version rises by one with each
 * @param counters the scheduler's
 * @param totals the scheduler's
 * @param takenSubmits submits ever taken out of the inbox; the port knows how many it put in
 * @param takenTokens their prompt and delivered tokens
 * @param steps ever completed
 * @param stepping whether one is under way
 * @param lastStepNanos when the last one ended; meaningless before the first
 * @param takenSquares the sum of the squares of the taken submits' tokens, for their attention
 * @param work the scheduler's backlog as time
 * @param workNanos when that was
 * @param wave completed ones; 0 in an engine that steps alone
 * @param lockstep null in an engine that steps alone
 */
public record Snapshot(
    long version,
    Counters counters,
    EngineTotals totals,
    long takenSubmits,
    long takenTokens,
    long steps,
    boolean stepping,
    long lastStepNanos,
    double takenSquares,
    EngineWork work,
    long workNanos,
    long wave,
    @Nullable LockstepLoad lockstep) {

  static final Snapshot NONE =
      new Snapshot(
          0,
          Counters.NONE,
          EngineTotals.NONE,
          0,
          0,
          0,
          false,
          0,
          0,
          EngineWork.guessed(0, 0, 0),
          0,
          0,
          null);
}
