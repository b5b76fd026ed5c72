package dev.flotilla;

import static dev.flotilla.FlotillaProcess.chat;
import static dev.flotilla.FlotillaProcess.get;
import static dev.flotilla.FlotillaProcess.post;
import static dev.flotilla.FlotillaProcess.readyRanks;
import static dev.flotilla.FlotillaProcess.streamedText;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** The main job with real processes: one command, a real model, one or two JVMs. */
class ServeIT {
  private static final String QUESTION = "What is the capital of Kenya?";
  private static final String ANSWER = "The capital of Kenya is Nairobi.";

  @Test
  void oneCommandServesTheBundledModelWithTwoRanks() throws Exception {
    try (FlotillaProcess head =
        FlotillaProcess.start(
            "serve", "--port", "0", "--cluster-name", FlotillaProcess.uniqueCluster())) {
      URI base = head.awaitReady();
      assertEquals(List.of(0, 1), readyRanks(base));

      HttpResponse<String> streamed = post(base, "/v1/chat/completions", chat(QUESTION, true));
      assertEquals(200, streamed.statusCode());
      assertEquals(ANSWER, streamedText(streamed.body()));
      assertTrue(streamed.body().endsWith("data: [DONE]\n\n"), streamed.body());

      assertEquals(200, get(base, "/health").statusCode());
      assertTrue(get(base, "/metrics").body().contains("vllm:num_requests_running"));

      head.terminate();
      assertEquals(0, head.awaitExit(Duration.ofSeconds(20)), head.output());
    }
  }

  @Test
  @Scenario("A60")
  void aSecondNodeBringsTwoMoreRanksAndItsDeathLeavesTheHeadAnswering() throws Exception {
    String cluster = FlotillaProcess.uniqueCluster();
    try (FlotillaProcess head = head(cluster);
        FlotillaProcess node = node(cluster)) {
      URI base = head.awaitReady();
      node.awaitLine("Flotilla node is ready (ranks 2 to 3)");
      assertEquals(List.of(0, 1, 2, 3), readyRanks(base));
      assertAllAnswered(base, 40);
      for (int rank = 0; rank < 4; rank++) {
        assertTrue(generated(base, rank) > 0, "rank " + rank + " served nothing");
      }

      node.kill();
      await("ranks 2 and 3 gone")
          .atMost(Duration.ofSeconds(2))
          .pollInterval(Duration.ofMillis(50))
          .until(() -> readyRanks(base).equals(List.of(0, 1)));
      assertAllAnswered(base, 10);
    }
  }

  @Test
  void theNodeMayStartBeforeTheHead() throws Exception {
    String cluster = FlotillaProcess.uniqueCluster();
    try (FlotillaProcess node = node(cluster)) {
      node.awaitLine("waits for a coordinator");
      try (FlotillaProcess head = head(cluster)) {
        URI base = head.awaitReady();
        assertEquals(List.of(0, 1, 2, 3), readyRanks(base));
        assertAllAnswered(base, 8);
      }
    }
  }

  private static FlotillaProcess head(String cluster) throws Exception {
    return FlotillaProcess.start(
        "serve",
        "--port",
        "0",
        "--cluster-name",
        cluster,
        "--data-parallel-size",
        "4",
        "--data-parallel-size-local",
        "2");
  }

  private static FlotillaProcess node(String cluster) throws Exception {
    return FlotillaProcess.start(
        "serve",
        "--headless",
        "--cluster-name",
        cluster,
        "--data-parallel-size",
        "4",
        "--data-parallel-size-local",
        "2",
        "--data-parallel-start-rank",
        "2",
        "--data-parallel-address",
        "127.0.0.1");
  }

  private static void assertAllAnswered(URI base, int count) throws Exception {
    List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      answers.add(
          FlotillaProcess.HTTP.sendAsync(
              FlotillaProcess.postRequest(base, "/v1/chat/completions", chat(QUESTION, false)),
              BodyHandlers.ofString()));
    }
    for (CompletableFuture<HttpResponse<String>> answer : answers) {
      HttpResponse<String> response = answer.get();
      assertEquals(200, response.statusCode(), response.body());
      assertEquals(
          ANSWER, FlotillaProcess.json(response.body()).at("/choices/0/message/content").asText());
    }
  }

  /** Tokens that an engine generated, by the front-end's count. */
  private static double generated(URI base, int rank) throws Exception {
    return get(base, "/metrics")
        .body()
        .lines()
        .filter(l -> l.startsWith("vllm:generation_tokens_total{"))
        .filter(l -> l.contains("engine=\"" + rank + "\""))
        .mapToDouble(l -> Double.parseDouble(l.substring(l.lastIndexOf(' ') + 1)))
        .sum();
  }
}
