package dev.flotilla;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.flotilla.config.Config;
import dev.flotilla.config.EngineConfig;
import dev.flotilla.coordinator.CoordinatorVerticle;
import dev.flotilla.engine.EngineVerticle;
import dev.flotilla.executor.scripted.ScriptedExecutor;
import dev.flotilla.frontend.FrontendVerticle;
import dev.flotilla.model.ModelFolder;
import dev.flotilla.protocol.TokenIds;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Requests that queue at a slow rank go to a fast one, over a real bus and through real HTTP. */
class HandOverTest {
  private static final int OUTPUTS = 6;
  private static final Path MODEL = SourceFormat.root().resolve("src/main/models/tiny-llama");
  private static final JsonMapper JSON = new JsonMapper();

  private final Vertx vertx = Vertx.vertx();
  private final HttpClient client = HttpClient.newHttpClient();
  private URI base = URI.create("http://127.0.0.1/");

  private static <T> T get(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  @BeforeEach
  void deploy() throws Exception {
    deploy(new CoordinatorVerticle(), new JsonObject().put("data-parallel-size", 2));
    deploy(new FrontendVerticle(), new JsonObject().put("port", 0).put("model", MODEL.toString()));
    Object port = vertx.sharedData().getLocalMap(FrontendVerticle.PORTS).values().iterator().next();
    base = URI.create("http://127.0.0.1:" + port);
    engine(0, 200);
    engine(1, 3);
    await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> JSON.readTree(read("/engines")).path("ready").asInt() == 2);
  }

  private void deploy(io.vertx.core.Deployable verticle, JsonObject settings) throws Exception {
    get(vertx.deployVerticle(verticle, new DeploymentOptions().setConfig(settings)));
  }

  private void engine(int rank, double stepMs) throws Exception {
    EngineConfig config =
        Config.parse(
            """
            {"model": "%s", "executor": "scripted", "rank": %d, "data-parallel-size": 2,
             "max-num-seqs": 2, "max-num-batched-tokens": 64, "block-size": 16,
             "num-gpu-blocks-override": 64, "max-num-queued-reqs": 64,
             "scripted": {"base-ms": %s, "prefill-ms": 0, "context-scale": 1, "decode-ms": 0,
                          "resident-ms": 0, "scale": 1, "kv-tokens": 1024, "max-model-len": 512}}
            """
                .formatted(MODEL, rank, stepMs),
            EngineConfig.DEFAULT);
    get(vertx.deployVerticle(new EngineVerticle(), EngineVerticle.options(config, "e" + rank)));
  }

  @AfterEach
  void close() throws Exception {
    client.shutdownNow();
    get(vertx.close());
  }

  private String read(String path) throws Exception {
    return client
        .send(
            HttpRequest.newBuilder(base.resolve(path)).timeout(Duration.ofSeconds(10)).build(),
            HttpResponse.BodyHandlers.ofString())
        .body();
  }

  private CompletableFuture<HttpResponse<String>> send(int number, String... headers) {
    String body =
        """
        {"model": "tiny-llama", "prompt": [10, 11, %d], "max_tokens": %d, "ignore_eos": true,
         "return_token_ids": true}
        """
            .formatted(100 + number, OUTPUTS);
    HttpRequest.Builder request =
        HttpRequest.newBuilder(base.resolve("/v1/completions"))
            .timeout(Duration.ofSeconds(50))
            .POST(HttpRequest.BodyPublishers.ofString(body));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return client.sendAsync(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  private static TokenIds expected(int number) {
    ModelFolder folder = ModelFolder.open(MODEL);
    TokenIds specials =
        TokenIds.of(folder.specialTokens().keySet().stream().mapToInt(i -> i).toArray());
    return ScriptedExecutor.expectedTokens(
        folder.config().vocab(),
        specials.concat(folder.config().eos()),
        TokenIds.of(10, 11, 100 + number),
        OUTPUTS);
  }

  private double metric(String name) throws Exception {
    Matcher line = Pattern.compile("(?m)^" + name + "\\{[^}]*} (\\S+)$").matcher(read("/metrics"));
    double sum = 0;
    while (line.find()) {
      sum += Double.parseDouble(line.group(1));
    }
    return sum;
  }

  private static void check(int number, HttpResponse<String> response) throws Exception {
    assertEquals(200, response.statusCode(), response.body());
    JsonNode choice = JSON.readTree(response.body()).path("choices").path(0);
    assertEquals("length", choice.path("finish_reason").asText());
    assertEquals(expected(number).toString(), ids(choice).toString(), "request " + number);
  }

  private static TokenIds ids(JsonNode choice) {
    List<Integer> all = new ArrayList<>();
    choice.path("token_ids").forEach(id -> all.add(id.asInt()));
    return TokenIds.of(all.stream().mapToInt(i -> i).toArray());
  }

  @Test
  void whatQueuesAtASlowRankMovesAndAllEndsRight() throws Exception {
    List<CompletableFuture<HttpResponse<String>>> burst = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      burst.add(send(i));
    }
    for (int i = 0; i < burst.size(); i++) {
      check(i, burst.get(i).get(60, TimeUnit.SECONDS));
    }
    double moved = metric("flotilla_requests_moved_total");
    assertTrue(moved >= 3, "moved " + moved);
    assertEquals(0, metric("flotilla_stream_failovers_total"), "a move is no failure");
    assertEquals(40, metric("vllm:request_success_total"));
    assertEquals(
        40.0 * OUTPUTS, metric("vllm:generation_tokens_total"), "no token was counted twice");
    await()
        .atMost(Duration.ofSeconds(10))
        .untilAsserted(
            () -> {
              for (JsonNode engine : JSON.readTree(read("/engines")).path("engines")) {
                assertEquals(0, engine.path("waiting").asInt() + engine.path("running").asInt());
                assertEquals(0, engine.path("kv_usage").asDouble());
              }
            });
  }

  @Test
  void whoAsksForARankStaysThere() throws Exception {
    List<CompletableFuture<HttpResponse<String>>> pinned = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      pinned.add(send(i, "X-data-parallel-rank", "0"));
    }
    for (int i = 0; i < pinned.size(); i++) {
      check(i, pinned.get(i).get(60, TimeUnit.SECONDS));
    }
    assertEquals(0, metric("flotilla_requests_moved_total"));
    assertTrue(
        Pattern.compile("(?m)^vllm:generation_tokens_total\\{engine=\"0\"[^}]*} 36")
            .matcher(read("/metrics"))
            .find(),
        () -> "all 36 tokens come from rank 0");
  }
}
