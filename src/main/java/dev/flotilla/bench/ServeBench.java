package dev.flotilla.bench;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The load generator behind {@code flotilla bench serve}. */
public final class ServeBench {
  private ServeBench() {}

  /**
   * What to do.
   *
   * @param targets servers of one model, which get requests at random; the first is asked about it
   * @param model null: the first that the server lists
   */
  public record Options(
      List<Target> targets,
      Backend backend,
      @Nullable String model,
      double temperature,
      boolean ignoreEos,
      Dataset dataset,
      LoadShape load,
      Reporting reporting) {
    /** Keeps a private copy. */
    public Options {
      targets = List.copyOf(targets);
    }
  }

  /** A finished run and the model that it was of. */
  public record Finished(BenchResult result, String model, int requests) {}

  /**
   * Measures; takes as long as the run.
   *
   * @throws BenchException if the server cannot be reached or lacks what the run needs
   */
  public static Finished run(Options options, RunProgress progress) {
    List<Planned> plan;
    Generation generation;
    try (ServerProbe probe = new ServerProbe(options.targets().getFirst())) {
      probe.requireReachable();
      String model = options.model() == null ? probe.firstModel() : options.model();
      generation =
          new Generation(options.backend(), model, options.temperature(), options.ignoreEos());
      plan = new Workload(probe, generation, options.load()).plan(options.dataset());
    }
    LoadShape load = options.load();
    int concurrency = Objects.requireNonNullElse(load.maxConcurrency(), LoadLoop.CONNECTIONS_MAX);
    warmUp(options, generation, plan, concurrency);
    boolean closedLoop =
        Double.isInfinite(load.requestRate())
            && load.maxConcurrency() != null
            && !(options.dataset() instanceof Dataset.Trace);
    progress.begin(plan.size());
    try (progress) {
      LoadRun run =
          new LoadLoop(options.targets(), generation, load.requestTimeoutSeconds(), load.seed())
              .run(plan, !closedLoop, concurrency, _ -> progress.answered());
      BenchResult result = new BenchResult(run, options.reporting());
      return new Finished(result, generation.model(), plan.size());
    }
  }

  private static void warmUp(
      Options options, Generation generation, List<Planned> plan, int concurrency) {
    int warmups = Math.min(options.load().warmups(), plan.size());
    if (warmups == 0) {
      return;
    }
    LoadRun run =
        new LoadLoop(
                options.targets(),
                generation,
                options.load().requestTimeoutSeconds(),
                options.load().seed())
            .run(plan.subList(0, warmups), false, concurrency, _ -> {});
    for (Exchange exchange : run.exchanges()) {
      if (!exchange.succeeded()) {
        throw new BenchException("a warm-up request failed: " + exchange.failure);
      }
    }
  }
}
