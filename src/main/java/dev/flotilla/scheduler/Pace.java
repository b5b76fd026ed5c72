package dev.flotilla.scheduler;

import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.PauseMode;
import dev.flotilla.protocol.ToFrontend;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a scheduler goes on with. New requests are queued at every pace; those whose pace is over
 * keep their place.
 *
 * <p>Source: the pause states of vLLM v1's scheduler (unpaused, new ones paused, all paused); there
 * a request that is preempted while new ones are paused is not taken up again, here it is, since it
 * has begun.
 */
public enum Pace {
  /** Everything. */
  ALL,
  /** What has begun, so that it ends; nothing begins. */
  BEGUN,
  /** Nothing. */
  NOTHING;

  /**
   * Sets the pace that a pause asks for; not while a batch is under way.
   *
   * @param mode null: no pause
   * @return the ends of the requests that it ended
   */
  public static List<ToFrontend.Delta> set(Scheduler scheduler, @Nullable PauseMode mode) {
    Pace pace = mode == null ? ALL : mode == PauseMode.KEEP ? NOTHING : BEGUN;
    scheduler.waiting().pace(pace);
    return mode == PauseMode.ABORT ? scheduler.abortAll(FinishReason.ABORT) : List.of();
  }
}
