package dev.flotilla;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import dev.flotilla.config.Candidacy;
import dev.flotilla.config.ChoiceConfig;
import dev.flotilla.config.ConfigException;
import dev.flotilla.config.CoordinatorConfig;
import dev.flotilla.config.EngineConfig;
import dev.flotilla.config.ExecutorKind;
import dev.flotilla.config.FrontendConfig;
import dev.flotilla.config.LoadBalancing;
import dev.flotilla.config.LockstepConfig;
import dev.flotilla.config.ModelLocation;
import dev.flotilla.config.NodeConfig;
import dev.flotilla.config.QueueLimits;
import dev.flotilla.config.ScriptedConfig;
import dev.flotilla.launch.Backend;
import dev.flotilla.launch.DeviceSlice;
import dev.flotilla.launch.EngineFailure;
import dev.flotilla.launch.LaunchPlan;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What one {@code serve} starts, from its flags. Pure; a combination that makes no sense is refused
 * with a sentence.
 *
 * @param launch who starts what
 * @param model folder
 * @param deviceCount what ranks can run on here; 0: as found
 * @param devices of this node's ranks
 * @param shutdownTimeoutSeconds that running requests get at the end; 0 aborts them
 * @param headLostSeconds that a headless node waits for the next head
 * @param usageReport file; null: none is written
 */
