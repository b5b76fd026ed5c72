package dev.flotilla.engine;

/**
 * Performs an action when it is requested, but never more often than its gap; requests in between
 * share one performance at the gap's end. Used by one thread.
 */
final class Pacer {
  /** Runs something on the same thread in so many milliseconds, at least 1. */
  interface Later {
    void run(long ms, Runnable action);
  }

  private long gapNanos;
  private final Runnable action;
  private final Later later;
  private long lastNanos;
  private boolean armed;

  Pacer(long gapMs, Runnable action, Later later) {
    this.gapNanos = gapMs * 1_000_000;
    this.action = action;
    this.later = later;
    lastNanos = System.nanoTime() - gapNanos;
  }

  /** From now on, another gap. */
  void gap(long ms) {
    gapNanos = ms * 1_000_000;
  }

  void request() {
    if (armed) {
      return;
    }
    long leftNanos = lastNanos + gapNanos - System.nanoTime();
    if (leftNanos <= 0) {
      perform();
    } else {
      armed = true;
      later.run(Math.max(1, Math.ceilDiv(leftNanos, 1_000_000)), this::perform);
    }
  }

  private void perform() {
    armed = false;
    lastNanos = System.nanoTime();
    action.run();
  }
}
