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

  /**
   * Computes one step. Of a group that steps together every member must call it as often as the
   * others, with an empty batch if it has no work.
   *
   * @throws CollectiveException if another member did not take part
   */
  StepResult execute(Batch batch);

  /** Time, of all steps so far, in which this rank only waited for others of its group. */
  default long waitedNanos() {
    return 0;
  }

  /** Gives back memory. */
  @Override
  void close();
}
