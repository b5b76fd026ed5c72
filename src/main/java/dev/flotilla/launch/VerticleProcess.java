package dev.flotilla.launch;

import dev.flotilla.config.Config;
import dev.flotilla.config.EngineConfig;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.ThreadingModel;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An engine as worker verticles of this JVM. */
final class VerticleProcess implements EngineProcess {
  private static final Logger LOG = LoggerFactory.getLogger(VerticleProcess.class);

  /** Deployed by name, since parts meet only in the protocol. */
  private static final String ENGINE = "dev.flotilla.engine.EngineVerticle";

  /** A step of a large prompt on a slow machine takes seconds; a minute means that it hangs. */
  private static final long STEP_SECONDS_MAX = 60;

  /** How soon an end is noticed: an engine undeploys itself, and Vert.x tells nobody. */
  private static final long LOOK_MS = 100;

  private final Vertx vertx;
  private final String name;
  private final CompletableFuture<Void> started = new CompletableFuture<>();
  private final CompletableFuture<EngineEnd> ended = new CompletableFuture<>();
  private volatile @Nullable String deployment;
  private volatile boolean stopping;

  private VerticleProcess(Vertx vertx, String name) {
    this.vertx = vertx;
    this.name = name;
  }

  static VerticleProcess start(Vertx vertx, String name, EngineConfig config) {
    VerticleProcess engine = new VerticleProcess(vertx, name);
    engine.deploy(config);
    return engine;
  }

  private void deploy(EngineConfig config) {
    DeploymentOptions options =
        new DeploymentOptions()
            .setThreadingModel(ThreadingModel.WORKER)
            .setWorkerPoolName(name)
            // With one thread no clustered send leaves: the bus looks routes up on the same pool.
            .setWorkerPoolSize(2)
            .setMaxWorkerExecuteTime(STEP_SECONDS_MAX)
            .setMaxWorkerExecuteTimeUnit(TimeUnit.SECONDS)
            .setConfig(new JsonObject(Config.format(config)));
    vertx
        .deployVerticle(ENGINE, options)
        .onSuccess(
            id -> {
              deployment = id;
              vertx.setPeriodic(LOOK_MS, timer -> look(timer, id));
              started.complete(null);
              if (stopping) {
                stop();
              }
            })
        .onFailure(
            e -> {
              started.completeExceptionally(e);
              ended.complete(new EngineEnd(name, null, String.valueOf(e.getMessage())));
            });
  }

  private void look(long timer, String id) {
    if (!vertx.deploymentIDs().contains(id)) {
      vertx.cancelTimer(timer);
      ended.complete(new EngineEnd(name, null, ""));
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public CompletionStage<Void> started() {
    return started;
  }

  @Override
  public CompletionStage<EngineEnd> ended() {
    return ended;
  }

  @Override
  public void stop() {
    stopping = true;
    String id = deployment;
    if (id != null && vertx.deploymentIDs().contains(id)) {
      vertx
          .undeploy(id)
          .onFailure(e -> LOG.debug("{} was being stopped already: {}", name, e.getMessage()))
          .onComplete(ignored -> ended.complete(new EngineEnd(name, null, "stopped")));
    }
  }

  /** A verticle cannot be killed; its port gives up waiting for a step by itself. */
  @Override
  public void kill() {
    stop();
    ended.complete(new EngineEnd(name, null, "left behind while it stopped"));
  }
}
