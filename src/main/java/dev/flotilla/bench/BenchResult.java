package dev.flotilla.bench;

import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Figures of one run. Latencies count from the intended start, so that a server which stalls an
 * open loop cannot hide the requests that it kept from being sent (coordinated omission); those
 * from the actual send stand beside them as service times.
 */
public final class BenchResult {
  private final LoadRun run;
  private final Reporting reporting;
  private final Map<Metric, Latencies> latencies = new EnumMap<>(Metric.class);
  private final Map<Metric, Latencies> service = new EnumMap<>(Metric.class);
  private int completed;
  private int good;
  private long inputTokens;
  private long outputTokens;
  private @Nullable String firstFailure;
  private final long outputPeak;

  BenchResult(LoadRun run, Reporting reporting) {
    this.run = run;
    this.reporting = reporting;
    for (Metric metric : Metric.values()) {
      latencies.put(metric, new Latencies());
    }
    service.put(Metric.TTFT, new Latencies());
    service.put(Metric.E2EL, new Latencies());
    Map<Long, Long> perSecond = new HashMap<>();
    for (Exchange exchange : run.exchanges()) {
      if (exchange.succeeded()) {
        count(exchange, perSecond);
      } else if (firstFailure == null) {
        firstFailure = Objects.requireNonNullElse(exchange.failure, "no answer");
      }
    }
    outputPeak = perSecond.values().stream().mapToLong(Long::longValue).max().orElse(0);
  }

  private void count(Exchange exchange, Map<Long, Long> perSecond) {
    completed++;
    inputTokens += exchange.inputTokens();
    long output = exchange.outputTokens();
    outputTokens += output;
    if (exchange.arrivals == 0) {
      return;
    }
    long ttft = exchange.first - exchange.intended;
    long e2el = exchange.last - exchange.intended;
    long tpot = output > 1 ? (exchange.last - exchange.first) / (output - 1) : 0;
    of(latencies, Metric.TTFT).record(ttft);
    of(latencies, Metric.E2EL).record(e2el);
    of(service, Metric.TTFT).record(exchange.first - exchange.sent);
    of(service, Metric.E2EL).record(exchange.last - exchange.sent);
    if (output > 1) {
      of(latencies, Metric.TPOT).record(tpot);
    }
    if (keeps(Metric.TTFT, ttft) && keeps(Metric.TPOT, tpot) && keeps(Metric.E2EL, e2el)) {
      good++;
    }
    long at = exchange.first;
    perSecond.merge((at - run.startNanos()) / 1_000_000_000, 1L, Long::sum);
    for (long gap : exchange.gaps()) {
      of(latencies, Metric.ITL).record(gap);
      at += gap;
      perSecond.merge((at - run.startNanos()) / 1_000_000_000, 1L, Long::sum);
    }
  }

  private boolean keeps(Metric metric, long nanos) {
    Double limit = reporting.goodput().get(metric);
    return limit == null || nanos <= limit * 1e6;
  }

  private static Latencies of(Map<Metric, Latencies> map, Metric metric) {
    return Objects.requireNonNull(map.get(metric));
  }

  /** Requests answered to the end. */
  public int completed() {
    return completed;
  }

  /** Requests that were not. */
  public int failed() {
    return run.exchanges().size() - completed;
  }

  /** What the first failed request came to; null if none failed. */
  public @Nullable String firstFailure() {
    return firstFailure;
  }

  long inputTokens() {
    return inputTokens;
  }

  long outputTokens() {
    return outputTokens;
  }

  /** By events, in the fullest second. */
  long outputPeak() {
    return outputPeak;
  }

  int concurrencyPeak() {
    return run.concurrencyPeak();
  }

  double seconds() {
    return (run.endNanos() - run.startNanos()) / 1e9;
  }

  double perSecond(long count) {
    return count / seconds();
  }

  /** Null unless limits were given. */
  @Nullable Double goodput() {
    return reporting.goodput().isEmpty() ? null : perSecond(good);
  }

  Latencies latencies(Metric metric) {
    return of(latencies, metric);
  }

  /** From the actual send; null for those that do not count from a start. */
  @Nullable Latencies serviceLatencies(Metric metric) {
    return service.get(metric);
  }

  List<Double> percentiles() {
    return reporting.percentiles();
  }

  List<Metric> shownMetrics() {
    return reporting.metrics();
  }
}
