package dev.flotilla.collective;

import dev.flotilla.model.Batch;
import dev.flotilla.model.Collective;
import dev.flotilla.model.Executor;
import dev.flotilla.model.ModelConfig;
import dev.flotilla.model.StepResult;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An executor that needs nothing of other ranks, made to step together with them: it meets them
 * once before each step, so that no rank is ever a step ahead. Stands for an expert-parallel one
 * where only time matters.
 */
public final class InStep implements Executor {
  private final Executor executor;
  private @Nullable Collective collective;
  private long waitedNanos;

  /** Closes the executor with itself, but not the membership. */
  public InStep(Executor executor) {
    this.executor = executor;
  }

  @Override
  public void regroup(Collective joined) {
    collective = joined;
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
    long start = System.nanoTime();
    Objects.requireNonNull(collective, "it is in no group").sum(batch.items().size());
    waitedNanos += System.nanoTime() - start;
    return executor.execute(batch);
  }

  @Override
  public long waitedNanos() {
    return waitedNanos;
  }

  @Override
  public void close() {
    executor.close();
  }
}
