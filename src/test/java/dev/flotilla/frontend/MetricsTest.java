package dev.flotilla.frontend;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.protocol.EngineTotals;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.protocol.TokenIds;
import io.vertx.core.json.JsonObject;
import java.net.http.HttpClient;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The metrics under vLLM's names, and that they are true with several front-ends in one JVM behind
 * one port: whichever of them takes a scrape shows what all have served.
 */
@Timeout(60)
class MetricsTest {
  private static final int OUTPUT = 3;
  private static final ToFrontend.Timing TIMING =
      new ToFrontend.Timing(20_000_000, 300_000_000, 4_000_000_000L);

  private static final List<String> NAMES =
      List.of(
          "num_requests_running",
          "num_requests_waiting",
          "kv_cache_usage_perc",
          "prefix_cache_queries_total",
          "prefix_cache_hits_total",
          "num_preemptions_total",
          "prompt_tokens_total",
          "generation_tokens_total",
          "time_to_first_token_seconds_count",
          "inter_token_latency_seconds_count",
          "request_time_per_output_token_seconds_count",
          "e2e_request_latency_seconds_count",
          "request_queue_time_seconds_count",
          "request_prefill_time_seconds_count",
          "request_decode_time_seconds_count",
          "request_inference_time_seconds_count",
          "request_prompt_tokens_count",
          "request_generation_tokens_count",
          "request_max_num_generation_tokens_count",
          "request_params_n_count",
          "request_params_max_tokens_count",
          "iteration_tokens_total_count");

  private static void answer(FakeEngine engine, ToEngine.Submit submit) {
    engine.send(
        submit,
        new ToFrontend.Delta(
            submit.request(),
            submit.attempt(),
            0,
            TokenIds.of(5, 6, 7),
            FinishReason.STOP,
            -1,
            List.of(),
            List.of(),
            0,
            TIMING));
  }

  private static EngineTotals totals(int factor) {
    List<Long> iterations = new java.util.ArrayList<>(Collections.nCopies(14, 0L));
    iterations.set(0, 2L * factor);
    iterations.set(13, (long) factor);
    return new EngineTotals(
        100L * factor, 60L * factor, factor, 100, 10, iterations, 40_002L * factor);
  }

  @Test
  void everyFrontendShowsWhatAllHaveServed() throws Exception {
    JsonObject settings = new JsonObject().put("port", FrontendBed.freePort());
    try (FrontendBed bed = new FrontendBed(1024, settings)) {
      bed.another();
      bed.another();
      FakeEngine zero = bed.engine(0, MetricsTest::answer);
      FakeEngine one = bed.engine(1, MetricsTest::answer);
      zero.totals = totals(1);
      one.totals = totals(2);
      for (int i = 0; i < 12; i++) {
        await()
            .atMost(Duration.ofSeconds(5))
            .pollDelay(Duration.ZERO)
            .until(() -> elsewhere(bed, "{\"prompt\":[1,2]}").statusCode() == 200);
      }
      long owners =
          List.of(zero, one).stream()
              .flatMap(e -> e.submits.stream())
              .map(s -> s.request().frontend())
              .distinct()
              .count();
      assertEquals(3, owners, "the port is shared by three front-ends");
      double served = zero.submits.size() + one.submits.size();
      for (int scrape = 0; scrape < 6; scrape++) {
        Map<String, Double> seen = awaitScrape(bed, "vllm:prefix_cache_queries_total", 300);
        assertEquals(OUTPUT * served, sum(seen, "vllm:generation_tokens_total"));
        assertEquals(2 * served, sum(seen, "vllm:prompt_tokens_total"));
        assertEquals(served, sum(seen, "vllm:time_to_first_token_seconds_count"));
        assertEquals(served, sum(seen, "vllm:request_success_total"));
        assertEquals(
            served,
            sum(
                seen,
                "http_requests_total{handler=\"/v1/completions\",method=\"POST\",status=\"200\""));
        assertEquals(180, sum(seen, "vllm:prefix_cache_hits_total"));
        assertEquals(3, sum(seen, "vllm:num_preemptions_total"));
        assertTrue(seen.containsKey("process_cpu_seconds_total"), seen.keySet().toString());
      }
      assertEquals(3, count(scrape(bed), "flotilla_frontend_streams{"));
    }
  }

