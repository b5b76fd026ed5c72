package dev.flotilla.engine;

import dev.flotilla.model.Batch;
import dev.flotilla.model.Collective;
import dev.flotilla.model.Executor;
import dev.flotilla.model.ModelConfig;
import dev.flotilla.model.StepResult;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** Makes an executor stand still before its next step, until it may go on. */
final class Stall {
  private static final long LONGEST_S = 60;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition over = lock.newCondition();
  private boolean still;

  void begin() {
    set(true);
  }

  void end() {
    set(false);
  }

  private void set(boolean now) {
    lock.lock();
    try {
      still = now;
      over.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void await() {
    lock.lock();
    try {
      long left = TimeUnit.SECONDS.toNanos(LONGEST_S);
      while (still && left > 0) {
        left = over.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }

  /** The same engine, but for that. */
  Executors.Opened over(Executors.Opened opened) {
    return new Executors.Opened(
        new Stalling(opened.executor()),
        opened.model(),
        opened.maxModelLen(),
        opened.masks(),
        opened.member());
  }

  private final class Stalling implements Executor {
    private final Executor executor;

    Stalling(Executor executor) {
      this.executor = executor;
    }

    @Override
    public ModelConfig config() {
      return executor.config();
    }

    @Override
    public int blocks() {
      return executor.blocks();
    }

    @Override
    public int blockSize() {
      return executor.blockSize();
    }

    @Override
    public StepResult execute(Batch batch) {
      await();
      return executor.execute(batch);
    }

    @Override
    public void share(int own, int members) {
      executor.share(own, members);
    }

    @Override
    public void regroup(Collective joined) {
      executor.regroup(joined);
    }

    @Override
    public long waitedNanos() {
      return executor.waitedNanos();
    }

    @Override
    public void close() {
      executor.close();
    }
  }
}
