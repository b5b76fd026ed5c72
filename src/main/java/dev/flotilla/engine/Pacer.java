package dev.flotilla.engine;

import java.util.function.LongSupplier;

/**
 * Performs an action when it is requested, but never more often than its gap; requests in between
 * share one performance at the gap's end. Used by one thread.
 */
public final class Pacer {
  /** Runs something on the same thread in so many milliseconds, at least 1. */
  public interface Later {
    void run(long ms, Runnable action);
  }

  private long gapNanos;
  private final Runnable action;
  private final Later later;
  private final LongSupplier clock;
  private long lastNanos;
  private boolean armed;

  /**
   * One that has performed nothing yet.
   *
   * @param clock gives nanoseconds
   */
  public Pacer(long gapMs, Runnable action, Later later, LongSupplier clock) {
    this.gapNanos = gapMs * 1_000_000;
    this.action = action;
    this.later = later;
    this.clock = clock;
    lastNanos = clock.getAsLong() - gapNanos;
  }

  /** From now on, another gap. */
  void gap(long ms) {
    gapNanos = ms * 1_000_000;
  }

  /** The action is wanted. */
  public void request() {
    if (armed) {
      return;
    }
    long leftNanos = lastNanos + gapNanos - clock.getAsLong();
    if (leftNanos <= 0) {
      perform();
    } else {
      armed = true;
      later.run(Math.max(1, Math.ceilDiv(leftNanos, 1_000_000)), this::perform);
    }
  }

  private void perform() {
    armed = false;
    lastNanos = clock.getAsLong();
    action.run();
  }
}
