package dev.flotilla.coordinator;

import dev.flotilla.protocol.Machine;

/**
 * When to look after what moves the group: at the next tick if something has happened, and now and
 * then if nothing has, for what only time does. Looking at every tick is most of what an idle
 * coordinator costs. Used by one thread.
 */
final class Pace implements Machine {
  /** Between two looks at a group to which nothing happens. */
  static final long REST_NANOS = 50_000_000;

  private boolean stirred = true;
  private long lookedNanos;

  /** Something has happened, more than a report without news. */
  void stir() {
    stirred = true;
  }

  /** Whether to look now; it is taken as done then, and what it brings about may stir again. */
  boolean due(long nowNanos) {
    if (!stirred && nowNanos - lookedNanos < REST_NANOS) {
      return false;
    }
    stirred = false;
    lookedNanos = nowNanos;
    return true;
  }
}
