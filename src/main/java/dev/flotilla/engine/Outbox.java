package dev.flotilla.engine;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * The bounded queue from the step loop to its port, and the loop's newest snapshot. Notifies the
 * port once for all that has come since it looked last. A loop that is far ahead of its port waits,
 * so that a slow event loop holds the steps back instead of filling the memory.
 */
final class Outbox {
  /** Steps that the loop may be ahead of its port. */
  private static final int AHEAD_MAX = 64;

  /** An event loop that stands still for longer is broken. */
  private static final long PATIENCE_S = 10;

  private final BlockingQueue<Outcome> queue = new ArrayBlockingQueue<>(AHEAD_MAX);
  private final AtomicBoolean notified = new AtomicBoolean();
  private final Runnable news;
  private volatile Snapshot latest = Snapshot.NONE;

  /**
   * An empty one.
   *
   * @param news makes the port look; called by the loop's thread
   */
  Outbox(Runnable news) {
    this.news = news;
  }

  /** The loop's state has changed. */
  void publish(Snapshot snapshot) {
    latest = snapshot;
    tell();
  }

  /** Something is to be sent, and the loop's state has changed. */
  void publish(Outcome outcome) throws InterruptedException {
    if (!queue.offer(outcome)) {
      tell();
      if (!queue.offer(outcome, PATIENCE_S, TimeUnit.SECONDS)) {
        throw new IllegalStateException(
            "the port has taken no tokens for %d s: its event loop is blocked"
                .formatted(PATIENCE_S));
      }
    }
    // After the outcome: whoever sees this state finds what led to it in the queue.
    publish(outcome.snapshot());
  }

  private void tell() {
    if (notified.compareAndSet(false, true)) {
      news.run();
    }
  }

  /** The port looks: what comes from now on is told anew. */
  Snapshot look() {
    notified.set(false);
    return latest;
  }

  /** What is to be sent next, for the port; null if there is nothing. */
  @Nullable Outcome poll() {
    return queue.poll();
  }
}
