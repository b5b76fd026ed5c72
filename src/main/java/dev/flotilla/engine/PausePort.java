package dev.flotilla.engine;

import dev.flotilla.protocol.PauseMode;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.scheduler.Pace;
import dev.flotilla.scheduler.Scheduler;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import java.util.List;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The shell of {@link EnginePause}: takes orders to the step loop and tells the coordinator what is
 * in effect. Used by the port's thread.
 */
final class PausePort {
  private static final Logger LOG = LoggerFactory.getLogger(PausePort.class);

  private final Context context;
  private final CoordinatorPort coordinator;
  private final Inbox inbox;
  private EnginePause pause = EnginePause.NEVER;
  private EngineLife life;
  private boolean resting = true;

  /** Of the port that runs in the present context; not paused. */
  PausePort(Vertx vertx, CoordinatorPort coordinator, Inbox inbox, EngineLife life) {
    this.context = vertx.getOrCreateContext();
    this.coordinator = coordinator;
    this.inbox = inbox;
    this.life = life;
  }

  /** The coordinator orders; one that the engine does not follow is not obeyed. */
  void ordered(ToEngine.Pacing order, EngineLife now) {
    life = now;
    if (now.connected() && now.term().admits(order.term())) {
      on(new EnginePause.Event.Ordered(EnginePause.Order.of(order)));
    }
  }

  /** The loop's state, whenever it has changed. */
  void look(Snapshot latest) {
    resting = latest.counters().resting() && !latest.stepping();
    on(new EnginePause.Event.Rests(resting));
  }

  /** Time for a heartbeat. */
  void beat(EngineLife now) {
    life = now;
    on(new EnginePause.Event.Rests(resting)); // Again, should its caches still be to be forgotten.
    on(new EnginePause.Event.Beat(nowMs()));
  }

  private void on(EnginePause.Event event) {
    EnginePause.Step step = pause.on(event);
    pause = step.next();
    step.effects().forEach(this::perform);
  }

  private void perform(EnginePause.Effect effect) {
    switch (effect) {
      case EnginePause.Effect.Obey(EnginePause.Order order) -> obey(order);
      case EnginePause.Effect.Clear(long number) ->
          inLoop(
              scheduler -> {
                boolean done = scheduler.resetPrefixCache(false);
                LOG.info("the prefix cache {}", done ? "is reset" : "is in use and was not reset");
                later(new EnginePause.Event.Cleared(number));
                return List.of();
              });
      case EnginePause.Effect.Tell(EnginePause.Level level) -> {
        if (life.connected()) {
          coordinator.paused(life, level);
        }
      }
    }
  }

  private void obey(EnginePause.Order order) {
    PauseMode mode = order.mode();
    LOG.info("engine {} is to {}", life.rank(), mode == null ? "go on" : "pause: " + mode);
    inLoop(
        scheduler -> {
          List<ToFrontend.Delta> ended = Pace.set(scheduler, mode);
          later(new EnginePause.Event.Obeyed(order.number(), nowMs()));
          return ended;
        });
  }

  private void inLoop(Function<Scheduler, List<ToFrontend.Delta>> work) {
    if (!inbox.offer(new Inbox.Command.Call(work))) {
      on(new EnginePause.Event.Unasked()); // The order is repeated, and there is room again.
    }
  }

  /** After what the loop has published before: the port has seen every step that began. */
  private void later(EnginePause.Event event) {
    context.runOnContext(
        ignored -> {
          on(event);
          on(new EnginePause.Event.Rests(resting));
        });
  }

  private static long nowMs() {
    return System.nanoTime() / 1_000_000;
  }
}
