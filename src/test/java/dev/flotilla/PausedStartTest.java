package dev.flotilla;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.flotilla.config.Config;
import dev.flotilla.config.EngineConfig;
import dev.flotilla.coordinator.CoordinatorVerticle;
import dev.flotilla.engine.EngineVerticle;
import dev.flotilla.frontend.FrontendVerticle;
import dev.flotilla.protocol.Addresses;
import io.vertx.core.Deployable;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A rank that starts while all are paused, over a real bus. */
class PausedStartTest {
  private static final Path MODEL = SourceFormat.root().resolve("src/main/models/tiny-llama");

  private final Vertx vertx = Vertx.vertx();

  private static <T> T get(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private void deploy(Deployable verticle, JsonObject settings) throws Exception {
    get(vertx.deployVerticle(verticle, new DeploymentOptions().setConfig(settings)));
  }

  private void engine(int rank) throws Exception {
    EngineConfig config =
        Config.parse(
            "{\"model\": \"%s\", \"executor\": \"scripted\", \"rank\": %d, \"data-parallel-size\": 2, \"num-gpu-blocks-override\": 64}"
                .formatted(MODEL, rank),
            EngineConfig.DEFAULT);
    get(vertx.deployVerticle(new EngineVerticle(), EngineVerticle.options(config, "p" + rank)));
  }

  private JsonObject ask(String address, JsonObject question) throws Exception {
    return get(vertx.eventBus().<JsonObject>request(address, question)).body();
  }

  private Future<?> generate(int prompt) {
    return vertx
        .eventBus()
        .<JsonObject>request(
            Addresses.GENERATE,
            new JsonObject()
                .put("prompt_token_ids", new JsonArray().add(10 + prompt))
                .put("max_tokens", 3));
  }

  private JsonObject status() throws Exception {
    return ask(Addresses.STATUS, new JsonObject());
  }

  private int sum(String key) throws Exception {
    JsonArray engines = status().getJsonArray("engines");
    int sum = 0;
    for (int i = 0; i < engines.size(); i++) {
      sum += engines.getJsonObject(i).getInteger(key);
    }
    return sum;
  }

  @AfterEach
  void close() throws Exception {
    get(vertx.close());
  }

  @Test
  void isPausedBeforeItGetsWork_andGoesOnWithTheOthers() throws Exception {
    deploy(new CoordinatorVerticle(), new JsonObject().put("data-parallel-size", 2));
    deploy(new FrontendVerticle(), new JsonObject().put("port", 0).put("model", MODEL.toString()));
    engine(0);
    await().atMost(Duration.ofSeconds(30)).until(() -> status().getInteger("ready") == 1);
    ask(Addresses.PAUSE, new JsonObject().put("pause", "abort"));
    engine(1);
    await().atMost(Duration.ofSeconds(30)).until(() -> status().getInteger("ready") == 2);
    assertEquals(true, ask(Addresses.PAUSE, new JsonObject()).getBoolean("is_paused"));
    List<Future<?>> answers = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      answers.add(generate(i));
    }
    await().until(() -> sum("waiting") == 8);
    assertEquals(0, sum("running"));
    assertEquals(0, sum("step"), "neither has ever stepped");
    ask(Addresses.PAUSE, new JsonObject().put("resume", true));
    get(Future.join(answers));
    await("it gets work too, which comes gently at first")
        .until(
            () -> {
              get(generate(9));
              return status().getJsonArray("engines").getJsonObject(1).getInteger("step") > 0;
            });
  }
}
