package dev.flotilla;

import static org.awaitility.Awaitility.await;

import com.sun.management.OperatingSystemMXBean;
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
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A group whose ranks step together, with its coordinator and a front-end in this JVM, from which
 * the ranks can be taken away: so that it can be said what they cost while they have nothing to do.
 */
final class RestingGroup implements AutoCloseable {
  private static final Path MODEL = SourceFormat.root().resolve("src/main/models/tiny-qwen3-moe");

  private final Vertx vertx = Vertx.vertx();
  private final int ranks;
  private final List<String> started = new ArrayList<>();

  /** Without a rank as yet. */
  RestingGroup(int ranks) throws Exception {
    this.ranks = ranks;
    deploy(
        new CoordinatorVerticle(),
        new JsonObject().put("data-parallel-size", ranks).put("lockstep", true));
    deploy(new FrontendVerticle(), new JsonObject().put("port", 0).put("model", MODEL.toString()));
  }

  /** Adds all ranks, with an executor that computes no model; all are ready then. */
  void start() throws Exception {
    for (int rank = 0; rank < ranks; rank++) {
      EngineConfig config =
          Config.parse(
              """
              {"model": "%s", "executor": "scripted", "rank": %d, "data-parallel-size": %d,
               "expert-parallel": true, "lockstep": {"timeout-ms": 30000},
               "num-gpu-blocks-override": 256, "disable-log-stats": true}
              """
                  .formatted(MODEL, rank, ranks),
              EngineConfig.DEFAULT);
      started.add(
          get(
              vertx.deployVerticle(
                  new EngineVerticle(), EngineVerticle.options(config, "r" + rank))));
    }
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> ask(Addresses.STATUS, new JsonObject()).getInteger("ready") == ranks);
  }

  /** Takes all ranks away again. */
  void stop() throws Exception {
    for (String id : started) {
      get(vertx.undeploy(id));
    }
    started.clear();
  }

  /** Runs a wave of so many steps with work at one rank, and waits until all rest. */
  void wave(int steps) throws Exception {
    long waves = engines().getJsonObject(0).getLong("wave");
    ask(
        Addresses.GENERATE,
        new JsonObject()
            .put("prompt_token_ids", new JsonArray().add(10).add(11))
            .put("max_tokens", steps)
            .put("ignore_eos", true));
    await().atMost(Duration.ofSeconds(60)).until(() -> rests(waves));
  }

  private boolean rests(long since) throws Exception {
    JsonArray all = engines();
    for (int i = 0; i < all.size(); i++) {
      JsonObject engine = all.getJsonObject(i);
      if (engine.getBoolean("wave_running") || engine.getLong("wave") <= since) {
        return false;
      }
    }
    return true;
  }

  /** As {@code /engines} shows them. */
  JsonArray engines() throws Exception {
    return ask(Addresses.STATUS, new JsonObject()).getJsonArray("engines");
  }

  /** Freezes all ranks. */
  void pause() throws Exception {
    ask(Addresses.PAUSE, new JsonObject().put("pause", "keep"));
  }

  /** Asks somebody on the bus. */
  JsonObject ask(String address, JsonObject question) throws Exception {
    return get(vertx.eventBus().<JsonObject>request(address, question)).body();
  }

  /**
   * Cores that this JVM uses: the least of several windows, since compiling and collecting garbage
   * are no cost of resting.
   */
  static double cores(int windows, long windowMs) {
    double least = Double.MAX_VALUE;
    for (int i = 0; i < windows; i++) {
      long cpu = cpuNanos();
      long start = System.nanoTime();
      await()
          .pollDelay(Duration.ofMillis(windowMs))
          .pollInterval(Duration.ofMillis(windowMs))
          .atMost(Duration.ofMillis(3 * windowMs + 10_000))
          .until(() -> System.nanoTime() - start >= windowMs * 1_000_000);
      least = Math.min(least, (double) (cpuNanos() - cpu) / (System.nanoTime() - start));
    }
    return least;
  }

  private static long cpuNanos() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  private void deploy(Deployable verticle, JsonObject settings) throws Exception {
    get(vertx.deployVerticle(verticle, new DeploymentOptions().setConfig(settings)));
  }

  private static <T> T get(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  @Override
  public void close() {
    vertx.close().toCompletionStage().toCompletableFuture().join();
  }
}
