package dev.flotilla;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** Nodes on the hosts of a {@link TestNetwork}: a head on the first, agents on the others. */
final class Hosts implements AutoCloseable {
  private static final String SERVICE = "flotilla.test.svc";
  private static final Duration SETTLES = Duration.ofSeconds(30);

  private final TestNetwork network;
  private final String cluster = FlotillaProcess.uniqueCluster();
  private final List<FlotillaProcess> nodes = new CopyOnWriteArrayList<>();

  private @Nullable Path names; // In place of a name server.

  private Hosts(TestNetwork network) {
    this.network = network;
  }

  static Hosts of(int count) {
    return new Hosts(TestNetwork.of(count));
  }

  /** The name of their cluster. */
  String cluster() {
    return cluster;
  }

  TestNetwork network() {
    return network;
  }

  /**
   * Starts a node.
   *
   * @param config file of the distribution's {@code config} folder
   */
  FlotillaProcess start(int host, String config, String... arguments) throws IOException {
    Map<String, String> environment =
        Map.of(
            "FLOTILLA_CLUSTER_CONFIG",
            FlotillaProcess.home().resolve("config").resolve(config).toString(),
            "FLOTILLA_JAVA_OPTS",
            "-Xmx400m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dcluster.interface=%s %s"
                .formatted(network.pattern(), others(config)));
    List<String> all = new ArrayList<>(Arrays.asList(arguments));
    all.addAll(List.of("--cluster-name", cluster));
    FlotillaProcess node =
        FlotillaProcess.start(
            network.on(host), "flotilla", environment, all.toArray(String[]::new));
    nodes.add(node);
    return node;
  }

  private String others(String config) throws IOException {
    if (!config.contains("kubernetes")) {
      return "-Dcluster.members=" + network.addresses();
    }
    if (names == null) {
      names = Files.createTempFile("hosts", "");
      String service = network.addresses().replace(",", " " + SERVICE + "\n");
      Files.writeString(names, service + " " + SERVICE + "\n");
    }
    return "-Dcluster.service=%s -Djdk.net.hosts.file=%s".formatted(SERVICE, names);
  }

  /** Starts the head on host 1, which serves four scripted ranks there and on the others. */
  FlotillaProcess head(String... more) throws IOException {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "serve",
                "--executor",
                "scripted",
                "--scripted-time-scale",
                "4",
                "--data-parallel-backend",
                "cluster",
                "-dp",
                "4",
                "--data-parallel-size-local",
                "1",
                "--pack-strategy",
                "fill",
                "--devices",
                "2",
                "--api-server-count",
                "1",
                "--host",
                "0.0.0.0",
                "--port",
                "0"));
    arguments.addAll(List.of(more));
    return start(1, "cluster-tcp.xml", arguments.toArray(String[]::new));
  }

  /** Waits until a node on a host says that it is ready; where it serves, seen from here. */
  URI awaitReady(FlotillaProcess node, int host) {
    return URI.create("http://%s:%d".formatted(network.address(host), node.awaitReady().getPort()));
  }

  /** Ranks of each node, by its address. */
  static Map<String, List<Integer>> ranks(URI base) throws Exception {
    Map<String, List<Integer>> ranks = new TreeMap<>();
    for (JsonNode node : nodes(base)) {
      List<Integer> its = new ArrayList<>();
      node.path("ranks").forEach(rank -> its.add(rank.asInt()));
      ranks.put(node.path("address").asText(), its);
    }
    return ranks;
  }

  /** What {@code /nodes} lists. */
  static JsonNode nodes(URI base) throws Exception {
    return FlotillaProcess.json(FlotillaProcess.get(base, "/nodes").body()).path("nodes");
  }

  /** Changes the number of ranks; must succeed, with all of them ready at the answer. */
  static void scale(URI base, int size, int drainSeconds) throws Exception {
    HttpResponse<String> answer =
        FlotillaProcess.post(
            base,
            "/scale_elastic_ep",
            "{\"new_data_parallel_size\":%d,\"drain_timeout\":%d}".formatted(size, drainSeconds));
    if (answer.statusCode() != 200 || FlotillaProcess.readyRanks(base).size() != size) {
      throw new AssertionError(
          "to %d: %d %s, ready %s"
              .formatted(
                  size, answer.statusCode(), answer.body(), FlotillaProcess.readyRanks(base)));
    }
  }

  /** Waits until these are the nodes' ranks. */
  static void awaitRanks(URI base, Map<String, List<Integer>> wanted) {
    await("ranks are where they belong")
        .atMost(Slowness.scaled(SETTLES))
        .untilAsserted(
            () -> {
              Map<String, List<Integer>> now = ranks(base);
              if (!now.equals(wanted)) {
                throw new AssertionError(now + " instead of " + wanted);
              }
            });
  }

  @Override
  public void close() throws IOException {
    if (names != null) {
      Files.delete(names);
    }
    nodes.reversed().forEach(FlotillaProcess::close);
    network.close();
    List<String> left = network.leftovers();
    if (!left.isEmpty()) {
      throw new AssertionError("the network has left something behind: " + left);
    }
  }
}