  @Test
  void hasVllmsNamesAndLabels() throws Exception {
    try (FrontendBed bed = new FrontendBed(1024, FrontendBed.settings())) {
      FakeEngine engine = bed.engine(0, MetricsTest::answer);
      engine.totals = totals(1);
      assertEquals(200, bed.post("/v1/completions", "{\"prompt\":\"a\",\"n\":2}").statusCode());
      awaitScrape(bed, "vllm:prefix_cache_queries_total", 100);
      HttpResponse<String> response = bed.send(bed.request("/metrics").build());
      assertTrue(response.headers().firstValue("Content-Type").orElse("").startsWith("text/plain"));
      Map<String, Double> seen = parse(response.body());
      String own = "{engine=\"0\",model_name=\"tiny-llama\"}";
      for (String name : NAMES) {
        assertTrue(seen.containsKey("vllm:" + name + own), name + " in:\n" + response.body());
      }
      for (String reason : List.of("stop", "length", "abort", "error")) {
        String series = "vllm:request_success_total{engine=\"0\",finished_reason=\"" + reason;
        assertEquals(reason.equals("stop") ? 2 : 0, sum(seen, series));
      }
      assertEquals(1, sum(seen, "vllm:cache_config_info{block_size=\"16\""));
      assertEquals(2, seen.get("vllm:request_queue_time_seconds_count" + own));
      assertEquals(0.04, sum(seen, "vllm:request_queue_time_seconds_sum" + own), 1e-9);
      assertEquals(0.6, sum(seen, "vllm:request_prefill_time_seconds_sum" + own), 1e-9);
      assertEquals(8, sum(seen, "vllm:request_decode_time_seconds_sum" + own), 1e-9);
      assertEquals(8.6, sum(seen, "vllm:request_inference_time_seconds_sum" + own), 1e-9);
      assertEquals(3, seen.get("vllm:iteration_tokens_total_count" + own));
      assertEquals(40_002, seen.get("vllm:iteration_tokens_total_sum" + own));
      assertEquals(
          2,
          seen.get(
              "vllm:iteration_tokens_total_bucket{engine=\"0\",model_name=\"tiny-llama\",le=\"16384.0\"}"));
      for (String type :
          List.of(
              "# TYPE vllm:num_requests_running gauge",
              "# TYPE vllm:iteration_tokens_total histogram",
              "# TYPE vllm:prefix_cache_hits_total counter")) {
        assertTrue(response.body().contains(type), type);
      }
    }
  }

  /** The engine is only told to stop, so that it says nothing at the end. */
  @Test
  void countsTheTimesOfARequestThatEndsAtAStopString() throws Exception {
    try (FrontendBed bed = new FrontendBed(1024, FrontendBed.settings())) {
      bed.engine(
          0,
          (engine, submit) ->
              engine.send(
                  submit,
                  new ToFrontend.Delta(
                      submit.request(),
                      submit.attempt(),
                      0,
                      TokenIds.of(70, 71, 72),
                      submit.sampling().maxTokens() == 3 ? FinishReason.LENGTH : null,
                      -1,
                      List.of(),
                      List.of(),
                      0,
                      new ToFrontend.Timing(20_000_000, 300_000_000, 0))));
      String whole =
          new JsonObject(bed.post("/v1/completions", "{\"prompt\":\"a\",\"max_tokens\":3}").body())
              .getJsonArray("choices")
              .getJsonObject(0)
              .getString("text");
      String stop = whole.substring(whole.length() - 1);
      JsonObject request =
          new JsonObject().put("prompt", "a").put("max_tokens", 9).put("stop", stop);
      assertEquals(200, bed.post("/v1/completions", request.encode()).statusCode());
      String own = "{engine=\"0\",model_name=\"tiny-llama\"}";
      Map<String, Double> seen = scrape(bed);
      for (String name : List.of("queue", "prefill", "decode", "inference")) {
        assertEquals(2, seen.get("vllm:request_" + name + "_time_seconds_count" + own), name);
      }
      assertEquals(0.04, sum(seen, "vllm:request_queue_time_seconds_sum" + own), 1e-9);
      assertEquals(0.6, sum(seen, "vllm:request_prefill_time_seconds_sum" + own), 1e-9);
    }
  }

