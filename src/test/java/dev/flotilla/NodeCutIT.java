package dev.flotilla;

import static dev.flotilla.FlotillaProcess.readyRanks;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The cable of a host with two ranks is pulled for 20 s, while others have room for them. */
class NodeCutIT {
  private static final Duration CUT = Duration.ofSeconds(20);
  private static final Duration REPLACED = Duration.ofSeconds(18);
  private static final Duration BACK = Duration.ofSeconds(30);
  private static final int STREAMS = 24;
  private static final int TOKENS = 60;

  @BeforeAll
  static void needsNamespaces() {
    String missing = TestNetwork.missing();
    if (missing != null) {
      System.err.println("WARN NodeCutIT is skipped: " + missing);
    }
    assumeTrue(missing == null, () -> String.valueOf(missing));
  }

  @Test
  void ranksOfACutOffHostAreReplacedAndEndedWhenItReturns() throws Exception {
    try (Hosts hosts = Hosts.of(3)) {
      FlotillaProcess head = hosts.head();
      FlotillaProcess lost = hosts.start(2, "cluster-tcp.xml", "join", "--devices", "2");
      hosts.start(3, "cluster-tcp.xml", "join", "--devices", "2");
      URI base = hosts.awaitReady(head, 1);
      String address = hosts.network().address(2);
      List<Integer> its = Hosts.ranks(base).getOrDefault(address, List.of());
      assertTrue(!its.isEmpty(), () -> "nothing to lose on " + address);
      try (ExactStreams streams = ExactStreams.start(() -> base, STREAMS, TOKENS)) {
        streams.awaitEnded(STREAMS);
        Map<Integer, Long> before = epochs(base);

        long cut = System.nanoTime();
        hosts.network().cut(2);
        await("its ranks are replaced")
            .atMost(Slowness.scaled(REPLACED))
            .until(() -> replaced(base, its, before) && !Hosts.ranks(base).containsKey(address));
        System.out.printf(
            "cut off: ranks %s were replaced after %.1f s%n", its, (System.nanoTime() - cut) / 1e9);
        Map<Integer, Long> during = epochs(base);
        streams.awaitEnded(2 * STREAMS);
        await("the cut has lasted")
            .atMost(CUT.plusSeconds(5))
            .until(() -> System.nanoTime() - cut > CUT.toNanos());

        long healed = System.nanoTime();
        hosts.network().heal(2);
        Map<String, List<Integer>> wanted = new TreeMap<>(Hosts.ranks(base));
        wanted.put(address, List.of());
        await("it is back without its ranks")
            .atMost(Slowness.scaled(BACK))
            .untilAsserted(() -> assertEquals(wanted, Hosts.ranks(base)));
        System.out.printf(
            "healed: its engines had ended %.1f s later%n", (System.nanoTime() - healed) / 1e9);
        assertEquals(during, epochs(base), "those that replaced them serve on");
        streams.awaitEnded(STREAMS);
        assertEquals(List.of(), streams.faults());
      }
      assertTrue(lost.alive(), lost::output);
      Hosts.scale(base, 6, 1); // Which needs its devices.
      assertEquals(List.of(0, 1, 2, 3, 4, 5), readyRanks(base));
    }
  }

  private static boolean replaced(URI base, List<Integer> ranks, Map<Integer, Long> before)
      throws Exception {
    Map<Integer, Long> now = epochs(base);
    return readyRanks(base).equals(List.of(0, 1, 2, 3))
        && ranks.stream()
            .allMatch(rank -> now.getOrDefault(rank, 0L) > before.getOrDefault(rank, 0L));
  }

  private static Map<Integer, Long> epochs(URI base) throws Exception {
    Map<Integer, Long> epochs = new TreeMap<>();
    String engines = FlotillaProcess.get(base, "/engines").body();
    for (JsonNode engine : FlotillaProcess.json(engines).path("engines")) {
      epochs.put(engine.path("rank").asInt(), engine.path("epoch").asLong());
    }
    return epochs;
  }
}
