package dev.flotilla;

import dev.flotilla.bench.Backend;
import dev.flotilla.bench.Dataset;
import dev.flotilla.bench.LoadShape;
import dev.flotilla.bench.Reporting;
import dev.flotilla.bench.ServeBench;
import dev.flotilla.bench.Target;
import dev.flotilla.config.ConfigException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The flags of {@code bench serve} that say what is measured, with vLLM's names and meaning. */
final class BenchFlags {
  @Option(names = "--backend", description = "openai or openai-chat.")
  private String backend = "openai";

  @Option(
      names = "--base-url",
      split = ",",
      description =
          "Address of the server; instead of --host, --port. Several, repeated or with commas between, get requests at random.")
  private List<String> baseUrls = List.of();

  @Option(names = "--host", description = "Host of the server.")
  private String host = "127.0.0.1";

  @Option(names = "--port", description = "Port of the server.")
  private int port = 8000;

  @Option(names = "--endpoint", description = "Path; by default the backend's.")
  private @Nullable String endpoint;

  @Option(names = "--header", description = "NAME=VALUE, sent with every request; repeatable.")
  private List<String> headers = List.of();

  @Option(names = "--model", description = "Served name; by default the first the server lists.")
  private @Nullable String model;

  @Option(names = "--dataset-name", description = "random, custom or sharegpt.")
  private String datasetName = "random";

  @Option(names = "--dataset-path", description = "File of custom (JSON lines) or sharegpt (JSON).")
  private @Nullable Path datasetPath;

  @Option(names = "--random-input-len", description = "Prompt tokens of random.")
  private int randomInputLen = 1024;

  @Option(names = "--random-output-len", description = "Generated tokens of random.")
  private int randomOutputLen = 128;

  @Option(
      names = "--random-range-ratio",
      description = "Lengths are uniform within LEN * (1 - R) and LEN * (1 + R).")
  private double randomRangeRatio;

  @Option(
      names = "--random-vocab",
      description = "Size of the vocabulary; by default ids come from the server's /tokenize.")
  private @Nullable Integer randomVocab;

  @Option(names = "--custom-output-len", description = "Generated tokens of custom.")
  private int customOutputLen = 256;

  @Option(
      names = "--sharegpt-output-len",
      description = "Generated tokens of sharegpt; by default as many as the recorded answer.")
  private @Nullable Integer sharegptOutputLen;

  @Option(
      names = "--trace",
      description = "Replays gzipped JSON lines of t_ms, input, output in real time.")
  private @Nullable Path trace;

  @Option(names = "--trace-speed", description = "2 replays twice as fast.")
  private double traceSpeed = 1;

  @Option(names = "--num-prompts", description = "Requests; 1000, or all of a trace.")
  private @Nullable Integer numPrompts;

  @Option(names = "--request-rate", description = "Arrivals per second, or inf.")
  private String requestRate = "inf";

  @Option(
      names = "--burstiness",
      description = "Shape of the gamma-distributed gaps; 1 is Poisson, less is burstier.")
  private double burstiness = 1;

  @Option(names = "--max-concurrency", description = "Most requests in flight.")
  private @Nullable Integer maxConcurrency;

  @Option(names = "--num-warmups", description = "Requests sent before the clock starts.")
  private int numWarmups;

  @Option(names = "--request-timeout", description = "Seconds after which a request has failed.")
  private int requestTimeout = 600;

  @Option(names = "--ignore-eos", description = "Generate to the full length.")
  private boolean ignoreEos;

  @Option(names = "--temperature", description = "0 is greedy.")
  private double temperature;

  @Option(names = "--seed", description = "Of lengths, ids and arrivals.")
  private long seed;

  @Option(names = "--percentile-metrics", description = "Shown: of ttft, tpot, itl, e2el.")
  private String percentileMetrics = "ttft,tpot,itl";

  @Option(names = "--metric-percentiles", description = "Percentiles, separated by commas.")
  private String metricPercentiles = "99";

  @Option(
      names = "--goodput",
      arity = "1..*",
      description = "METRIC:MILLISECONDS limits of ttft, tpot, e2el; all must be kept.")
  private @Nullable List<String> goodput;

  Backend backend() {
    return Backend.of(backend);
  }

  LoadShape load() {
    return new LoadShape(
        numPrompts, rate(), burstiness, maxConcurrency, numWarmups, seed, requestTimeout);
  }

  /** Checked, so that wrong usage shows before anything is sent. */
  ServeBench.Options options() {
    if (temperature < 0 || Double.isNaN(temperature)) {
      throw new ConfigException("--temperature must be at least 0, not " + temperature + ".");
    }
    return new ServeBench.Options(
        targets(),
        backend(),
        model,
        temperature,
        ignoreEos,
        dataset(),
        load(),
        Reporting.parse(percentileMetrics, metricPercentiles, goodput));
  }

  private List<Target> targets() {
    Map<String, String> all = new LinkedHashMap<>();
    String key = System.getenv("OPENAI_API_KEY");
    if (key != null && !key.isBlank()) {
      all.put("Authorization", "Bearer " + key);
    }
    for (String header : headers) {
      String[] parts = header.split("=", 2);
      if (parts.length < 2) {
        throw new ConfigException("--header must be NAME=VALUE, not '" + header + "'.");
      }
      all.put(parts[0], parts[1]);
    }
    String path = endpoint == null ? backend().endpoint() : endpoint;
    List<String> urls = baseUrls.isEmpty() ? List.of("http://" + host + ":" + port) : baseUrls;
    return urls.stream().map(url -> Target.of(url, path, all)).toList();
  }

  private Dataset dataset() {
    if (trace != null) {
      return new Dataset.Trace(trace, traceSpeed, randomVocab);
    }
    return switch (datasetName) {
      case "random" ->
          new Dataset.Random(randomInputLen, randomOutputLen, randomRangeRatio, randomVocab);
      case "custom" -> new Dataset.Custom(path(), customOutputLen);
      case "sharegpt" -> new Dataset.ShareGpt(path(), sharegptOutputLen);
      default ->
          throw new ConfigException(
              "--dataset-name must be random, custom or sharegpt, not '" + datasetName + "'.");
    };
  }

  private Path path() {
    if (datasetPath == null) {
      throw new ConfigException("--dataset-name " + datasetName + " needs --dataset-path FILE.");
    }
    return datasetPath;
  }

  private double rate() {
    if (requestRate.equals("inf")) {
      return Double.POSITIVE_INFINITY;
    }
    try {
      return Double.parseDouble(requestRate);
    } catch (NumberFormatException e) {
      throw new ConfigException(
          "--request-rate must be a number or inf, not '" + requestRate + "'.");
    }
  }
}
