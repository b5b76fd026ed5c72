package dev.flotilla.frontend;

import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineFacts;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Rank;
import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.vertx.core.shareddata.Shareable;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What a front-end counts, under the original's names, so that boards and scalers that read those
 * work unchanged; what the original lacks is prefixed {@code flotilla_}. Gauges come from the view
 * and the engines' reports, counters and histograms from the streams' owner. All front-ends of one
 * JVM share one instance, so that any of them shows all; safe for use by several threads.
 */
final class FrontendMetrics implements Shareable {
  static final String CONTENT_TYPE = PrometheusTextFormatWriter.CONTENT_TYPE;

  private static final double[] FIRST_TOKEN_SECONDS = {
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40,
    80, 160, 640, 2560
  };
  private static final double[] TOKEN_SECONDS = {
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5,
    7.5, 10, 20, 40, 80
  };
  private static final double[] REQUEST_SECONDS = {
    0.01, 0.03, 0.1, 0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480,
    960, 1920, 7680
  };
  private static final double[] TOKENS = {
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000
  };
  private static final double[] COUNTS = {1, 2, 5, 10, 20};

  private final String model;
  private final PrometheusRegistry registry = new PrometheusRegistry();
  private final Gauge running = gauge("vllm:num_requests_running", "Requests in the batch.");
  private final Gauge waiting = gauge("vllm:num_requests_waiting", "Requests not started.");
  private final Gauge kvUsage =
      gauge("vllm:kv_cache_usage_perc", "KV cache usage; 1 means 100 percent.");
  private final Gauge cacheConfig =
      Gauge.builder()
          .name("vllm:cache_config_info")
          .help("Settings of the KV cache.")
          .labelNames("model_name", "engine", "block_size", "num_gpu_blocks")
          .register(registry);
  private final Gauge steps = gauge("flotilla_engine_steps", "Steps since the engine's start.");
  private final Gauge streams =
      Gauge.builder()
          .name("flotilla_frontend_streams")
          .help("Streams that a front-end owns.")
          .labelNames("model_name", "frontend")
          .register(registry);
  private final Counter promptTokens = counter("vllm:prompt_tokens", "Prompt tokens computed.");
  private final Counter generationTokens = counter("vllm:generation_tokens", "Tokens generated.");
  private final Counter failovers =
      counter("flotilla_stream_failovers", "Attempts after the first, by the engine taken.");
  private final Counter success =
      Counter.builder()
          .name("vllm:request_success")
          .help("Requests ended, by reason.")
          .labelNames("model_name", "engine", "finished_reason")
          .register(registry);
  private final Counter http =
      Counter.builder()
          .name("http_requests")
          .help("HTTP requests answered.")
          .labelNames("handler", "method", "status")
          .register(registry);
  private final Histogram firstToken =
      histogram("vllm:time_to_first_token_seconds", "From arrival on.", FIRST_TOKEN_SECONDS);
  private final Histogram interToken =
      histogram("vllm:inter_token_latency_seconds", "Between tokens.", TOKEN_SECONDS);
  private final Histogram perToken =
      histogram("vllm:request_time_per_output_token_seconds", "Mean of a request.", TOKEN_SECONDS);
  private final Histogram wholeRequest =
      histogram("vllm:e2e_request_latency_seconds", "From arrival to end.", REQUEST_SECONDS);
  private final Histogram decodeTime =
      histogram("vllm:request_decode_time_seconds", "From first to last token.", REQUEST_SECONDS);
  private final Histogram promptLengths =
      histogram("vllm:request_prompt_tokens", "Prompt tokens of a request.", TOKENS);
  private final Histogram outputLengths =
      histogram("vllm:request_generation_tokens", "Output tokens of a request.", TOKENS);
  private final Histogram outputLengthsMax =
      histogram("vllm:request_max_num_generation_tokens", "Longest output of a request.", TOKENS);
  private final Histogram paramsN = histogram("vllm:request_params_n", "Parameter n.", COUNTS);
  private final Histogram paramsMaxTokens =
      histogram("vllm:request_params_max_tokens", "Parameter max_tokens.", TOKENS);
  private final Map<Rank, Series> series = new ConcurrentHashMap<>();

  FrontendMetrics(String model) {
    this.model = model;
  }

  /** The series that every token touches, looked up once per engine. */
  private record Series(
      CounterDataPoint generated, DistributionDataPoint first, DistributionDataPoint next) {}

