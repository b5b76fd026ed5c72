package dev.flotilla;

import static dev.flotilla.FlotillaProcess.get;
import static dev.flotilla.FlotillaProcess.json;
import static dev.flotilla.FlotillaProcess.post;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.File;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Engines in JVMs of their own: what one of them, or their parent, takes with it when it dies. */
class ProcessBackendIT {
  /** From the kill of a scripted rank to its next request. */
  private static final Duration BACK = Duration.ofSeconds(5);

  @TempDir Path scratch;

  private static FlotillaProcess serve(int ranks, String... more) throws Exception {
    return FlotillaProcess.start(arguments(ranks, more));
  }

  private static String[] arguments(int ranks, String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "serve",
                "--executor",
                "scripted",
                "--data-parallel-backend",
                "process",
                "-dp",
                Integer.toString(ranks),
                "--port",
                "0",
                "--cluster-name",
                FlotillaProcess.uniqueCluster()));
    arguments.addAll(List.of(more));
    return arguments.toArray(String[]::new);
  }

  @Test
  @Scenario({"A57", "A77"})
  void aKilledRankComesBackWhileTheOthersServeAndAllEndWithTheHead() throws Exception {
    try (FlotillaProcess head = serve(4, "--api-server-count", "2", "--shutdown-timeout", "30")) {
      URI base = head.awaitReady();
      assertTrue(head.output().contains("Started in "), head.output());
      Map<Integer, JsonNode> before = engines(base);
      Set<ProcessHandle> children = children(head);
      assertEquals(4, children.stream().filter(p -> named(p, " EngineCore_DP")).count());
      head.awaitLine("EngineCore_spare is ready");
      long epoch =
          before.values().stream().mapToLong(e -> e.path("epoch").asLong()).max().orElse(0);

      List<String> states = new ArrayList<>();
      try (Load load = Load.start(base, 6, 20)) {
        load.awaitAnswers(12);
        long killed = System.nanoTime();
        child(head, "EngineCore_DP2").destroyForcibly();
        await("rank 2 is back")
            .atMost(Slowness.scaled(BACK))
            .pollInterval(Duration.ofMillis(20))
            .until(
                () -> {
                  JsonNode rank2 = engines(base).get(2);
                  states.add(rank2 == null ? "absent" : rank2.path("state").asText());
                  return rank2 != null
                      && rank2.path("state").asText().equals("READY")
                      && !rank2.path("incarnation").equals(of(before, 2).path("incarnation"))
                      && ranked(base, 2) == 200;
                });
        System.err.printf(
            "rank 2 served again %d ms after its kill, %.2f s of processor time%n",
            (System.nanoTime() - killed) / 1_000_000, Processor.seconds(head.engine(2).pid()));
        assertTrue(head.output().contains("becomes EngineCore_DP2"), head.output());
        child(head, "EngineCore_DP1").destroyForcibly(); // No spare is there yet.
        await("rank 1 is back")
            .atMost(Duration.ofSeconds(30))
            .pollInterval(Duration.ofMillis(20))
            .until(
                () -> {
                  JsonNode incarnation = of(before, 1).path("incarnation");
                  JsonNode rank1 = engines(base).get(1);
                  return rank1 != null
                      && rank1.path("state").asText().equals("READY")
                      && !rank1.path("incarnation").equals(incarnation)
                      && ranked(base, 1) == 200;
                });
        load.awaitAnswers(12);
        assertEquals(List.of(), load.failures(), "no request was lost");
      }
      assertTrue(states.contains("DEAD"), "states of rank 2: " + new HashSet<>(states));
      Map<Integer, JsonNode> after = engines(base);
      assertEquals(epoch + 1, of(after, 2).path("epoch").asLong(), "the next epoch");
      for (int rank : new int[] {0, 3}) {
        assertEquals(of(before, rank).path("incarnation"), of(after, rank).path("incarnation"));
      }
      assertTrue(
          head.output().contains("EngineCore_DP2 was killed by SIGKILL (exit code 137)"),
          head.output());
      endsInOrder(head, base);
    }
  }

  /** SIGTERM with streams running: they end as they would have, then nothing is left. */
  private static void endsInOrder(FlotillaProcess head, URI base) throws Exception {
    Set<ProcessHandle> children = children(head);
    try (Streaming streams = Streaming.start(base, 20, 150)) {
      streams.awaitFirstTokens();
      head.terminate();
      await("not ready").atMost(Duration.ofSeconds(5)).until(() -> readyz(base) != 200);
      assertEquals(503, ranked(base, 0), "nothing new is taken");
      HttpResponse<String> utility = post(base, "/collect_stats", "");
      assertEquals(503, utility.statusCode(), utility::body);
      assertTrue(utility.body().contains("shutting down"), utility::body);
      streams.assertAllEnd("length", Duration.ofSeconds(30));
    }
    assertEquals(0, head.awaitExit(Duration.ofSeconds(10)), head.output());
    assertNoneAlive(children);
    assertFalse(listens(base), "the port is free");
  }

  @Test
  @Scenario({"A11", "A57"})
  void aRankKilledWhileItStartsEndsTheLaunchWhenFailuresStopAll() throws Exception {
    try (FlotillaProcess head = serve(2, "--on-engine-failure", "stop")) {
      await("the child's process")
          .atMost(FlotillaProcess.START)
          .pollInterval(Duration.ofMillis(20))
          .until(() -> find(head, "EngineCore_DP1") != null);
      Set<ProcessHandle> children = children(head);
      long killed = System.nanoTime();
      child(head, "EngineCore_DP1").destroyForcibly();
      assertEquals(1, head.awaitExit(FlotillaProcess.START), head.output());
      long ms = (System.nanoTime() - killed) / 1_000_000;
      assertTrue(
          ms <= Slowness.scaled(Duration.ofSeconds(1)).toMillis(), "ended after " + ms + " ms");
      assertTrue(head.output().contains("EngineCore_DP1"), head.output());
      assertTrue(head.output().contains("SIGKILL"), head.output());
      assertNoneAlive(children);
    }
  }

  @Test
  @Scenario({"A61", "A78"})
  void childrenEndWithAParentThatIsKilledAndDeafOnesAreKilledByTheirParent() throws Exception {
    try (FlotillaProcess head = serve(2)) {
      head.awaitReady();
      Set<ProcessHandle> children = children(head);
      head.kill();
      assertNoneAlive(children);
    }
    try (FlotillaProcess head = serve(2)) {
      URI base = head.awaitReady();
      Set<ProcessHandle> children = children(head);
      try (Streaming streams = Streaming.start(base, 20, 20_000)) {
        streams.awaitFirstTokens();
        stopTakingTurns(child(head, "EngineCore_DP1"));
        head.terminate();
        streams.assertAllEnd("abort", Slowness.scaled(Duration.ofSeconds(5)));
      }
      assertEquals(0, head.awaitExit(Slowness.scaled(Duration.ofSeconds(8))), head.output());
      assertNoneAlive(children);
    }
  }

  /** What the launch gives to each child, and the last way to end them. */
  @Test
  @Scenario({"A78", "A82"})
  void eachChildHasItsDevicesAndItsMemoryNodeAndAThirdSignalKillsAll() throws Exception {
    Path calls = scratch.resolve("calls");
    Path numactl = scratch.resolve("numactl");
    Files.writeString(
        numactl,
        """
        #!/bin/sh
        echo "$@" >> "%s"
        shift 2
        exec "$@"
        """
            .formatted(calls));
    assertTrue(numactl.toFile().setExecutable(true));
    Map<String, String> environment =
        Map.of(
            "PATH",
            scratch + File.pathSeparator + System.getenv("PATH"),
            "FLOTILLA_JAVA_OPTS",
            "-Xmx700m -Dflotilla.numa.nodes=0-1");
    try (FlotillaProcess head =
        FlotillaProcess.start(
            "flotilla",
            environment,
            arguments(2, "--device-ids", "4,5", "--shutdown-timeout", "60"))) {
      URI base = head.awaitReady();
      for (int rank = 0; rank < 2; rank++) {
        String bound = "--cpunodebind=%d --membind=%d ".formatted(rank, rank);
        String name = " EngineCore_DP" + rank;
        assertTrue(
            Files.readAllLines(calls).stream()
                .anyMatch(call -> call.startsWith(bound) && call.endsWith(name)),
            Files.readString(calls));
        assertEquals("" + (4 + rank), variable(head.engine(rank), "CUDA_VISIBLE_DEVICES"));
      }
      Set<ProcessHandle> children = children(head);
      stopTakingTurns(head.engine(1));
      try (Streaming streams = Streaming.start(base, 2, 20_000)) {
        streams.awaitSomeTokens();
        head.terminate();
        await("it drains").atMost(Duration.ofSeconds(10)).until(() -> readyz(base) != 200);
        head.terminate();
        head.awaitLine("asked to end a second time");
        head.terminate();
        assertEquals(1, head.awaitExit(Duration.ofSeconds(10)), head.output());
      }
      assertNoneAlive(children);
    }
  }

  /** What the head lists, and its JVM flags, but nothing that is about its node. */
  @Test
  void anEngineThatAnAgentStartsHasTheHeadsEnvironmentAndFlags() throws Exception {
    String cluster = FlotillaProcess.uniqueCluster();
    Map<String, String> ofHead =
        Map.of(
            "GREETING", "from the head",
            "SECRET", "not listed",
            "FLOTILLA_NOTE", "ours",
            "FLOTILLA_JAVA_OPTS", "-Xmx600m -Dnote=head");
    Map<String, String> ofNode =
        Map.of("GREETING", "own", "FLOTILLA_JAVA_OPTS", "-Xmx500m -Down=1");
    List<String> serve =
        List.of(
            ("serve --executor scripted -dpb cluster -dp 2 -dpl 1 --devices 1 --port 0"
                    + " --engine-environment GREETING --api-server-count 1 --cluster-name "
                    + cluster)
                .split(" ", -1));
    try (FlotillaProcess head =
            FlotillaProcess.start("flotilla", ofHead, serve.toArray(String[]::new));
        FlotillaProcess node =
            FlotillaProcess.start(
                "flotilla",
                ofNode,
                "join",
                "--devices",
                "1",
                "-dpb",
                "process",
                "--cluster-name",
                cluster)) {
      head.awaitReady();
      ProcessHandle engine = node.engine(1);
      assertEquals("from the head", variable(engine, "GREETING"));
      assertEquals("ours", variable(engine, "FLOTILLA_NOTE"));
      assertEquals("not set", variable(engine, "SECRET"));
      assertEquals("0", variable(engine, "CUDA_VISIBLE_DEVICES"));
      List<String> words = List.of(engine.info().arguments().orElseThrow());
      assertTrue(words.contains("-Dnote=head") && words.contains("-Down=1"), words::toString);
      List<String> heaps = words.stream().filter(w -> w.startsWith("-Xmx")).toList();
      assertEquals("-Xmx600m", heaps.getLast(), "the last one counts");
      assertTrue(!heaps.contains("-Xmx500m"), heaps::toString);
    }
  }

  private static String variable(ProcessHandle process, String name) throws Exception {
    String environment = Files.readString(Path.of("/proc/" + process.pid() + "/environ"));
    return Arrays.stream(environment.split("\0", -1))
        .filter(entry -> entry.startsWith(name + "="))
        .map(entry -> entry.substring(name.length() + 1))
        .findFirst()
        .orElse("not set");
  }

  private static void stopTakingTurns(ProcessHandle child) throws Exception {
    String pid = Long.toString(child.pid());
    assertEquals(0, new ProcessBuilder("kill", "-STOP", pid).start().waitFor());
  }

  private static Map<Integer, JsonNode> engines(URI base) throws Exception {
    Map<Integer, JsonNode> engines = new HashMap<>();
    for (JsonNode engine : json(get(base, "/engines").body()).path("engines")) {
      engines.put(engine.path("rank").asInt(), engine);
    }
    return engines;
  }

  private static JsonNode of(Map<Integer, JsonNode> engines, int rank) {
    return Objects.requireNonNull(engines.get(rank), () -> "no rank " + rank);
  }

  /** The status of a request that insists on one rank. */
  private static int ranked(URI base, int rank) throws Exception {
    return post(
            base,
            "/v1/completions",
            "{\"prompt\":\"x\",\"max_tokens\":2,\"ignore_eos\":true}",
            "X-data-parallel-rank",
            Integer.toString(rank))
        .statusCode();
  }

  private static int readyz(URI base) {
    try {
      return get(base, "/readyz").statusCode();
    } catch (Exception e) {
      return -1;
    }
  }

  private static boolean listens(URI base) {
    return readyz(base) != -1;
  }

  private static Set<ProcessHandle> children(FlotillaProcess head) {
    Set<ProcessHandle> children = new HashSet<>();
    head.descendants().filter(p -> named(p, " EngineCore")).forEach(children::add);
    return children;
  }

  private static boolean named(ProcessHandle process, String part) {
    return process.info().commandLine().orElse("").contains(part);
  }

  private static @Nullable ProcessHandle find(FlotillaProcess head, String name) {
    return children(head).stream()
        .filter(p -> p.info().commandLine().orElse("").endsWith(" " + name))
        .findFirst()
        .orElse(null);
  }

  private static ProcessHandle child(FlotillaProcess head, String name) {
    ProcessHandle found = find(head, name);
    return Objects.requireNonNull(found, () -> "no process " + name + ":\n" + head.output());
  }

  private static void assertNoneAlive(Set<ProcessHandle> processes) {
    await("no process is left")
        .atMost(Slowness.scaled(Duration.ofSeconds(5)))
        .until(() -> processes.stream().noneMatch(ProcessHandle::isAlive));
  }
}
