package dev.flotilla.scheduler;

import dev.flotilla.protocol.TokenIds;

/**
 * What a {@link Scheduler} may never exceed.
 *
 * @param maxNumSeqs most running sequences
 * @param maxNumBatchedTokens most tokens of one step
 * @param maxNumWaiting most waiting requests; beyond it a request is refused with 429
 * @param maxModelLen most tokens of prompt and output together
 * @param blocks KV cache blocks there are
 * @param blockSize token positions of a block
 * @param eos tokens that end a generation unless it ignores them
 */
public record SchedulerLimits(
    int maxNumSeqs,
    int maxNumBatchedTokens,
    int maxNumWaiting,
    int maxModelLen,
    int blocks,
    int blockSize,
    TokenIds eos) {

  /** Refuses what cannot be scheduled under. */
  public SchedulerLimits {
    boolean sane =
        maxNumSeqs >= 1
            && maxNumBatchedTokens >= 1
            && maxNumWaiting >= 1
            && maxModelLen >= 1
            && blocks >= 1
            && blockSize >= 1;
    if (!sane) {
      throw new IllegalArgumentException(
          "every limit must be at least 1: seqs %d, batched tokens %d, waiting %d, model length %d, blocks %d, block size %d"
              .formatted(
                  maxNumSeqs, maxNumBatchedTokens, maxNumWaiting, maxModelLen, blocks, blockSize));
    }
  }

  /**
   * Most running sequences of one step: each of them must be able to decode in every step, so that
   * the budget bounds them too.
   */
  int runningMax() {
    return Math.min(maxNumSeqs, maxNumBatchedTokens);
  }

  /** Blocks that so many positions need. */
  int blocksFor(int positions) {
    return (int) (((long) positions + blockSize - 1) / blockSize);
  }
}
