package dev.flotilla.simulation.load;

import dev.flotilla.config.ConfigException;
import dev.flotilla.config.LoadBalancing;
import dev.flotilla.config.ScriptedConfig;
import java.util.List;

/**
 * The fleet that is simulated.
 *
 * @param speedFactors how much slower than the cost model each rank is; ranks without one: 1
 * @param lockstep all ranks step together, and a step lasts as long as the slowest rank's
 * @param delayMs of every message
 * @param kills engines that die
 * @param seed of what is random: which front-end gets a request
 * @param reportMs 0: engines report as those that serve do; else only so often
 * @param rebalance whether never-started requests may move
 * @param detectMs from an engine's death until the others know of it
 * @param engine what each engine can hold and what its steps cost
 */
public record SimSettings(
    int engines,
    int frontends,
    LoadBalancing policy,
    List<Double> speedFactors,
    boolean lockstep,
    double delayMs,
    List<Kill> kills,
    long seed,
    double reportMs,
    boolean rebalance,
    double detectMs,
    EngineModel engine) {

  /** Ranks that a simulation may have; a real fleet of one address space ends near it too. */
  public static final int ENGINES_MAX = 1024;

  /** The engine of that rank dies at that time. */
  public record Kill(int rank, double ms) {}

  /**
   * One engine.
   *
   * @param cost of its steps
   * @param kvTokens that its KV cache holds
   * @param blockTokens of a block
   * @param maxNumSeqs most sequences of a step
   * @param maxNumBatchedTokens most tokens of a step
   * @param prefixCaching whether full blocks are found again
   */
  public record EngineModel(
      ScriptedConfig cost,
      int kvTokens,
      int blockTokens,
      int maxNumSeqs,
      int maxNumBatchedTokens,
      boolean prefixCaching) {
    /** Checks every bound. */
    public EngineModel {
      require(blockTokens >= 1, "block size must be at least 1, not " + blockTokens);
      require(kvTokens >= blockTokens, "the KV cache must hold a block, not " + kvTokens);
      require(maxNumSeqs >= 1, "max-num-seqs must be at least 1, not " + maxNumSeqs);
      require(
          maxNumBatchedTokens >= 1,
          "max-num-batched-tokens must be at least 1, not " + maxNumBatchedTokens);
    }

    /** The engine that the shared traces are scaled for; one with a prefix cache where it helps. */
    public static EngineModel of(boolean prefixes) {
      return prefixes
          ? new EngineModel(ScriptedConfig.DEFAULT, 1_500_000, Trace.BLOCK_TOKENS, 256, 8192, true)
          : new EngineModel(ScriptedConfig.DEFAULT, 400_000, 16, 256, 8192, false);
    }
  }

  /** Checks every bound. */
  public SimSettings {
    speedFactors = List.copyOf(speedFactors);
    kills = List.copyOf(kills);
    require(
        engines >= 1 && engines <= ENGINES_MAX,
        "engines must be 1 to " + ENGINES_MAX + ", not " + engines);
    require(
        frontends >= 1 && frontends <= ENGINES_MAX,
        "frontends must be 1 to " + ENGINES_MAX + ", not " + frontends);
    require(
        speedFactors.size() <= engines,
        "%d speed factors for %d engines".formatted(speedFactors.size(), engines));
    for (double factor : speedFactors) {
      require(factor > 0 && factor < 1e6, "a speed factor must be above 0, not " + factor);
    }
    require(delayMs >= 0 && delayMs <= 1e6, "delay-ms must be at least 0, not " + delayMs);
    require(reportMs >= 0 && reportMs <= 1e6, "report-ms must be at least 0, not " + reportMs);
    require(detectMs >= 0 && detectMs <= 1e6, "detect-ms must be at least 0, not " + detectMs);
    for (Kill kill : kills) {
      require(
          kill.rank() >= 0 && kill.rank() < engines && kill.ms() >= 0,
          "kill %d@%s: ranks are 0 to %d, times from 0"
              .formatted(kill.rank(), kill.ms(), engines - 1));
    }
  }

  /** How much slower than the cost model a rank is. */
  double factor(int rank) {
    return rank < speedFactors.size() ? speedFactors.get(rank) : 1;
  }

  private static void require(boolean holds, String sentence) {
    if (!holds) {
      throw new ConfigException(sentence);
    }
  }
}
