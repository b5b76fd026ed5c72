package dev.flotilla;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Nodes are killed in each phase of growing and of shrinking, one after the other: agents that have
 * a part in it, and whoever coordinates it. Streams run all the while, through a front-end that is
 * not to be killed next. Phases last as long as a debug flag says, or nobody could hit them.
 */
class ChangeLossIT {
  private static final int SMALL = 2;
  private static final int LARGE = 5;
  private static final int STREAMS = 6;
  private static final int TOKENS = 20;
  private static final Duration SETTLED = Duration.ofSeconds(10);

  /** Longer than the end of a killed process is overlooked. */
  private static final Duration STAYS = Duration.ofMillis(800);

  private static final List<String> UP = List.of("reserve", "start", "settle");
  private static final List<String> DOWN = List.of("drain", "retire", "settle");

  /** {@code -Dchange.loss=all}: every phase; otherwise the longest of each change, to save time. */
  private static final boolean ALL = System.getProperty("change.loss", "").equals("all");

  private static final Set<String> USUAL = Set.of("start", "retire");

  private final String cluster = FlotillaProcess.uniqueCluster();
  private final List<FlotillaProcess> nodes = new ArrayList<>();
  private final List<FlotillaProcess> started = new ArrayList<>(); // Those that were killed too.
  private final List<Long> settledMs = new ArrayList<>();
  private FlotillaProcess leader = node("serve", "--executor", "scripted", "-dp", "2");
  private FlotillaProcess standby = leader;
  private volatile URI base = URI.create("http://127.0.0.1");

  ChangeLossIT() throws IOException {}

  @BeforeEach
  void start() throws Exception {
    agent();
    agent();
    standby = standby();
    leader.awaitReady();
    base = standby.awaitReady();
    awaitSettled(Duration.ofSeconds(60));
  }

  @AfterEach
  void stop() {
    nodes.forEach(FlotillaProcess::kill);
    nodes.forEach(FlotillaProcess::close);
  }

  /** The head's further flags are without effect elsewhere. */
  private FlotillaProcess node(String command, String... arguments) throws IOException {
    List<String> all = new ArrayList<>(List.of(command));
    all.addAll(List.of(arguments));
    if (command.equals("serve")) {
      all.addAll(List.of("--data-parallel-backend", "cluster", "--data-parallel-size-local", "1"));
      all.addAll(List.of("--pack-strategy", "fill", "--debug-scaling-phase-ms", "400"));
      // With one device nobody who may lead has all ranks, so that streams have somewhere to go on.
      all.addAll(List.of("--devices", "1", "--api-server-count", "1", "--port", "0"));
      all.addAll(List.of("--scripted-time-scale", "4"));
    }
    all.addAll(List.of("--cluster-name", cluster));
    // Sixteen JVMs start here, most of them while all others work.
    Map<String, String> light =
        Map.of("FLOTILLA_JAVA_OPTS", "-Xmx400m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC");
    FlotillaProcess node = FlotillaProcess.start("flotilla", light, all.toArray(String[]::new));
    nodes.add(node);
    started.add(node);
    return node;
  }

  private FlotillaProcess agent() throws IOException {
    return node("join", "--devices", "3");
  }

  private FlotillaProcess standby() throws IOException {
    return node("join", "--devices", "1", "--api-server-count", "1", "--port", "0");
  }

  @Test
  @Scenario({"A69", "A76"})
  void whateverDiesInWhichPhaseTheGroupSettlesInTheOldOrTheNewSizeAndServes() throws Exception {
    try (ExactStreams streams = ExactStreams.start(() -> base, STREAMS, TOKENS)) {
      streams.awaitEnded(STREAMS);
      everyPhase(streams, false);
      everyPhase(streams, true);
      streams.awaitEnded(STREAMS);
      assertEquals(List.of(), streams.faults());
      System.out.printf(
          "killed in each phase: settled after %s ms, %d streams%n", settledMs, streams.ended());
    } catch (Throwable e) {
      started.forEach(node -> System.err.println(node.output() + "\n---"));
      throw e;
    }
  }

