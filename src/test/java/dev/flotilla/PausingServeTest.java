package dev.flotilla;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole servers that are paused and resumed over HTTP, with ranks alone and in step. */
@Timeout(90)
class PausingServeTest {
  private static final long PAUSE_MS = 1_000;

  private static LocalServe serve(boolean lockstep) throws InterruptedException {
    List<String> flags = new ArrayList<>(List.of("--executor", "SCRIPTED", "-dp", "2"));
    flags.addAll(List.of("--disable-log-stats", "--api-server-count", "1"));
    if (lockstep) {
      flags.addAll(List.of("--enable-expert-parallel", "--collective-timeout-ms", "30000"));
    }
    String model = lockstep ? "tiny-qwen3-moe" : "tiny-llama";
    return LocalServe.startModel(model, flags.toArray(String[]::new));
  }

  private static HttpResponse<String> post(URI base, String path) throws Exception {
    return FlotillaProcess.HTTP.send(
        HttpRequest.newBuilder(base.resolve(path))
            .timeout(Duration.ofSeconds(40))
            .POST(BodyPublishers.noBody())
            .build(),
        BodyHandlers.ofString());
  }

  private static JsonNode get(URI base, String path) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(base.resolve(path)).build();
    HttpResponse<String> response = FlotillaProcess.HTTP.send(request, BodyHandlers.ofString());
    assertEquals(200, response.statusCode(), response.body());
    return response.body().isEmpty()
        ? FlotillaProcess.json("{}")
        : FlotillaProcess.json(response.body());
  }

  private static String metrics(URI base) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(base.resolve("/metrics")).build();
    return FlotillaProcess.HTTP.send(request, BodyHandlers.ofString()).body();
  }

  private static void pause(URI base, String mode) throws Exception {
    HttpResponse<String> answer = post(base, "/pause?mode=" + mode);
    assertEquals(200, answer.statusCode(), answer.body());
    assertEquals("{\"status\":\"paused\"}", answer.body());
    assertTrue(get(base, "/is_paused").get("is_paused").asBoolean());
  }

  private static void resume(URI base) throws Exception {
    HttpResponse<String> answer = post(base, "/resume");
    assertEquals(200, answer.statusCode(), answer.body());
    assertEquals("{\"status\":\"resumed\"}", answer.body());
  }

  private static void pass(long ms) {
    long start = System.nanoTime();
    await()
        .pollInterval(Duration.ofMillis(10))
        .until(() -> System.nanoTime() - start > ms * 1_000_000);
  }

  /** When the pieces of one streamed answer came. */
  private static final class Arrivals {
    private final ConcurrentLinkedQueue<Long> nanos = new ConcurrentLinkedQueue<>();
    private final CompletableFuture<Void> end;

    Arrivals(URI base, int tokens) {
      String body =
          "{\"prompt\":\"gap\",\"max_tokens\":%d,\"ignore_eos\":true,\"stream\":true}"
              .formatted(tokens);
      end =
          FlotillaProcess.HTTP
              .sendAsync(
                  FlotillaProcess.postRequest(base, "/v1/completions", body),
                  BodyHandlers.ofLines())
              .thenAcceptAsync(response -> read(response.body()));
    }

    private void read(Stream<String> lines) {
      lines.filter(line -> line.startsWith("data: {")).forEach(_ -> nanos.add(System.nanoTime()));
    }

    void awaitSome() {
      await().until(() -> nanos.size() > 5);
    }

    long longestGapMs() {
      long longest = 0;
      long last = 0;
      for (long one : nanos) {
        longest = Math.max(longest, last == 0 ? 0 : one - last);
        last = one;
      }
      return longest / 1_000_000;
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @Scenario("A43")
  void abortEndsFourRequests_waitLetsThemFinish_keepStopsThemForTheLengthOfThePause(
      boolean lockstep) throws Exception {
    try (LocalServe server = serve(lockstep)) {
      URI base = server.base();
      try (Streaming four = Streaming.start(base, 4, 2_000)) {
        four.awaitFirstTokens();
        pause(base, "abort");
        four.assertAllEnd("abort", Duration.ofSeconds(10));
      }
      try (Streaming queued = Streaming.start(base, 2, 5)) {
        await().until(() -> waiting(base) == 2);
        assertEquals(2, queued.running(), "what comes while paused is queued");
        get(base, "/health");
        get(base, "/readyz");
        assertTrue(metrics(base).contains("flotilla_paused{"), "a gauge");
        resume(base);
        queued.assertAllEnd("length", Duration.ofSeconds(20));
      }
      try (Streaming four = Streaming.start(base, 4, 60)) {
        four.awaitFirstTokens();
        pause(base, "wait");
        four.assertAllEnd("length", Duration.ofSeconds(1));
        resume(base);
      }
      Arrivals stream = new Arrivals(base, 120);
      stream.awaitSome();
      pause(base, "keep");
      pass(PAUSE_MS);
      resume(base);
      stream.end.get(30, TimeUnit.SECONDS);
      assertTrue(
          stream.longestGapMs() >= 0.8 * PAUSE_MS, "a gap of " + stream.longestGapMs() + " ms");
      assertEquals(false, get(base, "/is_paused").get("is_paused").asBoolean());
    }
  }

  private static int waiting(URI base) throws Exception {
    int sum = 0;
    JsonNode all = get(base, "/engines");
    assertTrue(all.get("paused").asBoolean());
    for (JsonNode engine : all.get("engines")) {
      sum += engine.get("waiting").asInt();
    }
    return sum;
  }

  @Test
  @Scenario("A42")
  void aResumeWhileAPauseIsMadeIsRefused_andWhatIsSoAlreadyIsNoError() throws Exception {
    try (LocalServe server = serve(false)) {
      URI base = server.base();
      resume(base);
      HttpResponse<String> wrong = post(base, "/pause?mode=freeze");
      assertEquals(400, wrong.statusCode());
      assertTrue(
          wrong.body().contains("mode must be one of abort, wait, keep, not freeze"), wrong.body());
      assertEquals(400, post(base, "/pause?clear_cache=perhaps").statusCode());
      assertEquals(400, post(base, "/pause?timeout=0").statusCode());
      try (Streaming one = Streaming.start(base, 1, 3_000)) {
        one.awaitFirstTokens();
        CompletableFuture<HttpResponse<String>> waiting =
            FlotillaProcess.HTTP.sendAsync(
                HttpRequest.newBuilder(base.resolve("/pause?mode=wait"))
                    .POST(BodyPublishers.noBody())
                    .build(),
                BodyHandlers.ofString());
        await().until(() -> get(base, "/is_paused").get("state").asText().equals("pausing"));
        HttpResponse<String> early = post(base, "/resume");
        assertEquals(409, early.statusCode(), early.body());
        assertTrue(early.body().contains("a pause is being made"), early.body());
        HttpResponse<String> brief = post(base, "/pause?mode=keep");
        assertEquals(200, brief.statusCode(), "another mode takes its place");
        assertEquals(200, waiting.get(10, TimeUnit.SECONDS).statusCode());
        pause(base, "keep");
        resume(base);
        resume(base);
        HttpResponse<String> late = post(base, "/pause?mode=wait&timeout=1");
        assertEquals(504, late.statusCode());
        assertTrue(late.body().contains("still ran"), late.body());
        await().until(() -> get(base, "/is_paused").get("state").asText().equals("running"));
        assertEquals(1, one.running());
      }
    }
  }
}
