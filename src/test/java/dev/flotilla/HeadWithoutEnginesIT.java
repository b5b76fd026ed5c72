package dev.flotilla;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A head that has API servers and no engine, and a headless node that has them all. */
class HeadWithoutEnginesIT {
  private static final int REQUESTS = 400;

  @Test
  @Timeout(180)
  @Scenario("A22")
  void fourHundredCompletionsAreServedByEnginesElsewhere() throws Exception {
    String cluster = FlotillaProcess.uniqueCluster();
    try (FlotillaProcess head = serve(cluster, "--port", "0", "-dpl", "0");
        FlotillaProcess _ = serve(cluster, "--headless")) {
      URI base = head.awaitReady();
      List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
      for (int i = 0; i < REQUESTS; i++) {
        String body = "{\"prompt\": \"Number %d\", \"max_tokens\": 4}".formatted(i);
        answers.add(
            FlotillaProcess.HTTP.sendAsync(
                FlotillaProcess.postRequest(base, "/v1/completions", body),
                BodyHandlers.ofString()));
      }
      for (CompletableFuture<HttpResponse<String>> answer : answers) {
        HttpResponse<String> response = answer.get(60, TimeUnit.SECONDS);
        assertEquals(200, response.statusCode(), response.body());
      }
      String stats = FlotillaProcess.post(base, "/collect_stats", "").body();
      long all = 0;
      for (var engine : FlotillaProcess.json(stats).get("results")) {
        long tokens = engine.at("/result/generation_tokens").asLong();
        assertTrue(tokens > 0, () -> "an engine got nothing: " + stats);
        all += tokens;
      }
      assertEquals(4 * REQUESTS, all);
    }
  }

  private static FlotillaProcess serve(String cluster, String... more) throws Exception {
    List<String> words = new ArrayList<>();
    words.addAll(List.of("serve", "--executor", "scripted", "--scripted-time-scale", "0.1"));
    words.addAll(List.of("--cluster-name", cluster, "-dp", "2"));
    words.addAll(List.of(more));
    return FlotillaProcess.start(words.toArray(String[]::new));
  }
}
