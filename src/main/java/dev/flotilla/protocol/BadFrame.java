package dev.flotilla.protocol;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the codec hands over in place of a message that it cannot read: a receiver counts it and
 * goes on, and nothing is thrown on the bus's threads. Logged at most once in ten seconds, since a
 * peer of another version sends many.
 *
 * @param problem what was expected and what came
 */
record BadFrame(FrameException problem) {
  private static final Logger LOG = LoggerFactory.getLogger(BadFrame.class);
  private static final long LOG_EVERY_NANOS = 10_000_000_000L;
  private static final LongAdder DROPPED = new LongAdder();
  private static final AtomicLong QUIET_UNTIL = new AtomicLong(System.nanoTime());

  /** Frames dropped in this JVM. */
  static long dropped() {
    return DROPPED.sum();
  }

  void drop(String address) {
    DROPPED.increment();
    long now = System.nanoTime();
    long until = QUIET_UNTIL.get();
    if (now - until >= 0 && QUIET_UNTIL.compareAndSet(until, now + LOG_EVERY_NANOS)) {
      LOG.warn(
          "{} dropped: {}; {} dropped in all; do all nodes run the same version?",
          address,
          problem.getMessage(),
          dropped());
    }
  }
}
