package dev.flotilla.balancer;

import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Machine;
import java.util.Optional;
import java.util.Set;

/**
 * Chooses the engine with the fewest outstanding tokens: prompt tokens queued there, our own sends
 * that it has not acknowledged, and a tenth of the tokens that it holds and will decode over. Ties
 * go round. Used by one thread.
 */
public final class Balancer implements Machine {
  /** A held token costs a decode step about a tenth of what a prompt token costs a prefill. */
  private static final double RESIDENT_WEIGHT = 0.1;

  private int next;

  /** Ties start at the given rank. */
  public Balancer(int start) {
    this.next = start;
  }

  /**
   * A decision.
   *
   * @param score outstanding tokens, the request's own included
   */
  public record Choice(ClusterView.Engine engine, double score) {}

  /**
   * The engine for a request.
   *
   * @param excluded engines not to be chosen, for example those that just failed it
   * @return empty when no engine serves
   */
  public Optional<Choice> choose(
      ClusterView view, Ledger ledger, int promptTokens, Set<Incarnation> excluded) {
    int count = view.engines().size();
    ClusterView.Engine best = null;
    double bestScore = Double.POSITIVE_INFINITY;
    for (int i = 0; i < count; i++) {
      ClusterView.Engine engine = view.engines().get(Math.floorMod(next + i, count));
      if (!engine.serving() || excluded.contains(engine.incarnation())) {
        continue;
      }
      double score = promptTokens + outstanding(engine, ledger);
      if (score < bestScore) {
        bestScore = score;
        best = engine;
      }
    }
    if (best == null) {
      return Optional.empty();
    }
    next = Math.floorMod(next + 1, count);
    return Optional.of(new Choice(best, bestScore));
  }

  private static double outstanding(ClusterView.Engine engine, Ledger ledger) {
    LoadReport direct = ledger.freshest(engine.incarnation()).orElse(null);
    LoadReport published = engine.load();
    LoadReport load =
        direct == null || (published != null && published.sequence() > direct.sequence())
            ? published
            : direct;
    double reported =
        load == null ? 0 : load.queuedTokens() + RESIDENT_WEIGHT * load.residentTokens();
    return reported + ledger.unacknowledgedTokens(engine.incarnation());
  }
}
