package dev.flotilla.scheduler;

/** Takes a batch back that came to nothing, through no fault of its own. */
public final class Recall {
  private Recall() {}

  /**
   * The batch under way, if there is one, was not computed: the next step computes the same tokens
   * again, and whatever has come meanwhile. What was aborted meanwhile is over.
   */
  public static void from(Scheduler scheduler) {
    boolean anyEnded = scheduler.flight.aborted() > 0;
    for (Sequence sequence : scheduler.flight.sequences()) {
      if (sequence.ended()) {
        scheduler.release(sequence);
      }
    }
    scheduler.flight.land();
    if (anyEnded) {
      scheduler.running().removeIf(Sequence::ended);
    }
  }
}
