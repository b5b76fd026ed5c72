package dev.flotilla;

import dev.flotilla.config.ConfigException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * Brings this machine's devices to a cluster, where engines run when the coordinator says so, and
 * front-ends if they are wanted.
 */
@Command(
    name = "join",
    description =
        "Bring this machine's devices, and front-ends, to a cluster whose head places engines.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class JoinCommand implements Callable<Integer> {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "MODEL",
      description =
          "Folder of the served model, for the tokenizer of this node's front-ends (the bundled one).")
  private @Nullable String model;

  @Option(
      names = "--devices",
      description = "What ranks can run on here (GPUs found, else one for each core).")
  private int devices;

  @Option(
      names = {"--data-parallel-backend", "-dpb"},
      description =
          "verticle (ranks in this process) or process (one JVM per rank) (${DEFAULT-VALUE}).")
  private String backend = "verticle";

  @Option(
      names = {"--data-parallel-address", "-dpa"},
      description = "Host of a member of the cluster, if it is another.")
  private @Nullable String address;

  @Option(
      names = "--api-server-count",
      description =
          "Front-ends of this node; with at least one it stands by as coordinator (${DEFAULT-VALUE}).")
  private int apiServerCount;

  @Option(
      names = "--host",
      description = "Address that its front-ends listen on (${DEFAULT-VALUE}).")
  private String host = "127.0.0.1";

  @Option(names = "--port", description = "Their port, 0 for a free one (${DEFAULT-VALUE}).")
  private int port = 8000;

  @Option(
      names = "--served-model-name",
      arity = "1..*",
      description = "Names that requests may use (the folder's).")
  private List<String> servedModelName = List.of();

  @Option(names = "--api-key", arity = "1..*", description = "Keys that requests must bear one of.")
  private List<String> apiKey = List.of();

  @Option(
      names = "--load-balancing-policy",
      description = "By which they choose engines, as of serve (${DEFAULT-VALUE}).")
  private String loadBalancingPolicy = "flotilla";

  @Option(names = "--cluster-name", description = "Nodes of one name form one cluster (flotilla).")
  private @Nullable String clusterName;

  @Option(names = "--cluster-config", description = "Hazelcast configuration (cluster.xml).")
  private @Nullable String clusterConfig;

  @Override
  public Integer call() throws Exception {
    if (apiServerCount < 0) {
      throw new ConfigException("--api-server-count must not be negative: " + apiServerCount);
    }
    ServeFlags flags = new ServeFlags();
    flags.joining = true;
    flags.headless = apiServerCount == 0;
    flags.model = model;
    flags.apiServerCount = apiServerCount;
    flags.host = host;
    flags.port = port;
    flags.servedModelName = servedModelName;
    flags.apiKey = apiKey;
    flags.loadBalancingPolicy = loadBalancingPolicy;
    flags.devices = devices;
    flags.dataParallelBackend = backend;
    flags.dataParallelAddress = address;
    flags.clusterName = clusterName;
    flags.clusterConfig = clusterConfig;
    StartTimes times = StartTimes.begin();
    Node node = Node.start(ServePlan.of(flags, ignored -> false), times);
    Shutdown.closes(node::close);
    Shutdown.onSignals(node::hurry, node::kill);
    System.err.println(node.awaitReady());
    new CountDownLatch(1).await();
    return 0;
  }
}