  @Test
  void sumsOverEnginesIfAskedTo() throws Exception {
    JsonObject settings = new JsonObject().put("metrics-engine-label", "sum");
    try (FrontendBed bed = new FrontendBed(1024, settings)) {
      bed.engine(0, MetricsTest::answer).totals = totals(1);
      bed.engine(1, MetricsTest::answer).totals = totals(2);
      for (int i = 0; i < 4; i++) {
        assertEquals(200, bed.post("/v1/completions", "{\"prompt\":\"a\"}").statusCode());
      }
      Map<String, Double> seen = awaitScrape(bed, "vllm:prefix_cache_queries_total", 300);
      String all = "{engine=\"all\",model_name=\"tiny-llama\"}";
      assertEquals(4 * OUTPUT, seen.get("vllm:generation_tokens_total" + all));
      assertEquals(300, seen.get("vllm:prefix_cache_queries_total" + all));
      assertEquals(0, seen.get("vllm:kv_cache_usage_perc" + all));
      assertEquals(1, sum(seen, "vllm:cache_config_info{block_size=\"16\",engine=\"all\""));
      assertEquals(0, count(seen, "vllm:num_requests_running{engine=\"0\""));
    }
  }

  @Test
  void countersDoNotFallWhenAnEngineStartsAnew() throws Exception {
    try (FrontendBed bed = new FrontendBed(1024, FrontendBed.settings())) {
      FakeEngine first = bed.engine(0, MetricsTest::answer);
      first.totals = totals(5);
      awaitScrape(bed, "vllm:prefix_cache_queries_total", 500);
      bed.hide(first);
      FakeEngine second = bed.engine(0, MetricsTest::answer);
      second.totals = totals(1);
      Map<String, Double> seen = awaitScrape(bed, "vllm:prefix_cache_queries_total", 600);
      assertEquals(6, sum(seen, "vllm:num_preemptions_total"));
      assertEquals(18, sum(seen, "vllm:iteration_tokens_total_count"));
    }
  }

  /** Over a connection of its own, so that any of the front-ends may get it. */
  private static HttpResponse<String> elsewhere(FrontendBed bed, String body) throws Exception {
    return fresh(
        client ->
            client.send(
                bed.request("/v1/completions")
                    .POST(java.net.http.HttpRequest.BodyPublishers.ofString(body))
                    .build(),
                HttpResponse.BodyHandlers.ofString()));
  }

  private static Map<String, Double> scrape(FrontendBed bed) throws Exception {
    return parse(
        fresh(
            client ->
                client
                    .send(bed.request("/metrics").build(), HttpResponse.BodyHandlers.ofString())
                    .body()));
  }

  /** What is done over a client. */
  private interface Call<T> {
    T with(HttpClient client) throws Exception;
  }

  private static <T> T fresh(Call<T> call) throws Exception {
    try (HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
      return call.with(client);
    }
  }

  private static Map<String, Double> awaitScrape(FrontendBed bed, String name, double value)
      throws Exception {
    Callable<Map<String, Double>> scraping = () -> scrape(bed);
    return await()
        .atMost(Duration.ofSeconds(10))
        .pollDelay(Duration.ZERO)
        .until(scraping, seen -> sum(seen, name) == value);
  }

  private static Map<String, Double> parse(String text) {
    return text.lines()
        .filter(l -> !l.startsWith("#"))
        .collect(
            Collectors.toMap(
                l -> l.substring(0, l.lastIndexOf(' ')),
                l -> Double.parseDouble(l.substring(l.lastIndexOf(' ') + 1)),
                (a, b) -> {
                  throw new AssertionError("a series stands there twice");
                },
                TreeMap::new));
  }

  private static double sum(Map<String, Double> seen, String prefix) {
    return seen.entrySet().stream()
        .filter(e -> e.getKey().startsWith(prefix))
        .mapToDouble(Map.Entry::getValue)
        .sum();
  }

  private static long count(Map<String, Double> seen, String prefix) {
    return seen.keySet().stream().filter(k -> k.startsWith(prefix)).count();
  }
}
