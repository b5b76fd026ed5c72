package dev.flotilla;

import static dev.flotilla.FlotillaProcess.readyRanks;
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

/** A head without engines, a node with all of them, and another head after the first. */
class HeadLossIT {
  private static final int COMPLETIONS = 400;

  /** Longer than the next head takes to start. */
  private static final Duration HEAD_LOST = Slowness.scaled(Duration.ofSeconds(8));

  /** From the end of that time to the end of the process. */
  private static final Duration LEFT = Slowness.scaled(Duration.ofSeconds(5));

  /** A new coordinator asks who is there, and gives new epochs. */
  private static final Duration REGISTERED = Duration.ofSeconds(10);

  @Test
  @Scenario({"A22", "A61"})
  void aHeadlessNodeServesForAHeadWithoutEnginesRegistersWithTheNextAndEndsWithoutOne()
      throws Exception {
    String cluster = FlotillaProcess.uniqueCluster();
    try (FlotillaProcess first = head(cluster);
        FlotillaProcess node = node(cluster)) {
      URI base = first.awaitReady();
      List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
      for (int i = 0; i < COMPLETIONS; i++) {
        String body =
            "{\"prompt\":\"question %d\",\"max_tokens\":2,\"ignore_eos\":true}".formatted(i);
        answers.add(
            FlotillaProcess.HTTP.sendAsync(
                FlotillaProcess.postRequest(base, "/v1/completions", body),
                BodyHandlers.ofString()));
      }
      for (CompletableFuture<HttpResponse<String>> answer : answers) {
        assertEquals(200, answer.get().statusCode(), answer.get()::body);
      }
      String stats = FlotillaProcess.post(base, "/collect_stats", "").body();
      long all = 0;
      for (var engine : FlotillaProcess.json(stats).get("results")) {
        long tokens = engine.at("/result/generation_tokens").asLong();
        assertTrue(tokens > 0, () -> "an engine got nothing: " + stats);
        all += tokens;
      }
      assertEquals(2 * COMPLETIONS, all);
      first.kill();
      assertEquals(137, first.awaitExit(Duration.ofSeconds(10)));
      try (FlotillaProcess second = head(cluster)) {
        URI next = second.awaitReady();
        await("the ranks are the next head's")
            .atMost(Slowness.scaled(REGISTERED))
            .until(() -> readyRanks(next).equals(List.of(0, 1)));
        assertTrue(node.alive());
        second.kill();
        assertEquals(1, node.awaitExit(HEAD_LOST.plus(LEFT)), node.output());
        assertTrue(node.output().contains("no coordinator has been heard of for"), node.output());
        assertEquals(0, node.descendants().count());
      }
    }
  }

  private static FlotillaProcess head(String cluster) throws Exception {
    return FlotillaProcess.start(
        "serve",
        "--executor",
        "scripted",
        "-dp",
        "2",
        "-dpl",
        "0",
        "--api-server-count",
        "1",
        "--port",
        "0",
        "--cluster-name",
        cluster);
  }

  private static FlotillaProcess node(String cluster) throws Exception {
    return FlotillaProcess.start(
        "serve",
        "--headless",
        "--executor",
        "scripted",
        "--scripted-time-scale",
        "0",
        "-dp",
        "2",
        "--head-lost-timeout",
        Long.toString(HEAD_LOST.toSeconds()),
        "--cluster-name",
        cluster);
  }
}
