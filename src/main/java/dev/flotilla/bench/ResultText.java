package dev.flotilla.bench;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A result in the two forms of vLLM's benchmark: its table, and an object with its keys. */
public final class ResultText {
  private static final int WIDTH = 50;

  private ResultText() {}

  /** The table, lines ended. */
  public static String table(BenchResult result, LoadShape load) {
    StringBuilder out = new StringBuilder(2048);
    title(out, " Serving Benchmark Result ", '=');
    row(out, "Successful requests:", result.completed());
    row(out, "Failed requests:", result.failed());
    if (load.maxConcurrency() != null) {
      row(out, "Maximum request concurrency:", load.maxConcurrency());
    }
    if (!Double.isInfinite(load.requestRate())) {
      row(out, "Request rate configured (RPS):", load.requestRate());
    }
    row(out, "Benchmark duration (s):", result.seconds());
    row(out, "Total input tokens:", result.inputTokens());
    row(out, "Total generated tokens:", result.outputTokens());
    row(out, "Request throughput (req/s):", result.perSecond(result.completed()));
    Double goodput = result.goodput();
    if (goodput != null) {
      row(out, "Request goodput (req/s):", goodput);
    }
    row(out, "Output token throughput (tok/s):", result.perSecond(result.outputTokens()));
    row(out, "Peak output token throughput (tok/s):", (double) result.outputPeak());
    row(out, "Peak concurrent requests:", result.concurrencyPeak());
    row(
        out,
        "Total token throughput (tok/s):",
        result.perSecond(result.inputTokens() + result.outputTokens()));
    for (Metric metric : result.shownMetrics()) {
      title(out, metric.title(), '-');
      rows(out, metric.shown(), result.latencies(metric), result);
      Latencies service = result.serviceLatencies(metric);
      if (service != null && !Double.isInfinite(load.requestRate())) {
        rows(out, "service " + metric.shown(), service, result);
      }
    }
    return out.append("=".repeat(WIDTH)).append('\n').toString();
  }

  private static void rows(
      StringBuilder out, String name, Latencies latencies, BenchResult result) {
    row(out, "Mean " + name + " (ms):", latencies.meanMs());
    row(out, "Median " + name + " (ms):", latencies.percentileMs(50));
    for (double p : result.percentiles()) {
      row(out, "P" + digits(p) + " " + name + " (ms):", latencies.percentileMs(p));
    }
  }

  private static void title(StringBuilder out, String title, char filler) {
    int left = (WIDTH - title.length()) / 2;
    out.repeat(filler, left).append(title).repeat(filler, WIDTH - title.length() - left);
    out.append('\n');
  }

  private static void row(StringBuilder out, String name, long value) {
    out.append(String.format(Locale.ROOT, "%-40s %-10d%n", name, value));
  }

  private static void row(StringBuilder out, String name, double value) {
    out.append(String.format(Locale.ROOT, "%-40s %-10.2f%n", name, value));
  }

  /** 99.0 as 99, 99.9 as it is. */
  private static String digits(double percentile) {
    return percentile == Math.rint(percentile)
        ? Long.toString((long) percentile)
        : Double.toString(percentile);
  }

  /**
   * The result object: {@code duration, completed, …, mean_ttft_ms, …}. The keys with {@code
   * service} are our own.
   */
  public static ObjectNode json(BenchResult result) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("duration", result.seconds());
    json.put("completed", result.completed());
    json.put("failed", result.failed());
    json.put("total_input_tokens", result.inputTokens());
    json.put("total_output_tokens", result.outputTokens());
    json.put("request_throughput", result.perSecond(result.completed()));
    json.put("request_goodput", result.goodput());
    json.put("output_throughput", result.perSecond(result.outputTokens()));
    json.put(
        "total_token_throughput", result.perSecond(result.inputTokens() + result.outputTokens()));
    json.put("max_output_tokens_per_s", (double) result.outputPeak());
    json.put("max_concurrent_requests", result.concurrencyPeak());
    for (Metric metric : Metric.values()) {
      put(json, metric.key(), result.latencies(metric), result);
      put(json, "service_" + metric.key(), result.serviceLatencies(metric), result);
    }
    return json;
  }

  private static void put(
      ObjectNode json, String key, @Nullable Latencies latencies, BenchResult result) {
    if (latencies == null) {
      return;
    }
    json.put("mean_" + key + "_ms", latencies.meanMs());
    json.put("median_" + key + "_ms", latencies.percentileMs(50));
    json.put("std_" + key + "_ms", latencies.standardDeviationMs());
    for (double p : result.percentiles()) {
      json.put("p" + digits(p) + "_" + key + "_ms", latencies.percentileMs(p));
    }
  }
}
