package dev.flotilla;

import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Brings this machine's devices to a cluster: engines run here when the coordinator says so. */
@Command(
    name = "join",
    description = "Bring this machine's devices to a cluster, for engines that its head places.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class JoinCommand implements Callable<Integer> {
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

  @Option(names = "--cluster-name", description = "Nodes of one name form one cluster (flotilla).")
  private @Nullable String clusterName;

  @Option(names = "--cluster-config", description = "Hazelcast configuration (cluster.xml).")
  private @Nullable String clusterConfig;

  @Override
  public Integer call() throws Exception {
    ServeFlags flags = new ServeFlags();
    flags.headless = true;
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
