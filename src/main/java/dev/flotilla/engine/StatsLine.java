package dev.flotilla.engine;

import dev.flotilla.protocol.EngineTotals;
import dev.flotilla.protocol.LoadReport;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The line that vLLM's engines log each ten seconds, from one report to the next: throughputs since
 * the last line, the queues now, and the share of looked-up tokens that the prefix cache held over
 * the last minute of lines. There is a line while something happens, and one after it.
 */
final class StatsLine {
  private static final Logger LOG = LoggerFactory.getLogger(StatsLine.class);

  /** Reports over which the hit rate is taken. */
  private static final int WINDOW = 7;

  private final Deque<EngineTotals> window = new ArrayDeque<>();
  private EngineTotals last = EngineTotals.NONE;
  private long lastNanos;
  private boolean busy;

  /** Of an engine that has done nothing by now. */
  StatsLine(long nowNanos) {
    lastNanos = nowNanos;
  }

  /** Logs the line for a report with totals, if there is one. */
  void log(LoadReport load) {
    next(load, System.nanoTime()).ifPresent(line -> LOG.info("{}", line));
  }

  /** The line for a report with totals; none if nothing happens. */
  Optional<String> next(LoadReport load, long nowNanos) {
    EngineTotals totals = Objects.requireNonNull(load.totals());
    EngineTotals before = last;
    double seconds = Math.max(1e-3, (nowNanos - lastNanos) / 1e9);
    last = totals;
    lastNanos = nowNanos;
    long prompt = totals.promptTokens() - before.promptTokens();
    long generated = totals.generationTokens() - before.generationTokens();
    boolean wasBusy = busy;
    busy = prompt + generated > 0 || load.waiting() + load.running() > 0;
    if (!busy && !wasBusy) {
      window.clear();
      return Optional.empty();
    }
    if (window.isEmpty()) {
      window.add(before);
    }
    window.add(totals);
    if (window.size() > WINDOW) {
      window.removeFirst();
    }
    return Optional.of(
        String.format(
            Locale.ROOT,
            "Engine %03d: Avg prompt throughput: %.1f tokens/s, Avg generation throughput: %.1f tokens/s, Running: %d reqs, Waiting: %d reqs, GPU KV cache usage: %.1f%%, Prefix cache hit rate: %.1f%%",
            load.rank().value(),
            prompt / seconds,
            generated / seconds,
            load.running(),
            load.waiting(),
            100 * load.kvUsage(),
            100 * hitRate(window.getFirst(), totals)));
  }

  private static double hitRate(EngineTotals from, EngineTotals to) {
    long queries = to.prefixQueries() - from.prefixQueries();
    return queries == 0 ? 0 : (double) (to.prefixHits() - from.prefixHits()) / queries;
  }
}
