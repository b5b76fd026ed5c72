package dev.flotilla.engine;

import io.vertx.core.Vertx;
import java.util.function.Supplier;

/**
 * Gives an {@link EngineLife} its ticks: many a second while it comes and goes, and while it serves
 * only those that something is due at, so that ranks that rest do not keep a core awake. Used by
 * the port's thread.
 */
final class LifeClockPort {
  /** Resolution of the life cycle's timers, the shortest of which is 250 ms. */
  private static final long TICK_MS = 25;

  private final Vertx vertx;
  private final Supplier<EngineLife> life;
  private final Runnable tick;

  LifeClockPort(Vertx vertx, Supplier<EngineLife> life, Runnable tick) {
    this.vertx = vertx;
    this.life = life;
    this.tick = tick;
  }

  /** Ticks now, and from now on. */
  void start() {
    tick.run();
    vertx.setTimer(restMs(System.nanoTime() / 1_000_000), ignored -> start());
  }

  /** In other stages deadlines are due too, and what happens there is waited for by others. */
  private long restMs(long nowMs) {
    EngineLife now = life.get();
    if (now.stage() != EngineLife.Stage.SERVING) {
      return TICK_MS;
    }
    long due = Math.min(now.timers().helloMs(), now.timers().beatMs());
    return Math.clamp(due - nowMs, 1, EngineLife.BEAT_MS);
  }
}
