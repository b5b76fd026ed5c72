package dev.flotilla.bench;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What is shown of a run.
 *
 * @param metrics shown in the table; the result object has all
 * @param percentiles of each, 0 to 100
 * @param goodput limits in milliseconds that a request must keep to count as good; empty if unset
 */
public record Reporting(
    List<Metric> metrics, List<Double> percentiles, Map<Metric, Double> goodput) {

  /** Keeps private copies. */
  public Reporting {
    metrics = List.copyOf(metrics);
    percentiles = List.copyOf(percentiles);
    goodput = Map.copyOf(goodput);
  }

  /** From the texts of {@code --percentile-metrics --metric-percentiles --goodput}. */
  public static Reporting parse(
      String percentileMetrics, String metricPercentiles, @Nullable List<String> goodput) {
    List<Metric> metrics = new ArrayList<>();
    for (String key : percentileMetrics.split(",", -1)) {
      metrics.add(Metric.of("--percentile-metrics", key.strip()));
    }
    List<Double> percentiles = new ArrayList<>();
    for (String text : metricPercentiles.split(",", -1)) {
      double percentile = number("--metric-percentiles", text.strip());
      Settings.require(
          percentile >= 0 && percentile <= 100,
          "--metric-percentiles must lie between 0 and 100, not %s.",
          text);
      percentiles.add(percentile);
    }
    return new Reporting(metrics, percentiles, limits(goodput));
  }

  private static Map<Metric, Double> limits(@Nullable List<String> goodput) {
    Map<Metric, Double> limits = new EnumMap<>(Metric.class);
    for (String limit : goodput == null ? List.<String>of() : goodput) {
      String[] parts = limit.split(":", 2);
      Settings.require(
          parts.length == 2, "--goodput must be METRIC:MILLISECONDS, not '%s'.", limit);
      Metric metric = Metric.of("--goodput", parts[0]);
      Settings.require(
          metric != Metric.ITL, "--goodput knows ttft, tpot and e2el, not '%s'.", parts[0]);
      double millis = number("--goodput", parts[1]);
      Settings.require(millis > 0, "--goodput %s must be above 0, not %s.", parts[0], parts[1]);
      limits.put(metric, millis);
    }
    return limits;
  }

  private static double number(String flag, String text) {
    try {
      return Double.parseDouble(text);
    } catch (NumberFormatException e) {
      Settings.require(false, "%s: '%s' is not a number.", flag, text);
      throw e;
    }
  }
}
