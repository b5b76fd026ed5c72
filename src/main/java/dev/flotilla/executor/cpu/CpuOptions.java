package dev.flotilla.executor.cpu;

import org.jspecify.annotations.Nullable;

/**
 * What a {@link CpuExecutor} is opened with.
 *
 * @param blockSize token positions of a KV cache block, a power of two
 * @param blocks KV cache blocks; null: a share of the free memory
 * @param maxModelLen longest sequence, in tokens
 * @param maxNumSeqs most sequences of one step
 * @param maxBatchedTokens most tokens of one step
 * @param progress told while weights are repacked
 */
public record CpuOptions(
    int blockSize,
    @Nullable Integer blocks,
    int maxModelLen,
    int maxNumSeqs,
    int maxBatchedTokens,
    Progress progress) {

  /** Told, by any thread, how far repacking has come. */
  @FunctionalInterface
  public interface Progress {
    /** Tells nobody. */
    Progress NONE = (done, total) -> {};

    /**
     * So many bytes of so many are repacked; the last call has both equal. Never called when
     * another rank of this JVM has repacked the weights already.
     */
    void repacked(long done, long total);
  }

  /** Checks every bound. */
  public CpuOptions {
    if (blockSize < 1 || blockSize > 1024 || Integer.bitCount(blockSize) != 1) {
      throw new IllegalArgumentException(
          "block size must be a power of two up to 1024, not " + blockSize);
    }
    if ((blocks != null && blocks < 1)
        || maxModelLen < 1
        || maxNumSeqs < 1
        || maxBatchedTokens < 1) {
      throw new IllegalArgumentException(
          "blocks %s, longest sequence %d, sequences %d and tokens %d of a step must be positive"
              .formatted(blocks, maxModelLen, maxNumSeqs, maxBatchedTokens));
    }
  }
}
