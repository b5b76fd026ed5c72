package dev.flotilla;

import dev.flotilla.launch.RestartPolicy;
import io.vertx.core.Context;
import io.vertx.core.Deployable;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the coordinator and the API servers of this node alive: one whose verticle has ended, or
 * whose event loop does not take its turn for too long, is reported and replaced, by the same
 * policy as a dead engine.
 *
 * <p>Source: the original watches these processes too, and ends everything with the first that
 * fails.
 */
final class PartGuard {
  private static final Logger LOG = LoggerFactory.getLogger(PartGuard.class);
  private static final long LOOK_MS = 250;

  private final Vertx vertx;
  private final long silenceMs;
  private final Map<String, Part> parts = new ConcurrentHashMap<>();
  private volatile boolean closing;

  /**
   * Guards from now on.
   *
   * @param silenceMs how long an event loop may be busy; above the longest pause of a collector
   */
  PartGuard(Vertx vertx, long silenceMs) {
    this.vertx = vertx;
    this.silenceMs = silenceMs;
    vertx.setPeriodic(LOOK_MS, ignored -> look());
  }

  /** One guarded place and who holds it now. */
  private static final class Part {
    final String name;
    final Supplier<? extends Deployable> source;
    final Supplier<String> config;
    volatile @Nullable String deployment;
    volatile @Nullable Context context;
    volatile long heardNanos = System.nanoTime();
    volatile boolean asked;
    volatile boolean replacing;
    RestartPolicy policy = RestartPolicy.FRESH;

    Part(String name, Supplier<? extends Deployable> source, Supplier<String> config) {
      this.name = name;
      this.source = source;
      this.config = config;
    }
  }

  /** Notes the context that Vert.x gives to a verticle, so that it can be asked for a sign. */
  private record Observed(Part part, Deployable verticle) implements Deployable {
    @Override
    public Future<?> deploy(Context context) throws Exception {
      part.context = context;
      return verticle.deploy(context);
    }

    @Override
    public Future<?> undeploy(Context context) throws Exception {
      return verticle.undeploy(context);
    }
  }

  /**
   * Deploys a part, and replaces it from now on.
   *
   * @param name for the log
   * @param config settings in JSON, asked for at each deployment
   */
  Future<String> deploy(
      String name, Supplier<? extends Deployable> source, Supplier<String> config) {
    Part part = new Part(name, source, config);
    return deploy(part).onSuccess(ignored -> parts.put(name, part));
  }

  /** The deployment that holds a place now; null if the place is not known. */
  @Nullable String deployment(String name) {
    Part part = parts.get(name);
    return part == null ? null : part.deployment;
  }

  /** Undeploys a part; nothing takes its place. */
  Future<Void> undeploy(String name) {
    Part part = parts.remove(name);
    String id = part == null ? null : part.deployment;
    return id != null && vertx.deploymentIDs().contains(id)
        ? vertx.undeploy(id)
        : Future.succeededFuture();
  }

  /** Replaces nothing any more. */
  void close() {
    closing = true;
  }

  private Future<String> deploy(Part part) {
    part.heardNanos = System.nanoTime();
    part.asked = false;
    return vertx
        .deployVerticle(
            new Observed(part, part.source.get()),
            new DeploymentOptions().setConfig(new JsonObject(part.config.get())))
        .onSuccess(
            id -> {
              part.heardNanos = System.nanoTime();
              part.deployment = id;
            });
  }

  private void look() {
    if (!closing) {
      parts.values().forEach(this::look);
    }
  }

  private void look(Part part) {
    Context context = part.context;
    String id = part.deployment;
    if (part.replacing || context == null || id == null) {
      return;
    }
    if (!vertx.deploymentIDs().contains(id)) {
      replace(part, "has ended");
      return;
    }
    long silent = (System.nanoTime() - part.heardNanos) / 1_000_000;
    if (part.asked && silent > silenceMs) {
      replace(part, "has given no sign of life for %d ms".formatted(silent));
      // It may hang for ever, so nobody waits for its end.
      vertx.undeploy(id).onFailure(e -> LOG.debug("{} was gone", part.name));
      return;
    }
    if (!part.asked) {
      part.asked = true;
      part.heardNanos = System.nanoTime();
      context.runOnContext(
          ignored -> {
            part.heardNanos = System.nanoTime();
            part.asked = false;
          });
    }
  }

  private void replace(Part part, String why) {
    part.replacing = true;
    RestartPolicy.Step step =
        part.policy.on(new RestartPolicy.Event.Died(System.nanoTime() / 1_000_000));
    part.policy = step.next();
    switch (step.decision()) {
      case RestartPolicy.Decision.Restart(long ms) -> {
        LOG.error("{} {}; it is replaced {}", part.name, why, ms == 0 ? "now" : "in " + ms + " ms");
        vertx.setTimer(Math.max(1, ms), ignored -> again(part));
      }
      case RestartPolicy.Decision.GiveUp(String reason, long trialMs) -> {
        LOG.error("{} {}; {}", part.name, why, reason);
        vertx.setTimer(trialMs, ignored -> onTrial(part));
      }
      case RestartPolicy.Decision.None() -> LOG.debug("{} stays ended", part.name);
    }
  }

  private void onTrial(Part part) {
    part.policy =
        part.policy.on(new RestartPolicy.Event.Tried(System.nanoTime() / 1_000_000)).next();
    again(part);
  }

  private void again(Part part) {
    if (closing || !parts.containsKey(part.name)) {
      return;
    }
    deploy(part)
        .onComplete(ignored -> part.replacing = false)
        .onSuccess(ignored -> LOG.info("{} is back", part.name))
        .onFailure(
            e -> {
              // Its old deployment is gone still, so the next look tries again.
              LOG.error("{} could not be replaced: {}", part.name, e.getMessage());
            });
  }
}
