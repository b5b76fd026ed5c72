package dev.flotilla.executor.cpu;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The threads that compute, one pool per JVM: ranks take it for a whole step under a fair lock, so
 * they never run more threads than there are cores. The thread that holds the pool works too, as
 * worker 0. Work is cut into chunks that workers claim one by one; a helper that wakes late finds
 * nothing left and delays nobody.
 */
final class ComputePool {
  /**
   * How long a thread spins before it parks: longer than the serial stretch between two stages, and
   * shorter than a scheduler's quantum, of which a spinner on a busy machine would rob the thread
   * that it waits for.
   */
  private static final long SPIN_NANOS = 20_000;

  private static final long PARK_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final ComputePool SHARED =
      new ComputePool(
          Math.max(
              1,
              Integer.getInteger("flotilla.threads", Runtime.getRuntime().availableProcessors())));

  private final ReentrantLock lock = new ReentrantLock(true);
  private final List<Helper> helpers = new ArrayList<>();
  private volatile @Nullable Job current;

  ComputePool(int threads) {
    for (int worker = 1; worker < threads; worker++) {
      Helper helper = new Helper(worker);
      helper.setDaemon(true);
      helper.setName("flotilla-compute-" + worker);
      helpers.add(helper);
      helper.start();
    }
  }

  /** The pool of this JVM; {@code -Dflotilla.threads} sets its size. */
  static ComputePool shared() {
    return SHARED;
  }

  /** Workers there are, the holder of the pool among them. */
  int workers() {
    return helpers.size() + 1;
  }

  /** Work on the units {@code from} to {@code to - 1}. */
  @FunctionalInterface
  interface Task {
    /** Runs on one of the workers, numbered from 0. */
    void run(int from, int to, int worker);
  }

  /** Runs something that calls {@link #run} while no other thread can. */
  void hold(Runnable step) {
    lock.lock();
    try {
      step.run();
    } finally {
      current = null;
      lock.unlock();
    }
  }

  /**
   * Lets other threads have the pool while this one waits for them, and takes it back. Only within
   * {@link #hold}.
   */
  void unheld(Runnable wait) {
    if (!lock.isHeldByCurrentThread()) {
      throw new IllegalStateException("only who holds the compute pool can leave it");
    }
    current = null;
    lock.unlock();
    try {
      wait.run();
    } finally {
      lock.lock();
    }
  }

  /**
   * Computes all units and returns when they are done. Only within {@link #hold}.
   *
   * @param grain units of a chunk
   */
  void run(int units, int grain, Task task) {
    if (!lock.isHeldByCurrentThread()) {
      throw new IllegalStateException("a step must hold the compute pool");
    }
    int chunk = Math.max(1, grain);
    if (helpers.isEmpty() || units <= chunk) {
      task.run(0, units, 0);
      return;
    }
    Job job = new Job(task, units, chunk, Thread.currentThread());
    current = job;
    for (Helper helper : helpers) {
      helper.wake();
    }
    job.work(0);
    job.await();
  }

  /** Chunks of about an eighth of each worker's share, so that a disturbed worker takes fewer. */
  int grain(int units) {
    return Math.max(1, units / (8 * workers()));
  }

  private static final class Job {
    private final Task task;
    private final int units;
    private final int chunk;
    private final Thread owner;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger done = new AtomicInteger();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private volatile boolean ownerParked;

    Job(Task task, int units, int chunk, Thread owner) {
      this.task = task;
      this.units = units;
      this.chunk = chunk;
      this.owner = owner;
    }

    void work(int worker) {
      for (int from = next.getAndAdd(chunk); from < units; from = next.getAndAdd(chunk)) {
        int to = Math.min(units, from + chunk);
        try {
          task.run(from, to, worker);
        } catch (RuntimeException | Error e) {
          failure.compareAndSet(null, e);
        }
        if (done.addAndGet(to - from) == units && ownerParked) {
          LockSupport.unpark(owner);
        }
      }
    }

    void await() {
      long spinUntil = System.nanoTime() + SPIN_NANOS;
      while (done.get() < units) {
        if (System.nanoTime() - spinUntil < 0) {
          Thread.onSpinWait();
        } else {
          ownerParked = true;
          if (done.get() < units) {
            LockSupport.parkNanos(this, PARK_NANOS);
          }
        }
      }
      switch (failure.get()) {
        case null -> {}
        case Error e -> throw e;
        case RuntimeException e -> throw e;
        case Throwable e -> throw new IllegalStateException(e);
      }
    }
  }

  private final class Helper extends Thread {
    private final int worker;
    private volatile boolean parked;

    Helper(int worker) {
      this.worker = worker;
    }

    void wake() {
      if (parked) {
        LockSupport.unpark(this);
      }
    }

    @Override
    public void run() {
      Job seen = null;
      long spinUntil = System.nanoTime() + SPIN_NANOS;
      while (true) {
        Job job = current;
        if (job != null && job != seen) {
          job.work(worker);
          seen = job;
          spinUntil = System.nanoTime() + SPIN_NANOS;
        } else if (System.nanoTime() - spinUntil < 0) {
          Thread.onSpinWait();
        } else {
          // The flag is raised before the last look, so a job set after it finds the flag raised.
          parked = true;
          if (current == job) {
            seen = job == null ? null : seen;
            LockSupport.parkNanos(ComputePool.this, PARK_NANOS);
          }
          parked = false;
        }
      }
    }
  }
}
