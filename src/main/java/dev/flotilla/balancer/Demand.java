package dev.flotilla.balancer;

import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineFacts;
import dev.flotilla.protocol.EngineWork;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.StepCost;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What waits and runs on some engines, as one client knows it, and how fast that goes away: by the
 * engines' newest reports, the client's own sends that these do not acknowledge yet, and the step
 * costs that each engine has fitted to its own steps.
 *
 * @param requests that wait or run
 * @param promptTokens that are still to be computed
 * @param tokensPerMs prompt tokens that the engines compute beside what decodes
 * @param requestsPerMs requests that end
 */
public record Demand(int requests, long promptTokens, double tokensPerMs, double requestsPerMs) {

  /** Of these engines. */
  public static Demand of(List<ClusterView.Engine> engines, Ledger ledger) {
    int requests = 0;
    long tokens = 0;
    double tokenRate = 0;
    double requestRate = 0;
    for (ClusterView.Engine engine : engines) {
      Account account = ledger.account(engine.incarnation());
      LoadReport report = account.report() == null ? engine.load() : account.report();
      int here = account.unacknowledged();
      tokens += account.sentTokens();
      if (report != null) {
        here += report.waiting() + report.running();
        tokens += report.queuedTokens();
      }
      EngineFacts facts = engine.facts();
      if (facts != null && engine.serving()) {
        Rates rates = Rates.of(facts, report, here, ledger.meanOutputs());
        tokenRate += rates.tokens();
        requestRate += rates.requests();
      }
      requests += here;
    }
    return new Demand(requests, tokens, tokenRate, requestRate);
  }

  /** Milliseconds until so many prompt tokens less wait; 0 if nothing is known to compute them. */
  public double msForTokens(double less) {
    return tokensPerMs > 0 ? less / tokensPerMs : 0;
  }

  /** Milliseconds until so many requests less are under way; 0 if none is known to end. */
  public double msForRequests(double less) {
    return requestsPerMs > 0 ? less / requestsPerMs : 0;
  }

  /** Of one engine, per millisecond. */
  private record Rates(double tokens, double requests) {
    static Rates of(
        EngineFacts facts, @Nullable LoadReport report, int requests, double meanOutputs) {
      EngineWork work = report == null ? null : report.work();
      StepCost cost = work == null ? StepCost.DEFAULT : work.cost();
      int decoding = work == null ? 0 : work.decoding();
      double step = cost.decodeStep(decoding, work == null ? 0 : (double) work.decodeContext());
      double budget = facts.maxNumBatchedTokens();
      double room = Math.max(budget - decoding, budget / 4);
      double whole = Math.max(1e-6, step + cost.prefill(0, room));
      int running = report == null ? 0 : report.running();
      double batch = Math.min(running > 0 ? running : requests, facts.maxNumSeqs());
      return new Rates(room / whole, batch / Math.max(1e-6, meanOutputs * step));
    }
  }
}
