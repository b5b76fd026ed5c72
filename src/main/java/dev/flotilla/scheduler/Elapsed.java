package dev.flotilla.scheduler;

/** Time since the first tick, by a clock of any origin; never goes back. */
final class Elapsed {
  private boolean started;
  private long last;
  private long nanos;

  void tick(long clockNanos) {
    long passed = started ? Math.max(0, clockNanos - last) : 0;
    last = started ? last + passed : clockNanos;
    nanos += passed;
    started = true;
  }

  long nanos() {
    return nanos;
  }
}
