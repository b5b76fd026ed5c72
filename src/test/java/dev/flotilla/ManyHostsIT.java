package dev.flotilla;

import static dev.flotilla.FlotillaProcess.readyRanks;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.flotilla.placement.Capacity;
import dev.flotilla.placement.Placement;
import dev.flotilla.placement.PlacementGroup;
import dev.flotilla.placement.PlacementJson;
import dev.flotilla.placement.Planner;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/**
 * A head and two agents on three hosts of a test network, one of which has no data of the cluster
 * and the other its engines in JVMs of their own.
 */
class ManyHostsIT {
  private static final int STREAMS = 50;
  private static final int TOKENS = 30;
  private static final Duration TRAFFIC = Duration.ofSeconds(2);
  private static final Duration TIDY = Duration.ofSeconds(15);

  @BeforeAll
  static void needsNamespaces() {
    String missing = TestNetwork.missing();
    if (missing != null) {
      System.err.println("WARN ManyHostsIT is skipped: " + missing);
    }
    assumeTrue(missing == null, () -> String.valueOf(missing));
  }

  @Test
  @Scenario({"A66", "A70", "A74", "A76"})
  void placesByStrategyScalesUnderStreamsAndLeavesNothingBehind() throws Exception {
    try (Hosts hosts = Hosts.of(3)) {
      FlotillaProcess head = hosts.head();
      hosts.start(2, "cluster-lite.xml", "join", "--devices", "2");
      FlotillaProcess processes =
          hosts.start(3, "cluster-tcp.xml", "join", "--devices", "3", "-dpb", "process");
      URI base = hosts.awaitReady(head, 1);
      assertEquals(List.of(0, 1, 2, 3), readyRanks(base));
      assertEquals(planned(base), ranksById(base), "as planned");

      try (ExactStreams streams = ExactStreams.start(() -> base, STREAMS, TOKENS);
          FirstTraffic traffic = FirstTraffic.watch(base)) {
        streams.awaitEnded(STREAMS);
        for (int size : List.of(6, 2, 5)) {
          Hosts.scale(base, size, 2);
          assertEquals(200, FlotillaProcess.get(base, "/metrics").statusCode());
          streams.awaitEnded(STREAMS);
          assertEquals(List.of(), streams.faults(), () -> "at " + size);
        }
        traffic.awaitAll(Slowness.scaled(TRAFFIC));
        System.out.printf(
            "many hosts: %d streams, first traffic of new ranks after %s ms%n",
            streams.ended(), traffic.delaysMs());
        traffic.delaysMs().forEach(ms -> assertTrue(ms <= limitMs(), traffic::toString));
      }
      leavesNothing(hosts, base, processes);
    }
  }

  /** All that a name server would say comes from a file here. */
  @Test
  void podsFindEachOtherByTheNameOfTheirService() throws Exception {
    try (Hosts hosts = Hosts.of(2)) {
      String config = "cluster-kubernetes.xml";
      FlotillaProcess head =
          hosts.start(
              1,
              config,
              "serve",
              "--executor",
              "scripted",
              "-dpb",
              "cluster",
              "-dp",
              "2",
              "--devices",
              "1",
              "--api-server-count",
              "1",
              "--host",
              "0.0.0.0",
              "--port",
              "0");
      FlotillaProcess pod =
          hosts.start(
              2,
              config,
              "join",
              "--devices",
              "1",
              "--api-server-count",
              "1",
              "--host",
              "0.0.0.0",
              "--port",
              "0");
      URI base = hosts.awaitReady(head, 1);
      Hosts.awaitRanks(
          base,
          Map.of(hosts.network().address(1), List.of(0), hosts.network().address(2), List.of(1)));
      URI other = hosts.awaitReady(pod, 2);
      await("its front-end knows the engines")
          .atMost(TIDY)
          .until(() -> readyRanks(other).equals(List.of(0, 1)));
    }
  }

  private static long limitMs() {
    return Slowness.scaled(TRAFFIC).toMillis();
  }

  private static void leavesNothing(Hosts hosts, URI base, FlotillaProcess processes)
      throws Exception {
    Hosts.scale(base, 2, 1);
    Map<String, List<Integer>> ranks = Hosts.ranks(base);
    try (BusAddresses bus = BusAddresses.of(hosts)) {
      await("what was there goes").atMost(TIDY).until(() -> bus.engines() == 2);
      long children = processes.descendants().count();
      Set<String> addresses = bus.all();
      Set<String> series = series(base);
      for (int round = 0; round < 5; round++) {
        Hosts.scale(base, 4, 1);
        Hosts.scale(base, 2, 1);
      }
      assertEquals(ranks, Hosts.ranks(base), "leases are as they were");
      assertEquals(List.of(0, 1), readyRanks(base));
      await("addresses go")
          .atMost(TIDY)
          .untilAsserted(() -> assertEquals(addresses, bus.all(), "addresses"));
      await("processes end").atMost(TIDY).until(() -> processes.descendants().count() == children);
      Set<String> more = series(base);
      more.removeAll(series);
      assertEquals(Set.of(), more, "metric series");
    }
  }

  /** The ranks that the planner gives each node, by its id, if all devices are free. */
  private static Map<String, List<Integer>> planned(URI base) throws Exception {
    List<Capacity> free = new ArrayList<>();
    String head = "";
    for (JsonNode node : Hosts.nodes(base)) {
      head = node.path("head").asBoolean() ? node.path("id").asText() : head;
      ObjectNode all = node.deepCopy();
      all.put("free", node.path("devices").asInt());
      free.addAll(PlacementJson.nodes("{\"nodes\":[" + all + "]}"));
    }
    PlacementFlags flags = new PlacementFlags();
    CommandLine.populateCommand(flags, "--pack-strategy", "fill");
    Placement plan = Planner.plan(free, flags.request(head, 4, 1));
    Map<String, List<Integer>> ranks = new TreeMap<>();
    free.forEach(node -> ranks.put(node.node(), new ArrayList<>()));
    for (PlacementGroup group : ((Placement.Planned) plan).groups()) {
      Objects.requireNonNull(ranks.get(group.control())).add(group.rank());
    }
    return ranks;
  }

  private static Map<String, List<Integer>> ranksById(URI base) throws Exception {
    Map<String, List<Integer>> ranks = new TreeMap<>();
    for (JsonNode node : Hosts.nodes(base)) {
      List<Integer> its = new ArrayList<>();
      node.path("ranks").forEach(rank -> its.add(rank.asInt()));
      ranks.put(node.path("id").asText(), its);
    }
    return ranks;
  }

  /** Names and labels of what is measured of engines. */
  private static Set<String> series(URI base) throws Exception {
    Set<String> all = new TreeSet<>();
    FlotillaProcess.get(base, "/metrics")
        .body()
        .lines()
        .filter(line -> line.startsWith("vllm:") || line.startsWith("flotilla_"))
        .forEach(line -> all.add(line.substring(0, line.lastIndexOf(' '))));
    return all;
  }
}
