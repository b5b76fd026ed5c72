package dev.flotilla;

import dev.flotilla.launch.LaunchWatch;
import dev.flotilla.launch.LaunchWatch.Effect;
import dev.flotilla.launch.LaunchWatch.Event;
import dev.flotilla.launch.LaunchWatch.Result;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.ToFrontend;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The shell of {@link LaunchWatch}: gives it the published views, the ends of parts and time, logs
 * its progress and holds its result. Safe for use by several threads.
 */
final class Launching {
  private static final Logger LOG = LoggerFactory.getLogger(Launching.class);
  private static final long TICK_MS = 250;

  /** A coordinator publishes at least every second. */
  private static final long ALONE_MS = 3_000;

  private final CompletableFuture<Result> result = new CompletableFuture<>();
  private volatile Runnable atEnd = () -> {};
  private LaunchWatch watch;

  private Launching(LaunchWatch.Goal goal) {
    watch = LaunchWatch.start(goal, nowMs());
  }

  /** Watches from now on; the future completes when views can be received. */
  static Future<Launching> start(Vertx vertx, LaunchWatch.Goal goal) {
    Launching launching = new Launching(goal);
    return Bus.of(vertx)
        .consume(
            Addresses.ALL_FRONTENDS,
            message -> {
              if (message instanceof ToFrontend.View(ClusterView view)) {
                launching.on(new Event.View(view));
              }
            })
        .map(
            subscription -> {
              long timer = vertx.setPeriodic(TICK_MS, _ -> launching.tick());
              vertx.setTimer(ALONE_MS, _ -> launching.tellWhenAlone());
              launching.atEnd =
                  () -> {
                    vertx.cancelTimer(timer);
                    subscription
                        .unregister()
                        .onFailure(e -> LOG.debug("views still come: {}", e.toString()));
                  };
              if (launching.result.isDone()) {
                launching.atEnd.run(); // It ended before this was set.
              }
              return launching;
            });
  }

  /** A part of this node has ended, or its rank will not be started again. */
  void tell(Event event) {
    on(event);
  }

  /** What makes waiting pointless, for example an engine that cannot load its model. */
  void fail(Throwable cause) {
    result.completeExceptionally(cause);
  }

  /** Waits for the end, which comes before the goal's deadline. */
  Result await() throws InterruptedException, ExecutionException {
    return result.get();
  }

  private void tick() {
    on(new Event.Tick(nowMs()));
  }

  private synchronized void on(Event event) {
    LaunchWatch.Step step = watch.on(event);
    watch = step.next();
    for (Effect effect : step.effects()) {
      switch (effect) {
        case Effect.Progress(String sentence) -> LOG.info(sentence);
        case Effect.Finish(Result end) -> {
          atEnd.run();
          result.complete(end);
        }
      }
    }
  }

  /** A node without a head looks idle; a person should know what it waits for. */
  private synchronized void tellWhenAlone() {
    if (watch.view().equals(ClusterView.EMPTY)) {
      LOG.info("waits for a coordinator of this cluster; start a head with flotilla serve");
    }
  }

  private static long nowMs() {
    return System.nanoTime() / 1_000_000;
  }
}