  private Gauge gauge(String name, String help) {
    return Gauge.builder()
        .name(name)
        .help(help)
        .labelNames("model_name", "engine")
        .register(registry);
  }

  private Counter counter(String name, String help) {
    return Counter.builder()
        .name(name)
        .help(help)
        .labelNames("model_name", "engine")
        .register(registry);
  }

  private Histogram histogram(String name, String help, double... bounds) {
    return Histogram.builder()
        .name(name)
        .help(help)
        .labelNames("model_name", "engine")
        .classicOnly()
        .classicUpperBounds(bounds)
        .register(registry);
  }

  private Series series(Rank rank) {
    return series.computeIfAbsent(
        rank,
        r ->
            new Series(
                generationTokens.labelValues(model, r.toString()),
                firstToken.labelValues(model, r.toString()),
                interToken.labelValues(model, r.toString())));
  }

  /** An attempt after a stream's first goes to the engine. */
  void failover(Rank to) {
    failovers.labelValues(model, to.toString()).inc();
  }

  /** Tokens of a choice came. */
  void tokens(Choice choice, int count, long nowNanos) {
    RequestStream.Target target = choice.stream.servedBy();
    if (target == null || count == 0) {
      return;
    }
    Series at = series(target.rank());
    at.generated().inc(count);
    if (choice.firstTokenAt == 0) {
      choice.firstTokenAt = nowNanos;
      at.first().observe((nowNanos - choice.acceptedAt) / 1e9);
      promptTokens.labelValues(model, target.rank().toString()).inc(choice.prompt().ids().size());
    } else {
      at.next().observe((nowNanos - choice.lastTokenAt) / 1e9);
    }
    choice.lastTokenAt = nowNanos;
  }

  /** A choice has ended. */
  void ended(Choice choice, FinishReason reason) {
    RequestStream.Target target = choice.stream.servedBy();
    if (target == null) {
      return;
    }
    String engine = target.rank().toString();
    int count = choice.text.count();
    success.labelValues(model, engine, reason.apiName()).inc();
    promptLengths.labelValues(model, engine).observe(choice.prompt().ids().size());
    outputLengths.labelValues(model, engine).observe(count);
    paramsMaxTokens.labelValues(model, engine).observe(choice.prompt().maxTokens());
    wholeRequest.labelValues(model, engine).observe((System.nanoTime() - choice.acceptedAt) / 1e9);
    if (choice.index == 0) {
      paramsN.labelValues(model, engine).observe(choice.generation.request.n());
      int most = choice.generation.choices.stream().mapToInt(c -> c.text.count()).max().orElse(0);
      outputLengthsMax.labelValues(model, engine).observe(most);
    }
    if (count > 1) {
      double decoding = (choice.lastTokenAt - choice.firstTokenAt) / 1e9;
      decodeTime.labelValues(model, engine).observe(decoding);
      perToken.labelValues(model, engine).observe(decoding / (count - 1));
    }
  }

  /** An HTTP request was answered. */
  void answered(String handler, String method, int status) {
    http.labelValues(handler, method, Integer.toString(status)).inc();
  }

  /** All series as Prometheus reads them. */
  byte[] scrape(Fleet fleet, String frontend, int live) {
    streams.labelValues(model, frontend).set(live);
    synchronized (this) {
      running.clear();
      waiting.clear();
      kvUsage.clear();
      cacheConfig.clear();
      steps.clear();
      for (ClusterView.Engine engine : fleet.view().engines()) {
        show(engine, fleet.load(engine));
      }
      try (ByteArrayOutputStream out = new ByteArrayOutputStream(16_384)) {
        PrometheusTextFormatWriter.create().write(out, registry.scrape());
        return out.toByteArray();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private void show(ClusterView.Engine engine, @Nullable LoadReport load) {
    String rank = engine.rank().toString();
    if (load != null) {
      running.labelValues(model, rank).set(load.running());
      waiting.labelValues(model, rank).set(load.waiting());
      kvUsage.labelValues(model, rank).set(load.kvUsage());
      steps.labelValues(model, rank).set((double) load.step());
    }
    EngineFacts facts = engine.facts();
    if (facts != null) {
      cacheConfig
          .labelValues(
              model, rank, Integer.toString(facts.blockSize()), Integer.toString(facts.kvBlocks()))
          .set(1);
    }
  }
}