record ServePlan(
    LaunchPlan launch,
    Path model,
    EngineConfig engine,
    FrontendConfig frontend,
    CoordinatorConfig coordinator,
    int deviceCount,
    DeviceSlice devices,
    int readyTimeoutSeconds,
    EngineFailure onEngineFailure,
    int spareEngines,
    int shutdownTimeoutSeconds,
    int headLostSeconds,
    @Nullable Path usageReport,
    @Nullable String head,
    @Nullable String clusterName,
    @Nullable String clusterConfig) {

  /** As many tokens as two cores compute in about a third of a second with a 135M model. */
  private static final int CPU_BATCH_TOKENS = 512;

  /**
   * A CPU takes for a prompt token as long as for a stream's, so that without a limit each arriving
   * prompt holds all streams up; few tokens at a time cost it little more than many.
   */
  private static final int CPU_PREFILL_PER_DECODE = 2;

  private static final int BATCH_TOKENS = 8192;

  /**
   * The plan of the flags.
   *
   * @param mixture whether the model in a folder is a mixture of experts; asked only where it
   *     matters
   */
  static ServePlan of(ServeFlags flags, Predicate<Path> mixture) {
    String model = flags.model == null ? "" : flags.model;
    Path folder = ModelLocation.resolve(model).toAbsolutePath().normalize();
    LaunchPlan launch =
        flags.joining
            ? LaunchPlan.ofJoining(flags.launch())
            : flags.bringsDevicesOnly()
                ? LaunchPlan.ofDevices(flags.launch())
                : LaunchPlan.of(flags.launch(), () -> mixture.test(folder));
    PlacingPlan placing = PlacingPlan.of(flags, launch);
    check(
        flags.engineReadyTimeout >= 1,
        "--engine-ready-timeout must be at least 1 second, not %d",
        flags.engineReadyTimeout);
    check(
        flags.shutdownTimeout >= 0,
        "--shutdown-timeout must not be negative: %d",
        flags.shutdownTimeout);
    check(
        flags.headLostTimeout >= 1,
        "--head-lost-timeout must be at least 1 second, not %d",
        flags.headLostTimeout);
    DeviceSlice devices =
        DeviceSlice.of(
            flags.deviceIds,
            System.getenv("CUDA_VISIBLE_DEVICES"),
            flags.placement.tensorParallelSize);
    if (flags.deviceIds != null && launch.starts().count() > 0) {
      devices.of(launch.starts().count() - 1);
    }
    EngineConfig engine = engine(flags, folder, launch);
    return new ServePlan(
        launch,
        folder,
        engine,
        frontend(flags, folder, launch),
        coordinator(flags, launch, engine).placing(placing.with(engine)),
        flags.devices,
        devices,
        flags.engineReadyTimeout,
        flags.onEngineFailure,
        flags.spareEngines,
        flags.shutdownTimeout,
        flags.headLostTimeout,
        flags.usageReport,
        flags.dataParallelAddress,
        flags.clusterName,
        flags.clusterConfig);
  }

  boolean headless() {
    return launch.headless();
  }

  boolean joins() {
    return launch.scope() == LaunchPlan.Scope.CLUSTERED;
  }

  /**
   * The agent's settings: the engines of this node.
   *
   * @param member where this node's member of the cluster is reached; empty if there is none
   * @param clusterFile of this node
   */
  NodeConfig node(String member, String clusterFile) {
    List<EngineConfig> engines = new ArrayList<>();
    List<String> slices = new ArrayList<>();
    for (int i = 0; i < launch.starts().count(); i++) {
      engines.add(engine.withRank(launch.starts().first() + i));
      if (devices.ids() != null) {
        slices.add(String.join(",", devices.of(i)));
      }
    }
    return new NodeConfig(
        deviceCount,
        headless(),
        engines,
        launch.backend() == Backend.PROCESS,
        onEngineFailure == EngineFailure.STOP,
        slices,
        headLostSeconds * 1_000L,
        new NodeConfig.Children(
            member, clusterName == null ? "" : clusterName, clusterFile, spareEngines));
  }

  private static int perDecode(ServeFlags flags) {
    return flags.maxPrefillPerDecode != null
        ? flags.maxPrefillPerDecode
        : flags.executor == ExecutorKind.CPU ? CPU_PREFILL_PER_DECODE : 0;
  }

  private static EngineConfig engine(ServeFlags flags, Path folder, LaunchPlan launch) {
    EngineConfig base = EngineConfig.DEFAULT;
    int tokens =
        flags.maxNumBatchedTokens != null
            ? flags.maxNumBatchedTokens
            : flags.executor == ExecutorKind.CPU ? CPU_BATCH_TOKENS : BATCH_TOKENS;
    return new EngineConfig(
        folder.toString(),
        flags.executor,
        base.rank(),
        launch.size(),
        flags.maxNumSeqs,
        tokens,
        flags.maxModelLen,
        flags.blockSize,
        flags.numGpuBlocksOverride,
        flags.maxNumQueuedReqs == null
            ? base.maxNumQueuedReqs()
            : Math.max(base.maxNumQueuedReqs(), flags.maxNumQueuedReqs),
        flags.enablePrefixCaching,
        flags.longPrefillTokenThreshold,
        perDecode(flags),
        flags.schedulingPolicy,
        flags.disableLogStats,
        launch.coordinator(),
        launch.headless(),
        flags.enableExpertParallel,
        base.handshakeTimeoutMs(),
        ScriptedConfig.DEFAULT.withScale(flags.scriptedTimeScale),
        new LockstepConfig(
            flags.dpSyncInterval, flags.collectiveTimeoutMs, base.lockstep().host()));
  }

  private static FrontendConfig frontend(ServeFlags flags, Path folder, LaunchPlan launch) {
    FrontendConfig base = FrontendConfig.DEFAULT;
    return new FrontendConfig(
        flags.host,
        flags.port,
        folder.toString(),
        flags.servedModelName,
        flags.apiKey,
        base.maxBodyBytes(),
        base.requestTimeoutMs(),
        flags.minReadyEngines == null ? base.minReadyEngines() : flags.minReadyEngines,
        launch.choosable(),
        flags.metricsEngineLabel,
        new ChoiceConfig(
            LoadBalancing.of(flags.loadBalancingPolicy),
            balanceIn(flags.balanceIn),
            flags.enableDecisionHeader),
        new QueueLimits(flags.maxNumQueuedReqs, flags.maxNumQueuedTokens),
        0);
  }

  /** Every node with a front-end has one; that of the head founds the group, others may follow. */
  private static CoordinatorConfig coordinator(
      ServeFlags flags, LaunchPlan launch, EngineConfig engine) {
    boolean head = launch.coordinator();
    boolean placed = launch.backend() == Backend.CLUSTER;
    Integer local = head && !placed ? launch.starts().count() : null;
    Candidacy candidacy =
        launch.scope() == LaunchPlan.Scope.LOCAL
            ? Candidacy.AT_ONCE
            : head ? Candidacy.FOUNDER : Candidacy.SUCCESSOR;
    return CoordinatorConfig.ofSize(launch.size())
        .expecting(launch.balancing(), local, launch.lockstep(), engine.hash())
        .under(LoadBalancing.of(flags.loadBalancingPolicy))
        .standingBy(candidacy);
  }

  private static ChoiceConfig.Place balanceIn(String flag) {
    for (ChoiceConfig.Place place : ChoiceConfig.Place.values()) {
      if (place.toString().equals(flag)) {
        return place;
      }
    }
    throw new ConfigException("--balance-in must be frontend or coordinator, not '" + flag + "'");
  }

  @FormatMethod
  private static void check(boolean holds, @FormatString String sentence, Object... args) {
    if (!holds) {
      throw new ConfigException(sentence.formatted(args));
    }
  }
}
