package dev.flotilla.config;

import org.jspecify.annotations.Nullable;

/**
 * How much may be under way before a front-end answers 429, over all ranks that it may choose and
 * whichever front-end sent it: what vLLM's flags of these names bound. Each front-end goes by the
 * engines' reports and its own sends, so that a burst over several may go beyond a limit by what
 * their reports have not told each other yet.
 *
 * @param maxNumQueuedReqs requests that wait or run, each of {@code n} counted; null: no limit
 * @param maxNumQueuedTokens prompt tokens that are still to be computed; null: no limit
 */
public record QueueLimits(@Nullable Integer maxNumQueuedReqs, @Nullable Long maxNumQueuedTokens) {

  /** No limits. */
  public static final QueueLimits NONE = new QueueLimits(null, null);

  /** Checks every bound. */
  public QueueLimits {
    Check.that(
        maxNumQueuedReqs == null || (maxNumQueuedReqs >= 1 && maxNumQueuedReqs <= 1_000_000),
        "max-num-queued-reqs must be 1 to 1000000, not %s",
        maxNumQueuedReqs);
    Check.that(
        maxNumQueuedTokens == null || maxNumQueuedTokens >= 1,
        "max-num-queued-tokens must be at least 1, not %s",
        maxNumQueuedTokens);
  }
}
