package dev.flotilla;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Ranks of several JVMs that share a mixture's experts over sockets: the texts of one rank, also
 * when a node is killed and when the group changes. {@link SoakIT} kills and stops single ranks.
 */
class ExpertParallelIT {
  private static final Duration END = Duration.ofSeconds(90);

  static String[] serve(String cluster, String... more) {
    Path model = SourceFormat.root().resolve("src/main/models/tiny-qwen3-moe");
    List<String> all =
        new ArrayList<>(
            List.of(
                "serve",
                model.toString(),
                "--enable-expert-parallel",
                "--num-gpu-blocks-override",
                "1024",
                "--cluster-name",
                cluster));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  @Test
  void twoNodesWithTwoRanksEachGiveTheTextsOfOneRank_andSoDoesOneWhenTheOtherIsKilled()
      throws Exception {
    String cluster = FlotillaProcess.uniqueCluster();
    try (GoldenRequests requests = GoldenRequests.of(32, 1, 40);
        FlotillaProcess head =
            FlotillaProcess.start(serve(cluster, "-dp", "4", "-dpl", "2", "--port", "0"));
        FlotillaProcess node =
            FlotillaProcess.start(
                serve(
                    cluster,
                    "--headless",
                    "-dp",
                    "4",
                    "-dpl",
                    "2",
                    "--data-parallel-start-rank",
                    "2"))) {
      URI base = head.awaitReady();
      for (int concurrency : new int[] {1, 8, 32}) {
        SplittableRandom random = new SplittableRandom(concurrency);
        for (int i = 0; i < concurrency; i++) {
          requests.send(base, i);
          int wait = random.nextInt(3);
          int ended = requests.sent() - wait;
          // Some come while others run, some when all sleep.
          await().until(() -> wait == 0 || requests.running() <= Math.max(1, ended));
        }
        requests.assertAllRight(END);
      }
      assertTrue(node.alive());
      assertEquals(List.of(0, 1, 2, 3), FlotillaProcess.readyRanks(base));
      for (var engine : GoldenRequests.engines(base)) {
        assertTrue(engine.path("step").asLong() > 0, engine::toString);
      }
      sendAll(requests, base);
      await().atMost(END).until(() -> requests.running() < 28);
      node.kill();
      requests.assertAllRight(END);
      assertEquals(List.of(0, 1), FlotillaProcess.readyRanks(base));
    }
  }

  @Test
  void aGroupGrowsAndShrinksWhileItServes_itsExpertsSpreadAnew() throws Exception {
    try (GoldenRequests requests = GoldenRequests.of(12, 60, 200);
        FlotillaProcess head =
            FlotillaProcess.start(
                serve(
                    FlotillaProcess.uniqueCluster(),
                    "-dp",
                    "2",
                    "--data-parallel-backend",
                    "cluster",
                    "--data-parallel-size-local",
                    "2",
                    "--devices",
                    "4",
                    "--port",
                    "0"))) {
      URI base = head.awaitReady();
      for (int size : new int[] {4, 1, 3}) {
        sendAll(requests, base);
        long steps = steps(base);
        await().atMost(END).until(() -> steps(base) > steps + 5);
        String body = "{\"new_data_parallel_size\":%d,\"drain_timeout\":20}".formatted(size);
        var answer = FlotillaProcess.post(base, "/scale_elastic_ep", body);
        assertEquals(200, answer.statusCode(), answer::body);
        assertEquals(IntStream.range(0, size).boxed().toList(), FlotillaProcess.readyRanks(base));
        requests.assertAllRight(END);
      }
      sendAll(requests, base);
      requests.assertAllRight(END);
    }
  }

  private static void sendAll(GoldenRequests requests, URI base) {
    IntStream.range(0, requests.count()).forEach(number -> requests.send(base, number));
  }

  static void awaitAll(URI base) {
    await("all ranks are back")
        .atMost(Slowness.scaled(Duration.ofSeconds(60)))
        .until(() -> FlotillaProcess.readyRanks(base).equals(List.of(0, 1, 2, 3)));
  }

  /** Of the rank that has taken most. */
  private static long steps(URI base) throws Exception {
    return GoldenRequests.engines(base).stream()
        .mapToLong(engine -> engine.path("step").asLong())
        .max()
        .orElse(0);
  }

  static void signal(String name, String pid) throws Exception {
    assertEquals(0, new ProcessBuilder("kill", "-" + name, pid).start().waitFor());
  }
}
