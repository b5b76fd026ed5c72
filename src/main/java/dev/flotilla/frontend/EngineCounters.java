package dev.flotilla.frontend;

import dev.flotilla.protocol.EngineTotals;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What engines count themselves, added up so that no series falls when a rank is started anew: of
 * each report only what came since the last one of the same incarnation is added. Reports may come
 * several times and over several front-ends. Safe for use by several threads.
 */
final class EngineCounters {
  /** Starts of engines that are remembered; a view shows far fewer. */
  private static final int INCARNATIONS_MAX = 4096;

  private final Map<Incarnation, EngineTotals> last =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Incarnation, EngineTotals> eldest) {
          return size() > INCARNATIONS_MAX;
        }
      };

  private final Map<String, EngineTotals> sums = new TreeMap<>();

  /** Takes a report; one without totals has no effect. */
  synchronized void add(String label, LoadReport report) {
    EngineTotals now = report.totals();
    if (now == null) {
      return;
    }
    EngineTotals before = last.getOrDefault(report.incarnation(), EngineTotals.NONE);
    // Steps only grow, so a report that comes late shows fewer of them, or fewer tokens.
    if (steps(now) < steps(before)
        || now.generationTokens() < before.generationTokens()
        || now.prefixQueries() < before.prefixQueries()) {
      return;
    }
    last.put(report.incarnation(), now);
    sums.merge(label, minus(now, before), EngineCounters::plus);
  }

  /** The sums by label. */
  synchronized Map<String, EngineTotals> sums() {
    return new TreeMap<>(sums);
  }

  private static long steps(EngineTotals totals) {
    return totals.iterationTokens().stream().mapToLong(Long::longValue).sum();
  }

  private static EngineTotals minus(EngineTotals a, EngineTotals b) {
    return combined(a, b, -1);
  }

  private static EngineTotals plus(EngineTotals a, EngineTotals b) {
    return combined(a, b, 1);
  }

  private static EngineTotals combined(EngineTotals a, EngineTotals b, int sign) {
    List<Long> iterations = new ArrayList<>();
    for (int i = 0; i < a.iterationTokens().size(); i++) {
      iterations.add(a.iterationTokens().get(i) + sign * b.iterationTokens().get(i));
    }
    return new EngineTotals(
        a.prefixQueries() + sign * b.prefixQueries(),
        a.prefixHits() + sign * b.prefixHits(),
        a.preemptions() + sign * b.preemptions(),
        a.promptTokens() + sign * b.promptTokens(),
        a.generationTokens() + sign * b.generationTokens(),
        iterations,
        a.iterationTokensSum() + sign * b.iterationTokensSum());
  }
}
