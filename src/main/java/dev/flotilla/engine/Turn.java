package dev.flotilla.engine;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who may touch the scheduler: the step loop, except while the executor computes; then the port
 * may. The port never waits: what it wants done is done by itself at once, or by the loop as soon
 * as that lets go. So queued requests can be looked at and handed over during a long step.
 */
final class Turn {
  private static final Logger LOG = LoggerFactory.getLogger(Turn.class);

  private final ReentrantLock lock = new ReentrantLock();
  private final AtomicBoolean wanted = new AtomicBoolean();
  private final Runnable errand;

  /**
   * Nobody's.
   *
   * @param errand what the port wants done when it asks; runs in somebody's turn
   */
  Turn(Runnable errand) {
    this.errand = errand;
  }

  /** The loop's turn begins. */
  void begin() {
    lock.lock();
  }

  /** A turn ends; does first what was asked meanwhile. */
  void end() {
    do {
      try {
        if (wanted.getAndSet(false)) {
          errand.run();
        }
      } catch (RuntimeException e) {
        LOG.error("an errand of the port failed; the engine goes on", e);
      } finally {
        lock.unlock();
      }
      // Who asked while the lock was still held has left it to this thread.
    } while (wanted.get() && lock.tryLock());
  }

  /** The port asks for its errand; asking again before it is done has no further effect. */
  void ask() {
    wanted.set(true);
    if (lock.tryLock()) {
      end();
    }
  }
}
