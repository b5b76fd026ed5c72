package dev.flotilla.frontend;

import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.ToFrontend;
import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The series of requests, as their streams' owners see them, with vLLM's names and bounds. An
 * engine's series stand at 0 from its appearance on. Safe for use by several threads.
 */
final class RequestSeries {
  private static final double NANOS = 1e9;
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
  private final PrometheusRegistry registry;
  private final Map<String, Engine> engines = new ConcurrentHashMap<>();
  private final Counter prompts;
  private final Counter generated;
  private final Counter failovers;
  private final Counter moves;
  private final Counter success;
  private final Histogram first;
  private final Histogram next;
  private final Histogram mean;
  private final Histogram whole;
  private final Histogram queue;
  private final Histogram prefill;
  private final Histogram decode;
  private final Histogram inference;
  private final Histogram promptLengths;
  private final Histogram lengths;
  private final Histogram longest;
  private final Histogram paramsN;
  private final Histogram paramsMaxTokens;

  RequestSeries(String model, PrometheusRegistry registry) {
    this.model = model;
    this.registry = registry;
    prompts = counter("vllm:prompt_tokens", "Prompt tokens of requests that got a token.");
    generated = counter("vllm:generation_tokens", "Tokens generated.");
    failovers = counter("flotilla_stream_failovers", "Attempts after the first, by engine.");
    moves = counter("flotilla_requests_moved", "Queued requests that left it for an idler one.");
    success =
        Counter.builder()
            .name("vllm:request_success")
            .help("Requests ended, by reason.")
            .labelNames("model_name", "engine", "finished_reason")
            .register(registry);
    first = histogram("vllm:time_to_first_token_seconds", "From arrival.", FIRST_TOKEN_SECONDS);
    next = histogram("vllm:inter_token_latency_seconds", "Between tokens.", TOKEN_SECONDS);
    mean = histogram("vllm:request_time_per_output_token_seconds", "Mean.", TOKEN_SECONDS);
    whole = histogram("vllm:e2e_request_latency_seconds", "Arrival to end.", REQUEST_SECONDS);
    queue = histogram("vllm:request_queue_time_seconds", "Before its start.", REQUEST_SECONDS);
    prefill = histogram("vllm:request_prefill_time_seconds", "To token one.", REQUEST_SECONDS);
    decode = histogram("vllm:request_decode_time_seconds", "Later tokens.", REQUEST_SECONDS);
    inference = histogram("vllm:request_inference_time_seconds", "In all.", REQUEST_SECONDS);
    promptLengths = histogram("vllm:request_prompt_tokens", "Prompt tokens.", TOKENS);
    lengths = histogram("vllm:request_generation_tokens", "Output tokens.", TOKENS);
    longest = histogram("vllm:request_max_num_generation_tokens", "Longest choice.", TOKENS);
    paramsN = histogram("vllm:request_params_n", "Parameter n.", COUNTS);
    paramsMaxTokens = histogram("vllm:request_params_max_tokens", "Parameter.", TOKENS);
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

  /** The series of one label. */
  Engine of(String label) {
    return engines.computeIfAbsent(label, Engine::new);
  }

  /** The series of one value of the label {@code engine}, looked up once. */
  final class Engine {
    private final CounterDataPoint promptTokens;
    private final CounterDataPoint generationTokens;
    private final CounterDataPoint moved;
    private final CounterDataPoint left;
    private final Map<FinishReason, CounterDataPoint> ended = new EnumMap<>(FinishReason.class);
    private final DistributionDataPoint firstToken;
    private final DistributionDataPoint interToken;
    private final String label;

    private Engine(String label) {
      this.label = label;
      promptTokens = prompts.labelValues(model, label);
      generationTokens = generated.labelValues(model, label);
      moved = failovers.labelValues(model, label);
      left = moves.labelValues(model, label);
      for (FinishReason reason : FinishReason.values()) {
        ended.put(reason, success.labelValues(model, label, reason.apiName()));
      }
      firstToken = first.labelValues(model, label);
      interToken = next.labelValues(model, label);
      for (Histogram other :
          new Histogram[] {
            mean,
            whole,
            queue,
            prefill,
            decode,
            inference,
            promptLengths,
            lengths,
            longest,
            paramsN,
            paramsMaxTokens
          }) {
        other.labelValues(model, label);
      }
    }

    void failover() {
      moved.inc();
    }

    void moved() {
      left.inc();
    }

    /** Tokens of a choice came. */
    void tokens(Choice choice, int count, long nowNanos) {
      generationTokens.inc(count);
      if (choice.firstTokenAt == 0) {
        choice.firstTokenAt = nowNanos;
        firstToken.observe((nowNanos - choice.acceptedAt) / NANOS);
        promptTokens.inc(choice.prompt().ids().size());
      } else {
        interToken.observe((nowNanos - choice.lastTokenAt) / NANOS);
      }
      choice.lastTokenAt = nowNanos;
    }

    /** A choice has ended. */
    void ended(Choice choice, FinishReason reason, long nowNanos) {
      int count = choice.text.count();
      CounterDataPoint endings = ended.get(reason);
      if (endings != null) {
        endings.inc();
      }
      observe(promptLengths, choice.prompt().ids().size());
      observe(lengths, count);
      observe(paramsMaxTokens, choice.prompt().maxTokens());
      observe(whole, (nowNanos - choice.acceptedAt) / NANOS);
      if (choice.index == 0) {
        Generation generation = choice.generation;
        observe(paramsN, generation.request.n());
        observe(longest, generation.choices.stream().mapToInt(c -> c.text.count()).max().orElse(0));
      }
      double decoding = (choice.lastTokenAt - choice.firstTokenAt) / NANOS;
      if (count > 1) {
        observe(mean, decoding / (count - 1));
      }
      ToFrontend.Timing timing = choice.timing;
      if (timing != null) {
        // Where the front-end ended it, at a stop string, the engine did not tell its end.
        double decoded = timing.decode() > 0 ? timing.decode() / NANOS : decoding;
        observe(queue, timing.queued() / NANOS);
        observe(prefill, timing.prefill() / NANOS);
        observe(decode, decoded);
        observe(inference, timing.prefill() / NANOS + decoded);
      }
    }

    private void observe(Histogram histogram, double value) {
      histogram.labelValues(model, label).observe(value);
    }
  }
}
