package dev.flotilla.frontend;

import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineFacts;
import dev.flotilla.protocol.EngineTotals;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.LockstepLoad;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;

/**
 * The series that engines measure: gauges from their freshest reports, counters from their totals.
 * Any front-end shows the same, whoever served the requests. Made anew for each scrape.
 */
final class EngineSeries {
  private static final double[] ITERATION_BOUNDS = bounds();

  private final String model;
  private final Map<String, Load> loads = new TreeMap<>();
  private final List<MetricSnapshot> all = new ArrayList<>();

  private EngineSeries(String model) {
    this.model = model;
  }

  /** What the engines of one label do now, together. */
  private static final class Load {
    private int running;
    private int waiting;
    private int blocksUsed;
    private int blocks;
    private long steps;
    private int blockSize;
    private int blocksConfigured;
    private boolean lockstep; // Steps together with others.
    private long wave;
    private boolean inWave;
    private long dummySteps;
    private long waitedMs;

    double usage() {
      return blocks == 0 ? 0 : (double) blocksUsed / blocks;
    }
  }

  /**
   * The series of a view.
   *
   * @param fresh with the freshest report of each engine
   */
  static List<MetricSnapshot> of(
      String model, ClusterView fresh, Labelling labelling, Map<String, EngineTotals> totals) {
    EngineSeries series = new EngineSeries(model);
    fresh.engines().forEach(engine -> series.add(labelling.of(engine.rank()), engine));
    series.gauge("vllm:num_requests_running", "Requests in the batch.", l -> l.running);
    series.gauge("vllm:num_requests_waiting", "Requests not started.", l -> l.waiting);
    series.gauge("vllm:kv_cache_usage_perc", "KV cache usage; 1 means 100 percent.", Load::usage);
    series.gauge("flotilla_engine_steps", "Steps since the engine's start.", l -> l.steps);
    series.lockstep();
    series.paused(fresh.paused());
    series.cacheConfig();
    series.counter(
        "vllm:prefix_cache_queries",
        "Tokens looked for in the prefix cache.",
        totals,
        EngineTotals::prefixQueries);
    series.counter(
        "vllm:prefix_cache_hits",
        "Tokens found in the prefix cache.",
        totals,
        EngineTotals::prefixHits);
    series.counter(
        "vllm:num_preemptions",
        "Requests that had to give their blocks back.",
        totals,
        EngineTotals::preemptions);
    series.iterations(totals);
    return series.all;
  }

  private void add(String label, ClusterView.Engine engine) {
    Load sum = loads.computeIfAbsent(label, _ -> new Load());
    LoadReport load = engine.load();
    if (load != null) {
      sum.running += load.running();
      sum.waiting += load.waiting();
      sum.blocksUsed += load.kvBlocksUsed();
      sum.blocks += load.kvBlocks();
      sum.steps += load.step();
      add(sum, load);
    }
    EngineFacts facts = engine.facts();
    if (facts != null) {
      sum.blockSize = facts.blockSize();
      sum.blocksConfigured += facts.kvBlocks();
    }
  }

  private static void add(Load sum, LoadReport load) {
    LockstepLoad lockstep = load.lockstep();
    if (lockstep != null) {
      sum.lockstep = true;
      sum.wave = Math.max(sum.wave, load.wave());
      sum.inWave |= lockstep.running();
      sum.dummySteps += lockstep.dummySteps();
      sum.waitedMs += lockstep.waitedMs();
    }
  }

  private void paused(boolean paused) {
    all.add(
        GaugeSnapshot.builder()
            .name("flotilla_paused")
            .help("1 while a pause of all engines is made, in force or lifted.")
            .dataPoint(
                GaugeSnapshot.GaugeDataPointSnapshot.builder()
                    .labels(Labels.of("model_name", model))
                    .value(paused ? 1 : 0)
                    .build())
            .build());
  }

  /** Only where ranks step together. */
  private void lockstep() {
    if (loads.values().stream().noneMatch(load -> load.lockstep)) {
      return;
    }
    gauge("flotilla_engine_wave", "Waves completed.", load -> load.wave);
    gauge("flotilla_engine_wave_running", "1 in a wave.", load -> load.inWave ? 1 : 0);
    gauge(
        "flotilla_engine_dummy_steps",
        "Steps without work, taken for the others' sake, since the engine's start.",
        load -> load.dummySteps);
    gauge(
        "flotilla_engine_collective_wait_seconds",
        "Time in exchanges with other ranks, since the engine's start.",
        load -> load.waitedMs / 1e3);
  }

  private Labels labels(String engine) {
    return Labels.of("model_name", model, "engine", engine);
  }

  private void gauge(String name, String help, ToDoubleFunction<Load> value) {
    GaugeSnapshot.Builder builder = GaugeSnapshot.builder().name(name).help(help);
    loads.forEach(
        (engine, load) ->
            builder.dataPoint(
                GaugeSnapshot.GaugeDataPointSnapshot.builder()
                    .labels(labels(engine))
                    .value(value.applyAsDouble(load))
                    .build()));
    all.add(builder.build());
  }

  private void cacheConfig() {
    GaugeSnapshot.Builder builder =
        GaugeSnapshot.builder().name("vllm:cache_config_info").help("Settings of the KV cache.");
    loads.forEach(
        (engine, load) -> {
          if (load.blockSize > 0) {
            builder.dataPoint(
                GaugeSnapshot.GaugeDataPointSnapshot.builder()
                    .labels(
                        Labels.of(
                            "model_name",
                            model,
                            "engine",
                            engine,
                            "block_size",
                            Integer.toString(load.blockSize),
                            "num_gpu_blocks",
                            Integer.toString(load.blocksConfigured)))
                    .value(1)
                    .build());
          }
        });
    all.add(builder.build());
  }

  private void counter(
      String name,
      String help,
      Map<String, EngineTotals> totals,
      ToDoubleFunction<EngineTotals> value) {
    CounterSnapshot.Builder builder = CounterSnapshot.builder().name(name).help(help);
    totals.forEach(
        (engine, sum) ->
            builder.dataPoint(
                CounterSnapshot.CounterDataPointSnapshot.builder()
                    .labels(labels(engine))
                    .value(value.applyAsDouble(sum))
                    .build()));
    all.add(builder.build());
  }

  private void iterations(Map<String, EngineTotals> totals) {
    HistogramSnapshot.Builder builder =
        HistogramSnapshot.builder()
            .name("vllm:iteration_tokens_total")
            .help("Tokens of a step: whole prompts and drawn tokens.");
    totals.forEach(
        (engine, sum) ->
            builder.dataPoint(
                HistogramSnapshot.HistogramDataPointSnapshot.builder()
                    .labels(labels(engine))
                    .classicHistogramBuckets(
                        ClassicHistogramBuckets.of(
                            ITERATION_BOUNDS,
                            sum.iterationTokens().stream().mapToLong(Long::longValue).toArray()))
                    .sum((double) sum.iterationTokensSum())
                    .build()));
    all.add(builder.build());
  }

  private static double[] bounds() {
    List<Double> bounds = new ArrayList<>();
    EngineTotals.ITERATION_BOUNDS.forEach(bound -> bounds.add(bound.doubleValue()));
    bounds.add(Double.POSITIVE_INFINITY);
    return bounds.stream().mapToDouble(Double::doubleValue).toArray();
  }
}
