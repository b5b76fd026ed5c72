package dev.flotilla;

import dev.flotilla.config.ConfigException;
import dev.flotilla.config.LoadBalancing;
import dev.flotilla.simulation.load.SimSettings;
import dev.flotilla.simulation.load.SimSettings.EngineModel;
import dev.flotilla.simulation.load.SimSettings.Kill;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The flags of {@code sim} that say which fleet is simulated. */
final class SimFlags {
  private static final double MS = 1000;

  @Option(
      names = "--trace",
      required = true,
      description = "JSON lines of t_ms, input, output and hash_ids if known, gzipped or not.")
  @SuppressWarnings("NullAway.Init") // Set by picocli.
  Path trace;

  @Option(names = "--engines", description = "Data-parallel ranks (${DEFAULT-VALUE}).")
  int engines = 8;

  @Option(names = "--frontends", description = "Front-ends that choose (${DEFAULT-VALUE}).")
  int frontends = 4;

  @Option(
      names = {"--policy", "--policies"},
      split = ",",
      description =
          "Of round-robin, least-in-flight, vllm-classic, vllm, flotilla (vllm-classic,vllm,flotilla).")
  private List<String> policies = List.of("vllm-classic", "vllm", "flotilla");

  @Option(
      names = "--speed-factors",
      split = ",",
      description = "How many times slower than the cost model rank 0, 1, … is.")
  private List<Double> speedFactors = List.of();

  @Option(names = "--lockstep", description = "All ranks step together, as expert-parallel ones.")
  private boolean lockstep;

  @Option(names = "--delay-ms", description = "One way of every message (${DEFAULT-VALUE}).")
  private double delayMs = 0.5;

  @Option(
      names = "--kill",
      split = ",",
      description = "RANK@SECONDS of the trace: the engine dies; RANK@60000ms is possible too.")
  private List<String> kills = List.of();

  @Option(
      names = "--detect-ms",
      description = "From an engine's death until front-ends know (${DEFAULT-VALUE}).")
  private double detectMs = 100;

  @Option(names = "--seed", description = "Which front-end gets which request (${DEFAULT-VALUE}).")
  long seed = 1;

  @Option(
      names = "--seeds",
      description = "Runs so many seeds from --seed on, and shows medians (${DEFAULT-VALUE}).")
  int seeds = 1;

  @Option(
      names = {"--utilisation", "--utilization"},
      description =
          "Scales arrivals so that the busiest twentieth of the trace asks for this share of the"
              + " engines; by default they stay as they are.")
  @Nullable Double utilisation;

  @Option(
      names = "--report-ms",
      description = "flotilla's engines report only so often (0: as they do when they serve).")
  private double reportMs;

  @Option(names = "--no-rebalance", description = "Requests stay where they were sent.")
  private boolean noRebalance;

  @Option(
      names = "--enable-prefix-caching",
      negatable = true,
      description = "By default if the trace has hash_ids.")
  private @Nullable Boolean prefixCaching;

  @Option(
      names = "--kv-tokens",
      description = "Of an engine's KV cache (400000; 1500000 if the trace has hash_ids).")
  private @Nullable Integer kvTokens;

  @Option(names = "--max-num-seqs", description = "Most sequences of a step (${DEFAULT-VALUE}).")
  private int maxNumSeqs = 256;

  @Option(
      names = "--max-num-batched-tokens",
      description = "Most tokens of a step (${DEFAULT-VALUE}).")
  private int maxNumBatchedTokens = 8192;

  @Option(names = "--json", description = "Print one JSON object instead of a table.")
  boolean json;

  List<LoadBalancing> policies() {
    List<LoadBalancing> all = policies.stream().map(LoadBalancing::of).distinct().toList();
    if (all.isEmpty()) {
      throw new ConfigException("--policy must name at least one policy");
    }
    return all;
  }

  EngineModel engine(boolean prefixes) {
    EngineModel usual = EngineModel.of(prefixes);
    return new EngineModel(
        usual.cost(),
        kvTokens == null ? usual.kvTokens() : kvTokens,
        usual.blockTokens(),
        maxNumSeqs,
        maxNumBatchedTokens,
        prefixCaching == null ? prefixes : prefixCaching);
  }

  SimSettings settings(LoadBalancing policy, long withSeed, EngineModel engine) {
    return new SimSettings(
        engines,
        frontends,
        policy,
        speedFactors,
        lockstep,
        delayMs,
        kills(),
        withSeed,
        reportMs,
        !noRebalance,
        detectMs,
        engine);
  }

  /** Checked, so that wrong usage shows before the trace is read. */
  void check() {
    settings(policies().getFirst(), seed, engine(false));
    if (utilisation != null && !(utilisation > 0 && utilisation < 100)) {
      throw new ConfigException("--utilisation must be above 0, not " + utilisation);
    }
    if (seeds < 1 || seeds > 1000) {
      throw new ConfigException("--seeds must be 1 to 1000, not " + seeds);
    }
  }

  private List<Kill> kills() {
    List<Kill> all = new ArrayList<>();
    for (String kill : kills) {
      String[] parts = kill.strip().toLowerCase(Locale.ROOT).split("@", 2);
      try {
        String time = parts.length == 2 ? parts[1] : "";
        double ms =
            time.endsWith("ms")
                ? Double.parseDouble(time.substring(0, time.length() - 2))
                : MS
                    * Double.parseDouble(
                        time.endsWith("s") ? time.substring(0, time.length() - 1) : time);
        all.add(new Kill(Integer.parseInt(parts[0]), ms));
      } catch (NumberFormatException e) {
        throw new ConfigException(
            "--kill must be RANK@SECONDS, for example 3@60, not '" + kill + "'");
      }
    }
    return all;
  }
}
