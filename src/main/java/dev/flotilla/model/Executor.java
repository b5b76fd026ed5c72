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

  /**
   * Holds from now on the share of the experts that is due to one member of a group, as far as it
   * does not hold it already; may take as long as loading. Comes before {@link #regroup}, so that
   * nobody waits for it in an exchange.
   *
   * @param own index of the member
   * @param members of the group
   */
  default void share(int own, int members) {}

  /**
   * Takes the next steps with this generation of the group. Keys and values stay. A step that
   * failed in an older one may be computed again and gives the same.
   *
   * @throws IllegalStateException if it steps alone
   */
  default void regroup(Collective joined) {
    throw new IllegalStateException(
        "an executor of a %s model that steps alone was told of a group"
            .formatted(config().kind()));
  }

  /** Time, of all steps so far, in which this rank only waited for others of its group. */
  default long waitedNanos() {
    return 0;
  }

  /** Gives back memory. */
  @Override
  void close();
}
