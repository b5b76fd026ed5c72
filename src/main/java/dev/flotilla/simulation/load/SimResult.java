package dev.flotilla.simulation.load;

import dev.flotilla.config.LoadBalancing;
import dev.flotilla.config.ScriptedConfig;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * What a run showed.
 *
 * @param ttftP50Ms time from a request's arrival to its first token, median
 * @param ttftP99Ms the same, 99th percentile
 * @param waitP99Ms 99th percentile of that time without the request's own undisturbed prefill, the
 *     part that a balancer can change
 * @param tpotP99Ms mean time between the tokens of a request, 99th percentile over requests
 * @param throughputTokensS generated tokens over the time from the first arrival to the last token
 * @param arrivalTokensS those generated until the last arrival, over the time until then: what the
 *     end of the longest answer does not change
 * @param imbalance the mean over time of the fullest engine's requests over the average engine's
 * @param prefixHitShare prompt tokens that came from a prefix cache
 * @param moved hand-overs that a front-end accepted
 * @param completed requests that got all their tokens
 * @param lost all others
 */
public record SimResult(
    LoadBalancing policy,
    double ttftP50Ms,
    double ttftP99Ms,
    double waitP99Ms,
    double tpotP99Ms,
    double throughputTokensS,
    double arrivalTokensS,
    double imbalance,
    double prefixHitShare,
    int moved,
    int completed,
    int lost) {

  static SimResult of(
      SimSettings settings, List<SimRequest> requests, int moved, double imbalance) {
    double[] first = new double[requests.size()];
    double[] waits = new double[requests.size()];
    double[] each = new double[requests.size()];
    int completed = 0;
    int several = 0;
    long tokens = 0;
    long cached = 0;
    long prompts = 0;
    long end = 0;
    for (SimRequest request : requests) {
      tokens += request.stream.count();
      end = Math.max(end, request.lastNanos);
      if (!request.completed) {
        continue;
      }
      first[completed] = (request.firstNanos - request.arrivedNanos) / 1e6;
      waits[completed] = first[completed] - aloneMs(request.arrival, settings.engine());
      completed++;
      cached += request.cachedTokens;
      prompts += request.arrival.input();
      if (request.stream.count() > 1) {
        each[several++] =
            (request.lastNanos - request.firstNanos) / 1e6 / (request.stream.count() - 1);
      }
    }
    double seconds = (end - requests.getFirst().arrivedNanos) / 1e9;
    return new SimResult(
        settings.policy(),
        percentile(first, completed, 0.5),
        percentile(first, completed, 0.99),
        percentile(waits, completed, 0.99),
        percentile(each, several, 0.99),
        seconds > 0 ? tokens / seconds : 0,
        whileTheyArrive(requests),
        imbalance,
        prompts == 0 ? 0 : (double) cached / prompts,
        moved,
        completed,
        requests.size() - completed);
  }

  /** Tokens a second until the last arrival; those of an answer come at even distances. */
  private static double whileTheyArrive(List<SimRequest> requests) {
    long start = requests.getFirst().arrivedNanos;
    long end = requests.getLast().arrivedNanos;
    double tokens = 0;
    for (SimRequest request : requests) {
      double took = Math.max(1, request.lastNanos - request.firstNanos);
      tokens += request.stream.count() * Math.clamp((end - request.firstNanos) / took, 0, 1);
    }
    return end > start ? tokens / ((end - start) / 1e9) : 0;
  }

  /** The median of each figure over runs of one policy, of which there is at least one. */
  public static SimResult median(List<SimResult> runs) {
    return new SimResult(
        runs.getFirst().policy(),
        middle(runs, SimResult::ttftP50Ms),
        middle(runs, SimResult::ttftP99Ms),
        middle(runs, SimResult::waitP99Ms),
        middle(runs, SimResult::tpotP99Ms),
        middle(runs, SimResult::throughputTokensS),
        middle(runs, SimResult::arrivalTokensS),
        middle(runs, SimResult::imbalance),
        middle(runs, SimResult::prefixHitShare),
        (int) middle(runs, SimResult::moved),
        (int) middle(runs, SimResult::completed),
        (int) middle(runs, SimResult::lost));
  }

  /** What the prefill takes in an empty engine of the cost model's speed. */
  private static double aloneMs(Trace.Arrival arrival, SimSettings.EngineModel engine) {
    ScriptedConfig cost = engine.cost();
    double input = arrival.input();
    return Math.ceil(input / engine.maxNumBatchedTokens()) * cost.baseMs()
        + cost.prefillMs() * input * (1 + input / 2 / cost.contextScale());
  }

  private static double middle(List<SimResult> runs, ToDoubleFunction<SimResult> figure) {
    double[] values = runs.stream().mapToDouble(figure).toArray();
    return percentile(values, values.length, 0.5);
  }

  private static double percentile(double[] values, int count, double share) {
    if (count == 0) {
      return 0;
    }
    double[] sorted = Arrays.copyOf(values, count);
    Arrays.sort(sorted);
    double at = share * (count - 1);
    int low = (int) at;
    int high = Math.min(count - 1, low + 1);
    return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
  }
}
