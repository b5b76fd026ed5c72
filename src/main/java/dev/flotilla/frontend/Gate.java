package dev.flotilla.frontend;

import dev.flotilla.balancer.Demand;
import dev.flotilla.config.QueueLimits;
import dev.flotilla.protocol.Machine;

/**
 * Refuses what would make the queues longer than they may be, and says when to come again: when, at
 * the rate at which the engines work, there will be room. Whatever finds nothing under way is let
 * in, so that no request is refused for ever.
 */
final class Gate implements Machine {
  private static final int SECONDS_MAX = 3600;

  private final QueueLimits limits;
  private final Fleet fleet;

  Gate(QueueLimits limits, Fleet fleet) {
    this.limits = limits;
    this.fleet = fleet;
  }

  /**
   * Lets requests in.
   *
   * @param live streams of this front-end, whether an engine has been found for them or not
   * @param requests that come together
   * @param tokens of all their prompts
   * @throws ApiException 429 if there is no room now
   */
  void admit(int live, int requests, long tokens) {
    Integer most = limits.maxNumQueuedReqs();
    Long mostTokens = limits.maxNumQueuedTokens();
    if (most == null && mostTokens == null) {
      return;
    }
    Demand demand = fleet.demand();
    int under = Math.max(demand.requests(), live);
    if (most != null && under > 0 && under + requests > most) {
      throw refusal(
          "%d requests are under way, and --max-num-queued-reqs is %d".formatted(under, most),
          demand.msForRequests((double) under + requests - most));
    }
    long waiting = demand.promptTokens();
    if (mostTokens != null && waiting > 0 && waiting + tokens > mostTokens) {
      throw refusal(
          "%d prompt tokens wait to be computed, this request has %d, and --max-num-queued-tokens is %d"
              .formatted(waiting, tokens, mostTokens),
          demand.msForTokens((double) waiting + tokens - mostTokens));
    }
  }

  /** What an engine with full queues has refused: it will have room when its prompts are done. */
  ApiException full(String sentence) {
    Demand demand = fleet.demand();
    return ApiException.busy(sentence, seconds(demand.msForTokens((double) demand.promptTokens())));
  }

  private static ApiException refusal(String sentence, double waitMs) {
    int seconds = seconds(waitMs);
    return ApiException.busy("%s; try again in %d s".formatted(sentence, seconds), seconds);
  }

  private static int seconds(double waitMs) {
    return (int) Math.clamp(Math.ceil(waitMs / 1000), 1, SECONDS_MAX);
  }
}
