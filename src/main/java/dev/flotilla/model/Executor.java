package dev.flotilla.model;

/**
 * Computes batches for one rank. Called by one thread at a time; owns the KV cache memory, while
 * the scheduler owns which block belongs to whom. A token's result never depends on the batch it is
 * in: every implementation keeps one order of accumulation.
 */
public interface Executor extends AutoCloseable {
  /** The model that it computes. */
  ModelConfig config();

  /** KV cache blocks there are, numbered from 0. */
  int blocks();

  /** Token positions of a block. */
  int blockSize();

  /** Computes one step. */
  StepResult execute(Batch batch);

  /** Gives back memory. */
  @Override
  void close();
}
