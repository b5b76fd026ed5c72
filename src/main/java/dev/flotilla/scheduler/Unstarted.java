package dev.flotilla.scheduler;

import dev.flotilla.protocol.ToEngine;
import java.util.ArrayList;
import java.util.List;

/**
 * A waiting request of which nothing was ever computed here, so that it can go elsewhere.
 *
 * @param submit as it came
 * @param cachedTokens of its tokens, those that the prefix cache holds now
 */
public record Unstarted(ToEngine.Submit submit, int cachedTokens) {

  /** Those of a scheduler, the last to run first. */
  public static List<Unstarted> of(Scheduler scheduler) {
    List<Unstarted> all = new ArrayList<>();
    for (Sequence sequence : scheduler.waiting()) {
      if (sequence.untouched()) {
        all.add(new Unstarted(sequence.submit, scheduler.cache.heldTokens(sequence)));
      }
    }
    return all.reversed();
  }
}
