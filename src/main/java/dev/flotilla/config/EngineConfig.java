package dev.flotilla.config;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * One engine core.
 *
 * @param model folder in Hugging Face layout
 * @param executor what computes
 * @param rank null: the coordinator chooses
 * @param dataParallelSize ranks of the whole group
 * @param maxNumSeqs most sequences of one step
 * @param maxNumBatchedTokens most tokens of one step
 * @param maxModelLen null: the model's
 * @param blockSize token positions of a KV cache block
 * @param numGpuBlocksOverride null: from memory
 * @param maxNumQueuedReqs most waiting requests; beyond it a request is refused with 429
 * @param enablePrefixCaching whether keys and values of one request are kept for others
 * @param longPrefillTokenThreshold most tokens that one prompt gets of a step; 0 for no such limit
 * @param maxPrefillPerDecode most prompt tokens of a step for each stream that decodes in it; 0 for
 *     no such limit
 * @param schedulingPolicy the order of the queue
 * @param disableLogStats whether the line about load and throughput, each ten seconds, is left out
 * @param local whether it runs on the head
 * @param headless whether its node has no front-end
 * @param expertParallel whether a mixture's experts are spread over all ranks
 * @param handshakeTimeoutMs how long it looks for a coordinator that gives it a rank
 * @param scripted cost model of the scripted executor
 * @param lockstep how ranks step together, if the experts are spread
 */
public record EngineConfig(
    String model,
    ExecutorKind executor,
    @Nullable Integer rank,
    int dataParallelSize,
    int maxNumSeqs,
    int maxNumBatchedTokens,
    @Nullable Integer maxModelLen,
    int blockSize,
    @Nullable Integer numGpuBlocksOverride,
    int maxNumQueuedReqs,
    boolean enablePrefixCaching,
    int longPrefillTokenThreshold,
    int maxPrefillPerDecode,
    SchedulingPolicy schedulingPolicy,
    boolean disableLogStats,
    boolean local,
    boolean headless,
    boolean expertParallel,
    long handshakeTimeoutMs,
    ScriptedConfig scripted,
    LockstepConfig lockstep) {

  /** What is not set. */
  public static final EngineConfig DEFAULT =
      new EngineConfig(
          "",
          ExecutorKind.CPU,
          null,
          1,
          256,
          2048,
          null,
          16,
          null,
          4096,
          true,
          0,
          0,
          SchedulingPolicy.FCFS,
          false,
          true,
          false,
          false,
          300_000,
          ScriptedConfig.DEFAULT,
          LockstepConfig.DEFAULT);

  /** Checks every bound and relation. */
  public EngineConfig {
    Check.that(
        dataParallelSize >= 1 && dataParallelSize <= 65_535,
        "data-parallel-size must be 1 to 65535, not %d",
        dataParallelSize);
    Check.that(
        rank == null || (rank >= 0 && rank < dataParallelSize),
        "rank %s must be 0 to %d, since data-parallel-size is %d",
        rank,
        dataParallelSize - 1,
        dataParallelSize);
    Check.that(maxNumSeqs >= 1, "max-num-seqs must be at least 1, not %d", maxNumSeqs);
    Check.that(
        maxNumBatchedTokens >= 1,
        "max-num-batched-tokens must be at least 1, not %d",
        maxNumBatchedTokens);
    Check.that(
        maxModelLen == null || maxModelLen >= 1,
        "max-model-len must be at least 1, not %s",
        maxModelLen);
    Check.that(
        blockSize >= 1 && blockSize <= 1024 && Integer.bitCount(blockSize) == 1,
        "block-size must be a power of two up to 1024, not %d",
        blockSize);
    Check.that(
        numGpuBlocksOverride == null || numGpuBlocksOverride >= 1,
        "num-gpu-blocks-override must be at least 1, not %s",
        numGpuBlocksOverride);
    Check.that(
        maxNumQueuedReqs >= 1, "max-num-queued-reqs must be at least 1, not %d", maxNumQueuedReqs);
    Check.that(
        longPrefillTokenThreshold >= 0,
        "long-prefill-token-threshold must be at least 0 (no limit), not %d",
        longPrefillTokenThreshold);
    Check.that(
        maxPrefillPerDecode >= 0,
        "max-prefill-per-decode must be at least 0 (no limit), not %d",
        maxPrefillPerDecode);
    Check.that(
        handshakeTimeoutMs >= 1,
        "handshake-timeout-ms must be at least 1, not %d",
        handshakeTimeoutMs);
  }

  /**
   * Of what must be equal over all ranks that step together. Leaves out what says where a rank is
   * and what scaling changes: size, rank, place.
   */
  public String hash() {
    Path folder = Path.of(model).getFileName();
    String equal =
        "%s %s %d %d %s %d %b"
            .formatted(
                folder == null ? "" : folder,
                executor,
                maxNumSeqs,
                maxNumBatchedTokens,
                maxModelLen,
                blockSize,
                expertParallel);
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(equal.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /**
   * The same for one rank of a group that may have grown.
   *
   * @param here whether it runs on the head
   */
  public EngineConfig placed(int value, int size, boolean here) {
    return new EngineConfig(
        model,
        executor,
        value,
        size,
        maxNumSeqs,
        maxNumBatchedTokens,
        maxModelLen,
        blockSize,
        numGpuBlocksOverride,
        maxNumQueuedReqs,
        enablePrefixCaching,
        longPrefillTokenThreshold,
        maxPrefillPerDecode,
        schedulingPolicy,
        disableLogStats,
        here,
        !here,
        expertParallel,
        handshakeTimeoutMs,
        scripted,
        lockstep);
  }

  /** The same for one rank. */
  public EngineConfig withRank(int value) {
    return at(value, lockstep);
  }

  /** The same for an engine that other ranks of its group reach at this host. */
  public EngineConfig listeningAt(String host) {
    return at(rank, new LockstepConfig(lockstep.syncInterval(), lockstep.timeoutMs(), host));
  }

  private EngineConfig at(@Nullable Integer itsRank, LockstepConfig itsLockstep) {
    return new EngineConfig(
        model,
        executor,
        itsRank,
        dataParallelSize,
        maxNumSeqs,
        maxNumBatchedTokens,
        maxModelLen,
        blockSize,
        numGpuBlocksOverride,
        maxNumQueuedReqs,
        enablePrefixCaching,
        longPrefillTokenThreshold,
        maxPrefillPerDecode,
        schedulingPolicy,
        disableLogStats,
        local,
        headless,
        expertParallel,
        handshakeTimeoutMs,
        scripted,
        itsLockstep);
  }
}