  /** Grows and shrinks in turn, as the outcomes have it, until each chosen phase has been hit. */
  private void everyPhase(ExactStreams streams, boolean coordinators) throws Exception {
    Deque<String> ups = new ArrayDeque<>(UP);
    Deque<String> downs = new ArrayDeque<>(DOWN);
    ups.removeIf(phase -> !ALL && !USUAL.contains(phase));
    downs.removeIf(phase -> !ALL && !USUAL.contains(phase));
    while (!ups.isEmpty() || !downs.isEmpty()) {
      boolean up = size() == SMALL;
      Deque<String> phases = up ? ups : downs;
      if (phases.isEmpty()) {
        assertEquals(200, scale(up ? LARGE : SMALL).get(60, TimeUnit.SECONDS).statusCode());
      } else {
        round(streams, up, phases.removeFirst(), coordinators);
      }
    }
  }

  private void round(ExactStreams streams, boolean up, String phase, boolean coordinator)
      throws Exception {
    String what =
        "%s killed in %s of %s"
            .formatted(coordinator ? "coordinator" : "agent", phase, up ? "growth" : "shrinking");
    CompletableFuture<HttpResponse<String>> answer = scale(up ? LARGE : SMALL);
    await(what)
        .atMost(Slowness.scaled(Duration.ofSeconds(30)))
        .pollInterval(Duration.ofMillis(15))
        .until(() -> status().path("phase").asText().equals(phase));
    FlotillaProcess victim = coordinator ? leader : involved();
    long killed = System.nanoTime();
    victim.kill();
    nodes.remove(victim);
    FlotillaProcess next = coordinator ? standby() : agent();
    awaitSettled(SETTLED);
    long ms = (System.nanoTime() - killed - STAYS.toNanos()) / 1_000_000;
    settledMs.add(ms);
    int code = answer.get(30, TimeUnit.SECONDS).statusCode();
    System.out.printf("%s: %d ranks after %d ms, answer %d%n", what, size(), ms, code);
    assertTrue(code == 200 || code == 500 || code == 503, () -> what + ": " + code);
    assertEquals(200, FlotillaProcess.get(base, "/readyz").statusCode(), what);
    streams.awaitEnded(STREAMS);
    assertEquals(List.of(), streams.faults(), what);
    if (coordinator) {
      URI former = base;
      leader = standby;
      standby = next;
      base = next.awaitReady();
      awaitSettled(SETTLED); // As it knows the group.
      streams.awaitGone(former);
    } else {
      next.awaitLine("Flotilla node is ready");
    }
  }

  private CompletableFuture<HttpResponse<String>> scale(int size) {
    String body = "{\"new_data_parallel_size\":%d,\"drain_timeout\":1}".formatted(size);
    return FlotillaProcess.HTTP.sendAsync(
        FlotillaProcess.postRequest(base, "/scale_elastic_ep", body), BodyHandlers.ofString());
  }

  private JsonNode status() throws Exception {
    return FlotillaProcess.json(FlotillaProcess.post(base, "/is_scaling_elastic_ep", "").body());
  }

  private int size() throws Exception {
    return FlotillaProcess.json(FlotillaProcess.get(base, "/engines").body())
        .path("data_parallel_size")
        .asInt();
  }

  /** An agent with a rank that comes or goes, if there is one besides the front-ends' nodes. */
  private FlotillaProcess involved() throws Exception {
    List<FlotillaProcess> agents = new ArrayList<>(nodes);
    agents.removeAll(List.of(leader, standby));
    FlotillaProcess found = agents.getFirst();
    for (JsonNode node : Hosts.nodes(base)) {
      for (JsonNode rank : node.path("ranks")) {
        long pid = node.path("attributes").path("pid").asLong();
        for (FlotillaProcess agent : agents) {
          found = rank.asInt() >= SMALL && agent.pid() == pid ? agent : found;
        }
      }
    }
    return found;
  }

  /** Waits until nothing changes, and as many ranks are ready as there should be. */
  private void awaitSettled(Duration limit) {
    await("the group settles")
        .atMost(Slowness.scaled(limit).plus(STAYS))
        .during(STAYS)
        .pollInterval(Duration.ofMillis(50))
        .untilAsserted(
            () -> {
              JsonNode status = status();
              assertEquals("", status.path("phase").asText("none"), status::toString);
              int size = size();
              assertTrue(size == SMALL || size == LARGE, () -> "size " + size);
              assertEquals(size, FlotillaProcess.readyRanks(base).size());
            });
  }
}
