package dev.flotilla;

import dev.flotilla.config.ExecutorKind;
import java.util.List;
import org.jspecify.annotations.Nullable;
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
      description = "Engines of this node (all).")
  @Nullable Integer dataParallelSizeLocal;

  @Option(
      names = {"--data-parallel-start-rank", "-dpr"},
      description = "First rank of this headless node.")
  @Nullable Integer dataParallelStartRank;

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

  @Option(names = "--api-server-count", description = "Front-ends behind the port (1).")
  @Nullable Integer apiServerCount;

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
      names = "--max-num-queued-reqs",
      description = "Most waiting requests of an engine (${DEFAULT-VALUE}).")
  int maxNumQueuedReqs = 4096;

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

  @Option(names = "--cluster-name", description = "Nodes of one name form one cluster (flotilla).")
  @Nullable String clusterName;

  @Option(names = "--cluster-config", description = "Hazelcast configuration (cluster.xml).")
  @Nullable String clusterConfig;

  @Option(names = "--no-join", description = "No cluster: this process alone.")
  boolean noJoin;
}
