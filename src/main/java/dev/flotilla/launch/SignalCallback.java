package dev.flotilla.launch;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Runs something once, outside the context in which it was asked for: a signal handler or a
 * shutdown hook only triggers, a thread of its own does the work. Safe for use by several threads.
 *
 * <p>Source: the original's class of that name.
 */
public final class SignalCallback {
  private enum State {
    WAITING,
    TRIGGERED,
    STOPPED
  }

  private final AtomicReference<State> state = new AtomicReference<>(State.WAITING);
  private final CountDownLatch decided = new CountDownLatch(1);
  private final Thread thread;

  private SignalCallback(String name, Runnable callback) {
    thread =
        Thread.ofPlatform()
            .daemon()
            .name(name)
            .unstarted(
                () -> {
                  try {
                    decided.await();
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return;
                  }
                  if (state.get() == State.TRIGGERED) {
                    callback.run();
                  }
                });
  }

  /** Waits for its trigger from now on. */
  public static SignalCallback start(String name, Runnable callback) {
    SignalCallback waiting = new SignalCallback(name, callback);
    waiting.thread.start();
    return waiting;
  }

  /** Has the callback run; whether this call was the one that does. */
  public boolean trigger() {
    return decide(State.TRIGGERED);
  }

  /** Ends the waiting; a later trigger does nothing. */
  public void stop() {
    decide(State.STOPPED);
  }

  /** Waits until the callback has run, or will never. */
  public void join() throws InterruptedException {
    thread.join();
  }

  private boolean decide(State next) {
    boolean first = state.compareAndSet(State.WAITING, next);
    decided.countDown();
    return first;
  }
}
