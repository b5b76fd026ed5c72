package dev.flotilla;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.flotilla.config.Config;
import dev.flotilla.config.CoordinatorConfig;
import dev.flotilla.config.EngineConfig;
import dev.flotilla.config.LoadBalancing;
import dev.flotilla.config.NodeConfig;
import dev.flotilla.config.PlacingConfig;
import dev.flotilla.coordinator.CoordinatorVerticle;
import dev.flotilla.executor.scripted.ScriptedExecutor;
import dev.flotilla.frontend.FrontendVerticle;
import dev.flotilla.launch.NodeAgentVerticle;
import dev.flotilla.model.ModelFolder;
import dev.flotilla.protocol.TokenIds;
import io.vertx.core.Deployable;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A node whose coordinator places ranks on its own agent: all of it in this JVM, on a local bus,
 * with real HTTP and slow scripted engines of two sequences a step, which get requests in turn.
 */
final class PlacedGroup implements AutoCloseable {
  private static final Path MODEL = SourceFormat.root().resolve("src/main/models/tiny-llama");
  private static final Duration LIMIT = Duration.ofSeconds(60);

  private final Vertx vertx = Vertx.vertx();
  private final URI base;

  /**
   * Starts and waits until all ranks are ready.
   *
   * @param kvBlocks of an engine, of 16 tokens each
   * @param placement JSON of the first one; empty: it is planned
   */
  PlacedGroup(int size, int devices, double stepMs, int kvBlocks, String placement)
      throws Exception {
    deploy(new CoordinatorVerticle(), coordinator(size, engine(stepMs, kvBlocks), placement));
    deploy(
        new FrontendVerticle(),
        "{\"port\":0,\"model\":\"%s\",\"served-model-name\":[\"tiny-llama\"],\"choice\":{\"policy\":\"round-robin\"}}"
            .formatted(MODEL));
    Object port = vertx.sharedData().getLocalMap(FrontendVerticle.PORTS).values().iterator().next();
    base = URI.create("http://127.0.0.1:" + port);
    deploy(new NodeAgentVerticle(), Config.format(new NodeConfig(devices, false, List.of())));
    awaitReady(size);
  }

  private static String coordinator(int size, EngineConfig engine, String placement) {
    PlacingConfig plan = PlacingConfig.DEFAULT;
    return Config.format(
        CoordinatorConfig.ofSize(size)
            .under(LoadBalancing.ROUND_ROBIN)
            .placing(
                new PlacingConfig(
                    true,
                    size,
                    1,
                    plan.strategy(),
                    plan.allToAll(),
                    List.of(),
                    placement,
                    plan.readyTimeoutMs(),
                    0,
                    plan.surroundings(),
                    engine)));
  }

  private static EngineConfig engine(double stepMs, int kvBlocks) {
    return Config.parse(
        """
        {"model": "%s", "executor": "scripted", "max-num-seqs": 2, "max-num-batched-tokens": 1024,
         "block-size": 16, "num-gpu-blocks-override": %d, "enable-prefix-caching": false,
         "scripted": {"base-ms": %s, "prefill-ms": 0, "context-scale": 1, "decode-ms": 0,
                      "resident-ms": 0, "scale": 1, "kv-tokens": %d, "max-model-len": 512}}
        """
            .formatted(MODEL, kvBlocks, stepMs, kvBlocks * 16),
        EngineConfig.DEFAULT);
  }

  private void deploy(Deployable verticle, String settings) throws Exception {
    get(
        vertx.deployVerticle(
            verticle, new DeploymentOptions().setConfig(new JsonObject(settings))));
  }

  private static <T> T get(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  void awaitReady(int size) {
    await(size + " ranks are ready")
        .atMost(LIMIT)
        .until(() -> FlotillaProcess.readyRanks(base).size() == size);
  }

  URI base() {
    return base;
  }

  /** Asks for another size; the answer comes when it is settled. */
  CompletableFuture<HttpResponse<String>> scale(int size, int drainSeconds) {
    String body =
        "{\"new_data_parallel_size\":%d,\"drain_timeout\":%d}".formatted(size, drainSeconds);
    return FlotillaProcess.HTTP.sendAsync(
        FlotillaProcess.postRequest(base, "/scale_elastic_ep", body),
        HttpResponse.BodyHandlers.ofString());
  }

  /** A completion that is told from others by its number. */
  Asked ask(int number, int promptTokens, int outputs) {
    int[] prompt = new int[promptTokens];
    for (int i = 0; i < promptTokens; i++) {
      prompt[i] = 10 + (i * 7 + number * 13) % 400;
    }
    String body =
        "{\"model\":\"tiny-llama\",\"prompt\":%s,\"max_tokens\":%d,\"ignore_eos\":true,\"return_token_ids\":true}"
            .formatted(Arrays.toString(prompt), outputs);
    return new Asked(
        TokenIds.of(prompt),
        outputs,
        FlotillaProcess.HTTP.sendAsync(
            FlotillaProcess.postRequest(base, "/v1/completions", body),
            HttpResponse.BodyHandlers.ofString()));
  }

  /** A request and its answer to come. */
  record Asked(TokenIds prompt, int outputs, CompletableFuture<HttpResponse<String>> answer) {
    /** What was wrong with the answer; empty: nothing. */
    String fault() throws Exception {
      HttpResponse<String> response = answer.get(60, TimeUnit.SECONDS);
      ModelFolder folder = ModelFolder.open(MODEL);
      TokenIds specials =
          TokenIds.of(folder.specialTokens().keySet().stream().mapToInt(i -> i).toArray());
      TokenIds expected =
          ScriptedExecutor.expectedTokens(
              folder.config().vocab(), specials.concat(folder.config().eos()), prompt, outputs);
      List<Integer> ids = new ArrayList<>();
      FlotillaProcess.json(response.body())
          .at("/choices/0/token_ids")
          .forEach(id -> ids.add(id.asInt()));
      TokenIds got = TokenIds.of(ids.stream().mapToInt(i -> i).toArray());
      return response.statusCode() == 200 && got.equals(expected)
          ? ""
          : response.statusCode() + " " + response.body() + " instead of " + expected;
    }
  }

  /** A number of a rank in {@code /engines}; -1: there is no such rank. */
  int engine(int rank, String what) throws Exception {
    String engines = FlotillaProcess.get(base, "/engines").body();
    for (JsonNode engine : FlotillaProcess.json(engines).path("engines")) {
      if (engine.path("rank").asInt() == rank) {
        return engine.path(what).asInt();
      }
    }
    return -1;
  }

  /** What {@code /engines} shows. */
  String engines() {
    try {
      return FlotillaProcess.get(base, "/engines").body();
    } catch (Exception e) {
      return e.toString();
    }
  }

  /** A metric, over all its series. */
  double metric(String name) throws Exception {
    Matcher line =
        Pattern.compile("(?m)^" + name + "(\\{[^}]*})? (\\S+)$")
            .matcher(FlotillaProcess.get(base, "/metrics").body());
    double sum = 0;
    while (line.find()) {
      sum += Double.parseDouble(line.group(2));
    }
    return sum;
  }

  /** The agent's line of {@code /nodes}. */
  JsonNode node() throws Exception {
    return Hosts.nodes(base).path(0);
  }

  @Override
  public void close() {
    vertx.close().toCompletionStage().toCompletableFuture().orTimeout(60, TimeUnit.SECONDS).join();
  }
}
