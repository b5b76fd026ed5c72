package dev.flotilla;

import dev.flotilla.config.EngineLabel;
import dev.flotilla.config.ExecutorKind;
import dev.flotilla.config.LockstepConfig;
import dev.flotilla.config.SchedulingPolicy;
import dev.flotilla.launch.EngineFailure;
import dev.flotilla.launch.LaunchFlags;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What {@code serve} takes: the flags of vLLM with their names and meaning, and our own. */
final class ServeFlags {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "MODEL",
      description = "Folder in Hugging Face layout; without it the bundled tiny-llama is served.")
  @Nullable String model;

  @Option(names = "--host", description = "Address to listen on (${DEFAULT-VALUE}).")
  String host = "127.0.0.1";

  @Option(names = "--port", description = "Port to listen on, 0 for a free one (${DEFAULT-VALUE}).")
  int port = 8000;

  @Option(
      names = {"--data-parallel-size", "-dp"},
      description = "Engines in all (2 with the bundled model, else 1).")
  @Nullable Integer dataParallelSize;

  @Option(
      names = {"--data-parallel-size-local", "-dpl"},
      description = "Engines of this node (all; 1 under external load balancing).")
  @Nullable Integer dataParallelSizeLocal;

  @Option(
      names = {"--data-parallel-start-rank", "-dpr"},
      description = "First rank of this headless node; without --headless: hybrid load balancing.")
  @Nullable Integer dataParallelStartRank;

  @Option(
      names = {"--data-parallel-rank", "-dpn"},
      description = "The rank of this process; means external load balancing.")
  @Nullable Integer dataParallelRank;

  @Option(
      names = {"--data-parallel-external-lb", "-dpe"},
      description = "Every rank has its own API server; something outside balances over them.")
  boolean dataParallelExternalLb;

  @Option(
      names = {"--data-parallel-hybrid-lb", "-dph"},
      description =
          "Every node has API servers for its own ranks; something outside chooses nodes.")
  boolean dataParallelHybridLb;

  @Option(
      names = {"--data-parallel-backend", "-dpb"},
      description =
          "verticle (ranks in this process), process, alias mp (one JVM per rank), or cluster (ranks wherever nodes have devices) (${DEFAULT-VALUE}).")
  String dataParallelBackend = "verticle";

  @Option(
      names = {"--enable-expert-parallel", "-ep"},
      description =
          "Spread a mixture's experts over all ranks; all must then have the same settings.")
  boolean enableExpertParallel;

  @Option(
      names = "--dp-sync-interval",
      description =
          "Steps of an expert-parallel group between two agreements whether work is left (${DEFAULT-VALUE}).")
  int dpSyncInterval = LockstepConfig.DEFAULT.syncInterval();

  @Option(
      names = "--collective-timeout-ms",
      description =
          "How long an expert-parallel rank waits for the others in one exchange (${DEFAULT-VALUE}).")
  long collectiveTimeoutMs = LockstepConfig.DEFAULT.timeoutMs();

  @Option(
      names = "--enable-elastic-ep",
      description = "Accepted for vLLM's sake: every group can grow and shrink.")
  boolean enableElasticEp;

  @Option(
      names = "--device-ids",
      paramLabel = "ID,ID…",
      description = "Devices of this node's ranks, so many per rank as it needs (all visible).")
  @Nullable String deviceIds;

  @Option(
      names = {"--data-parallel-address", "-dpa"},
      description = "Host of the head, for a headless node on another host.")
  @Nullable String dataParallelAddress;

  @Option(
      names = {"--data-parallel-rpc-port", "-dpp"},
      description = "Accepted for vLLM's sake and without effect: nodes meet over cluster.xml.")
  @Nullable Integer dataParallelRpcPort;

  @Option(names = "--headless", description = "Engines only: no HTTP, no coordinator.")
  boolean headless;

  @Option(
      names = "--api-server-count",
      description =
          "Front-ends behind the port (one per rank they choose from; external 1, headless 0).")
  @Nullable Integer apiServerCount;

  @Option(
      names = "--load-balancing-policy",
      description =
          "round-robin, least-in-flight, vllm-classic, vllm or flotilla (${DEFAULT-VALUE}).")
  String loadBalancingPolicy = "flotilla";

  @Option(
      names = "--balance-in",
      description =
          "Who chooses engines: frontend (each for itself) or coordinator (${DEFAULT-VALUE}).")
  String balanceIn = "frontend";

  @Option(
      names = "--enable-decision-header",
      description = "Say in X-Flotilla-Decision of each answer why its engine was chosen.")
  boolean enableDecisionHeader;

  @Option(names = "--executor", description = "cpu, cuda or scripted (${DEFAULT-VALUE}).")
  ExecutorKind executor = ExecutorKind.CPU;

  @Option(
      names = "--scripted-time-scale",
      description = "Factor on the scripted executor's step times, 0 for none (${DEFAULT-VALUE}).")
  double scriptedTimeScale = 1;

  @Option(names = "--max-num-seqs", description = "Most sequences of a step (${DEFAULT-VALUE}).")
  int maxNumSeqs = 256;

  @Option(
      names = "--max-num-batched-tokens",
      description = "Most tokens of a step (512 on a CPU, else 8192).")
  @Nullable Integer maxNumBatchedTokens;

  @Option(
      names = "--max-model-len",
      description = "Most tokens of prompt and output (the model's).")
  @Nullable Integer maxModelLen;

  @Option(names = "--block-size", description = "Tokens of a KV cache block (${DEFAULT-VALUE}).")
  int blockSize = 16;

  @Option(
      names = "--num-gpu-blocks-override",
      description = "KV cache blocks of an engine, whatever it computes on (from memory).")
  @Nullable Integer numGpuBlocksOverride;

  @Option(
      names = "--enable-prefix-caching",
      negatable = true,
      defaultValue = "true",
      fallbackValue = "true",
      description = "Keep keys and values of prompts for others that begin alike (the default).")
  boolean enablePrefixCaching = true;

  @Option(
      names = "--long-prefill-token-threshold",
      description =
          "Most tokens that one prompt gets of a step, 0 for no limit (${DEFAULT-VALUE}).")
  int longPrefillTokenThreshold;

  @Option(
      names = "--max-prefill-per-decode",
      description =
          "Most prompt tokens of a step for each stream that decodes in it, so that prompts do not slow streams down, 0 for no limit (2 on a CPU, else 0).")
  @Nullable Integer maxPrefillPerDecode;

  @Option(
      names = "--scheduling-policy",
      description =
          "fcfs, or priority: smaller first, 5 s of waiting are worth a level (${DEFAULT-VALUE}).")
  SchedulingPolicy schedulingPolicy = SchedulingPolicy.FCFS;

  @Option(
      names = "--max-num-queued-reqs",
      description =
          "Most requests under way in all engines, waiting or running; beyond it 429 (no limit).")
  @Nullable Integer maxNumQueuedReqs;

  @Option(
      names = "--max-num-queued-tokens",
      description = "Most prompt tokens that wait in all engines; beyond it 429 (no limit).")
  @Nullable Long maxNumQueuedTokens;

  @Option(
      names = "--served-model-name",
      arity = "1..*",
      description = "Names that requests may use (the folder's).")
  List<String> servedModelName = List.of();

  @Option(names = "--api-key", arity = "1..*", description = "Keys that requests must bear one of.")
  List<String> apiKey = List.of();

  @Option(
      names = "--min-ready-engines",
      description = "Ready, at launch and later, with so many (launch: all; later: 1).")
  @Nullable Integer minReadyEngines;

  @Option(
      names = "--engine-ready-timeout",
      description = "Seconds until all engines must be ready (${DEFAULT-VALUE}).")
  int engineReadyTimeout = 600;

  @Option(
      names = "--on-engine-failure",
      description =
          "continue (the others serve on, the rank is started again) or stop (${DEFAULT-VALUE}).")
  EngineFailure onEngineFailure = EngineFailure.CONTINUE;

  @Option(
      names = "--spare-engines",
      description =
          "JVMs kept ready to take over a rank that dies, with --data-parallel-backend process (${DEFAULT-VALUE}).")
  int spareEngines = 1;

  @Option(
      names = "--shutdown-timeout",
      description =
          "Seconds that running requests get when the server is told to end; 0 aborts them (${DEFAULT-VALUE}).")
  int shutdownTimeout;

  @Option(
      names = "--head-lost-timeout",
      description =
          "Seconds that a headless node waits for the next head before it ends (${DEFAULT-VALUE}).")
  int headLostTimeout = 300;

  @Option(
      names = "--disable-log-stats",
      description = "Do not log throughput and load every 10 seconds.")
  boolean disableLogStats;

  @Option(
      names = "--metrics-engine-label",
      description =
          "per-engine, or sum: one series over all engines, for readers of one (${DEFAULT-VALUE}).")
  EngineLabel metricsEngineLabel = EngineLabel.PER_ENGINE;

  @Option(
      names = "--usage-report",
      paramLabel = "FILE",
      description = "Write what is served and how into this file; nothing is sent anywhere.")
  @Nullable Path usageReport;

  @Option(names = "--cluster-name", description = "Nodes of one name form one cluster (flotilla).")
  @Nullable String clusterName;

  @Option(names = "--cluster-config", description = "Hazelcast configuration (cluster.xml).")
  @Nullable String clusterConfig;

  @Option(names = "--no-join", description = "No cluster: this process alone.")
  boolean noJoin;

  @Mixin PlacementFlags placement = new PlacementFlags();

  @Option(
      names = "--placement",
      paramLabel = "FILE",
      description =
          "Ranks are placed as 'place --json' has planned, by --data-parallel-backend cluster.")
  @Nullable Path placementFile;

  @Option(
      names = "--devices",
      description = "What ranks can run on here (GPUs found, else one for each core).")
  int devices;

  @Option(
      names = "--engine-environment",
      paramLabel = "NAME,NAME…",
      description =
          "Variables that engines in processes of other nodes get as they are here, besides FLOTILLA_… (none).")
  String engineEnvironment = "";

  @Option(
      names = "--debug-scaling-phase-ms",
      hidden = true,
      description =
          "What every phase of a change of the group takes at least, to see what happens in it (0).")
  long scalingPhaseMs;

  /** Set by {@code join}, whose node brings devices and perhaps front-ends. */
  boolean joining;

  /** Whether nothing is said of ranks, so that a headless node brings its devices only. */
  boolean bringsDevicesOnly() {
    return headless
        && dataParallelSize == null
        && dataParallelSizeLocal == null
        && dataParallelStartRank == null
        && dataParallelRank == null
        && !dataParallelExternalLb
        && !dataParallelHybridLb;
  }

  /** What of these is about who starts what. */
  LaunchFlags launch() {
    int bundled = model == null && !dataParallelExternalLb && dataParallelRank == null ? 2 : 1;
    return new LaunchFlags(
        dataParallelSize != null ? dataParallelSize : bundled,
        dataParallelSizeLocal,
        dataParallelStartRank,
        dataParallelRank,
        dataParallelExternalLb,
        dataParallelHybridLb,
        headless,
        false,
        enableElasticEp,
        enableExpertParallel,
        dataParallelBackend,
        apiServerCount,
        minReadyEngines,
        noJoin);
  }
}
