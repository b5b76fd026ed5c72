package dev.flotilla;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A server whose ranks share a mixture's experts answers as one with a single rank does. */
class ExpertParallelServeTest {
  private static final HttpClient CLIENT = HttpClient.newHttpClient();
  private static final List<String> PROMPTS =
      List.of(
          "What is the capital of Kenya?",
          "The sun",
          "One two three four",
          "a",
          "Name a river in France, then one in Italy, then one in Spain.",
          "Why is the sky blue?",
          "zzz zzz zzz",
          "List");

  @Test
  void answersWhatOneRankAnswers_andRestsWhenAllIsDone() throws Exception {
    List<String> expected;
    try (LocalServe one = LocalServe.startModel("tiny-qwen3-moe", flags("1"))) {
      expected = answers(one.base());
    }
    assertTrue(expected.stream().allMatch(answer -> answer.length() > 10), expected.toString());
    try (LocalServe spread =
        LocalServe.startModel(
            "tiny-qwen3-moe", flags("2", "--enable-expert-parallel", "--dp-sync-interval=8"))) {
      assertEquals(expected, answers(spread.base()));
      assertEquals(expected.getFirst(), answer(spread.base(), 0).get(60, TimeUnit.SECONDS));
      List<Long> steps = steps(spread.base());
      await("no rank steps any more, and all have taken as many steps")
          .atMost(Duration.ofSeconds(20))
          .pollInterval(Duration.ofMillis(600))
          .until(() -> rests(spread.base(), steps));
      String metrics = get(spread.base(), "/metrics");
      assertTrue(metrics.contains("flotilla_engine_dummy_steps{engine=\"0\""), metrics);
      JsonObject engine =
          new JsonObject(get(spread.base(), "/engines")).getJsonArray("engines").getJsonObject(0);
      assertTrue(engine.getLong("wave") >= 1, engine.encode());
      assertEquals(false, engine.getBoolean("wave_running"), engine.encode());
    }
  }

  /** Whether the steps have not changed since the last look. */
  private static boolean rests(URI base, List<Long> last) throws Exception {
    List<Long> now = steps(base);
    boolean same = now.equals(last) && now.stream().distinct().count() == 1;
    last.clear();
    last.addAll(now);
    return same;
  }

  private static String[] flags(String ranks, String... more) {
    List<String> flags = new ArrayList<>(List.of("-dp", ranks, "--num-gpu-blocks-override", "256"));
    flags.addAll(List.of("--collective-timeout-ms", "30000"));
    flags.addAll(List.of(more));
    return flags.toArray(String[]::new);
  }

  private static String get(URI base, String path) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(base.resolve(path)).build();
    return CLIENT.send(request, BodyHandlers.ofString()).body();
  }

  private static List<Long> steps(URI base) throws Exception {
    JsonArray engines = new JsonObject(get(base, "/engines")).getJsonArray("engines");
    List<Long> steps = new ArrayList<>();
    for (int i = 0; i < engines.size(); i++) {
      steps.add(engines.getJsonObject(i).getLong("step"));
    }
    return steps;
  }

  private static List<String> answers(URI base) throws Exception {
    List<CompletableFuture<String>> all = new ArrayList<>();
    for (int i = 0; i < PROMPTS.size(); i++) {
      all.add(answer(base, i));
    }
    List<String> texts = new ArrayList<>();
    for (CompletableFuture<String> one : all) {
      texts.add(one.get(60, TimeUnit.SECONDS));
    }
    return texts;
  }

  private static CompletableFuture<String> answer(URI base, int number) {
    JsonObject body =
        new JsonObject()
            .put("prompt", PROMPTS.get(number))
            .put("max_tokens", 12 + number)
            .put("temperature", number % 2 == 0 ? 0 : 0.9)
            .put("ignore_eos", true)
            .put("seed", number);
    HttpRequest request =
        HttpRequest.newBuilder(base.resolve("/v1/completions"))
            .header("content-type", "application/json")
            .timeout(Duration.ofSeconds(60))
            .POST(BodyPublishers.ofString(body.encode()))
            .build();
    return CLIENT
        .sendAsync(request, BodyHandlers.ofString())
        .thenApply(ExpertParallelServeTest::text);
  }

  private static String text(HttpResponse<String> response) {
    assertEquals(200, response.statusCode(), response.body());
    return new JsonObject(response.body())
        .getJsonArray("choices")
        .getJsonObject(0)
        .getString("text");
  }
}
