package dev.flotilla.scheduler;

import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.ToEngine;
import java.util.ArrayList;
import java.util.List;

/** A waiting request of which nothing was ever computed here, so that it can go elsewhere. */
public final class Unstarted {
  private final Waiting waiting;
  private final Sequence sequence;
  private final int cachedTokens;

  private Unstarted(Waiting waiting, Sequence sequence, int cachedTokens) {
    this.waiting = waiting;
    this.sequence = sequence;
    this.cachedTokens = cachedTokens;
  }

  /** Those of a scheduler that are not held, the last to run first. */
  public static List<Unstarted> of(Scheduler scheduler) {
    List<Unstarted> all = new ArrayList<>();
    Waiting waiting = scheduler.waiting();
    for (Sequence sequence : waiting) {
      if (sequence.untouched() && !waiting.held(sequence)) {
        all.add(new Unstarted(waiting, sequence, scheduler.cache.heldTokens(sequence)));
      }
    }
    return all.reversed();
  }

  /** Lets an attempt that is held start again; no effect on others. */
  public static void release(Scheduler scheduler, RequestId request, int attempt) {
    scheduler.waiting().release(request, attempt);
  }

  /** As it came. */
  public ToEngine.Submit submit() {
    return sequence.submit;
  }

  /** Of its tokens, those that the prefix cache held when this was made. */
  public int cachedTokens() {
    return cachedTokens;
  }

  /** Whether it was held once. */
  public boolean offered() {
    return sequence.offered;
  }

  /**
   * Keeps it from starting for so long, unless it is released or aborted before; it waits like
   * others meanwhile, and has its old place afterwards.
   */
  public void hold(long nanos) {
    waiting.hold(sequence, nanos);
  }
}
