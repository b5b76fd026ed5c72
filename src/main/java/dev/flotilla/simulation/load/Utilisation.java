package dev.flotilla.simulation.load;

import dev.flotilla.config.ScriptedConfig;
import java.util.List;

/**
 * How much of a fleet's capacity a trace asks for in its busiest twentieth.
 *
 * <p>A request's work is its share of the steps of a full engine: its prefill, and for each token
 * that it generates the cost of decoding and its part of a step's base, which it shares with as
 * many others as the batch and the KV cache hold. On the shared traces the sum of it is within 3 %
 * of what a saturated engine without a prefix cache takes for all requests.
 */
public final class Utilisation {
  private static final int WINDOWS = 20;

  private Utilisation() {}

  /** The share, 1 being all of so many engines. */
  public static double of(Trace trace, SimSettings.EngineModel model, double engines) {
    List<Trace.Arrival> requests = trace.requests();
    double together = together(requests, model);
    double window = (requests.getLast().ms() - requests.getFirst().ms()) / WINDOWS;
    if (window <= 0) {
      return Double.POSITIVE_INFINITY;
    }
    double most = 0;
    double within = 0;
    int first = 0;
    for (Trace.Arrival request : requests) {
      within += workMs(request, model.cost(), together);
      while (requests.get(first).ms() < request.ms() - window) {
        within -= workMs(requests.get(first), model.cost(), together);
        first++;
      }
      most = Math.max(most, within);
    }
    return most / window / engines;
  }

  /** The trace, its arrivals stretched or pressed so that they ask for that share. */
  public static Trace scale(
      Trace trace, SimSettings.EngineModel model, double engines, double wanted) {
    double now = of(trace, model, engines);
    return Double.isInfinite(now) ? trace : trace.stretched(now / wanted);
  }

  /** Sequences that a full engine decodes at once. */
  private static double together(List<Trace.Arrival> requests, SimSettings.EngineModel model) {
    double steps = 0;
    double held = 0;
    for (Trace.Arrival request : requests) {
      steps += request.output();
      held += request.output() * context(request);
    }
    return Math.min(model.maxNumSeqs(), Math.max(1, model.kvTokens() / (held / steps)));
  }

  private static double workMs(Trace.Arrival request, ScriptedConfig cost, double together) {
    double input = request.input();
    double prefill = cost.prefillMs() * (input + input * input / 2 / cost.contextScale());
    double token =
        cost.decodeMs() + cost.baseMs() / together + cost.residentMs() * context(request);
    return prefill + request.output() * token;
  }

  private static double context(Trace.Arrival request) {
    return request.input() + request.output() / 2.0;
  }
}
