package dev.flotilla;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import dev.flotilla.config.ConfigException;
import dev.flotilla.config.CoordinatorConfig;
import dev.flotilla.config.EngineConfig;
import dev.flotilla.config.ExecutorKind;
import dev.flotilla.config.FrontendConfig;
import dev.flotilla.config.ModelLocation;
import dev.flotilla.config.NodeConfig;
import dev.flotilla.config.ScriptedConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one {@code serve} starts, from its flags. Pure; a combination that makes no sense is refused
 * with a sentence.
 *
 * @param model folder
 * @param startRank first rank of this node
 * @param local engines of this node
 * @param frontends API servers of this node
 * @param ready engines that must be ready before this node says that it is
 */
record ServePlan(
    Path model,
    int size,
    int startRank,
    int local,
    boolean headless,
    int frontends,
    int ready,
    EngineConfig engine,
    FrontendConfig frontend,
    CoordinatorConfig coordinator,
    int readyTimeoutSeconds,
    @Nullable String head,
    @Nullable String clusterName,
    @Nullable String clusterConfig,
    boolean joins) {

  /** As many tokens as two cores compute in about a third of a second with a 135M model. */
  private static final int CPU_BATCH_TOKENS = 512;

  private static final int BATCH_TOKENS = 8192;

  /** The plan of the flags. */
  static ServePlan of(ServeFlags flags) {
    int size =
        flags.dataParallelSize != null ? flags.dataParallelSize : flags.model == null ? 2 : 1;
    check(size >= 1, "--data-parallel-size must be at least 1, not %d", size);
    int start = flags.dataParallelStartRank == null ? 0 : flags.dataParallelStartRank;
    int local =
        flags.dataParallelSizeLocal != null
            ? flags.dataParallelSizeLocal
            : flags.headless ? size - start : size;
    checkRanks(flags, size, start, local);
    int frontends = flags.apiServerCount != null ? flags.apiServerCount : flags.headless ? 0 : 1;
    check(
        !flags.headless || frontends == 0,
        "--headless brings no API server: leave --api-server-count (%d) out",
        frontends);
    check(
        flags.headless || (frontends >= 1 && frontends <= 64),
        "--api-server-count must be 1 to 64, not %d",
        frontends);
    check(
        !flags.noJoin || (local == size && !flags.headless),
        "--no-join keeps to this process, so all %d engines must be local, not %d",
        size,
        local);
    int ready = flags.minReadyEngines == null ? size : flags.minReadyEngines;
    check(
        ready >= 1 && ready <= size,
        "--min-ready-engines must be 1 to %d (--data-parallel-size), not %d",
        size,
        ready);
    check(
        flags.engineReadyTimeout >= 1,
        "--engine-ready-timeout must be at least 1 second, not %d",
        flags.engineReadyTimeout);
    String model = flags.model == null ? "" : flags.model;
    Path folder = ModelLocation.resolve(model).toAbsolutePath().normalize();
    return new ServePlan(
        folder,
        size,
        start,
        local,
        flags.headless,
        frontends,
        ready,
        engine(flags, folder, size),
        frontend(flags, folder),
        coordinator(size),
        flags.engineReadyTimeout,
        flags.dataParallelAddress,
        flags.clusterName,
        flags.clusterConfig,
        !flags.noJoin);
  }

  /** The agent's settings: the engines of this node. */
  NodeConfig node() {
    List<EngineConfig> engines = new ArrayList<>();
    for (int i = 0; i < local; i++) {
      engines.add(engine.withRank(startRank + i));
    }
    return new NodeConfig(0, headless, engines);
  }

  private static void checkRanks(ServeFlags flags, int size, int start, int local) {
    check(
        start == 0 || flags.headless,
        "--data-parallel-start-rank %d is for --headless nodes: the head has rank 0",
        start);
    check(
        start >= 0 && start < size,
        "--data-parallel-start-rank must be 0 to %d, not %d",
        size - 1,
        start);
    check(
        local >= (flags.headless ? 1 : 0),
        "--data-parallel-size-local must be at least %d here, not %d",
        flags.headless ? 1 : 0,
        local);
    check(
        start + local <= size,
        "ranks %d to %d do not fit --data-parallel-size %d",
        start,
        start + local - 1,
        size);
  }

  private static EngineConfig engine(ServeFlags flags, Path folder, int size) {
    EngineConfig base = EngineConfig.DEFAULT;
    int tokens =
        flags.maxNumBatchedTokens != null
            ? flags.maxNumBatchedTokens
            : flags.executor == ExecutorKind.CPU ? CPU_BATCH_TOKENS : BATCH_TOKENS;
    return new EngineConfig(
        folder.toString(),
        flags.executor,
        base.rank(),
        size,
        flags.maxNumSeqs,
        tokens,
        flags.maxModelLen,
        flags.blockSize,
        flags.numGpuBlocksOverride,
        flags.maxNumQueuedReqs,
        !flags.headless,
        flags.headless,
        ScriptedConfig.DEFAULT.withScale(flags.scriptedTimeScale));
  }

  private static FrontendConfig frontend(ServeFlags flags, Path folder) {
    FrontendConfig base = FrontendConfig.DEFAULT;
    return new FrontendConfig(
        flags.host,
        flags.port,
        folder.toString(),
        flags.servedModelName,
        flags.apiKey,
        base.maxBodyBytes(),
        base.requestTimeoutMs(),
        flags.minReadyEngines == null ? base.minReadyEngines() : flags.minReadyEngines);
  }

  private static CoordinatorConfig coordinator(int size) {
    CoordinatorConfig base = CoordinatorConfig.DEFAULT;
    return new CoordinatorConfig(
        size, base.publishMinMs(), base.publishMaxMs(), base.suspectMs(), base.deadMs());
  }

  @FormatMethod
  private static void check(boolean holds, @FormatString String sentence, Object... args) {
    if (!holds) {
      throw new ConfigException(sentence.formatted(args));
    }
  }
}
