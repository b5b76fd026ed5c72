package dev.flotilla.scheduler;

import dev.flotilla.config.SchedulingPolicy;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.TokenIds;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link Scheduler} may never exceed, and by which rules it works.
 *
 * @param maxNumSeqs most running sequences
 * @param maxNumBatchedTokens most tokens of one step
 * @param maxNumWaiting most waiting requests; beyond it a request is refused with 429
 * @param maxModelLen most tokens of prompt and output together
 * @param blocks KV cache blocks there are
 * @param blockSize token positions of a block
 * @param eos tokens that end a generation unless it ignores them
 * @param prefixCaching whether what one request computed is kept for others
 * @param longPrefillTokenThreshold most tokens that one prompt gets of a step; 0 for no such limit
 * @param policy the order of the queue
 */
public record SchedulerLimits(
    int maxNumSeqs,
    int maxNumBatchedTokens,
    int maxNumWaiting,
    int maxModelLen,
    int blocks,
    int blockSize,
    TokenIds eos,
    boolean prefixCaching,
    int longPrefillTokenThreshold,
    SchedulingPolicy policy) {

  /** How long a request waits to be worth one level of priority more. */
  private static final long LEVEL_MICROS = 5_000_000;

  /** Refuses what cannot be scheduled under. */
  public SchedulerLimits {
    boolean sane =
        maxNumSeqs >= 1
            && maxNumBatchedTokens >= 1
            && maxNumWaiting >= 1
            && maxModelLen >= 1
            && blocks >= 1
            && blockSize >= 1
            && longPrefillTokenThreshold >= 0;
    if (!sane) {
      throw new IllegalArgumentException(
          "every limit must be at least 1: seqs %d, batched tokens %d, waiting %d, model length %d, blocks %d, block size %d; the threshold of long prompts at least 0, not %d"
              .formatted(
                  maxNumSeqs,
                  maxNumBatchedTokens,
                  maxNumWaiting,
                  maxModelLen,
                  blocks,
                  blockSize,
                  longPrefillTokenThreshold));
    }
  }

  /** First come first served, without prefix caching and threshold. */
  public SchedulerLimits(
      int maxNumSeqs,
      int maxNumBatchedTokens,
      int maxNumWaiting,
      int maxModelLen,
      int blocks,
      int blockSize,
      TokenIds eos) {
    this(
        maxNumSeqs,
        maxNumBatchedTokens,
        maxNumWaiting,
        maxModelLen,
        blocks,
        blockSize,
        eos,
        false,
        0,
        SchedulingPolicy.FCFS);
  }

  /** The same with or without prefix caching. */
  public SchedulerLimits withPrefixCaching(boolean on) {
    return with(on, longPrefillTokenThreshold, policy);
  }

  /** The same with a limit to what one prompt gets of a step. */
  public SchedulerLimits withLongPrefillTokenThreshold(int tokens) {
    return with(prefixCaching, tokens, policy);
  }

  /** The same with another order of the queue. */
  public SchedulerLimits withPolicy(SchedulingPolicy other) {
    return with(prefixCaching, longPrefillTokenThreshold, other);
  }

  private SchedulerLimits with(boolean caching, int threshold, SchedulingPolicy order) {
    return new SchedulerLimits(
        maxNumSeqs,
        maxNumBatchedTokens,
        maxNumWaiting,
        maxModelLen,
        blocks,
        blockSize,
        eos,
        caching,
        threshold,
        order);
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

  /** Where a request of that priority and arrival stands in the queue; smaller comes first. */
  long order(int priority, long arrivalNanos) {
    return policy == SchedulingPolicy.FCFS ? 0 : arrivalNanos / 1_000 + priority * LEVEL_MICROS;
  }

  /** What a step with so many tokens left computes of a prompt. */
  int chunk(int left, int remaining) {
    int most = Math.min(left, remaining);
    return longPrefillTokenThreshold == 0 ? most : Math.min(most, longPrefillTokenThreshold);
  }

  /** Why the request will not be computed here; null if it will. */
  Admission.@Nullable Refused refusal(ToEngine.Submit submit, int waiting) {
    int known = submit.prompt().size() + submit.delivered().size();
    int room = maxModelLen - 1;
    if (submit.prompt().isEmpty()) {
      return new Admission.Refused(400, "the prompt must hold at least one token");
    }
    if (submit.prompt().size() > room || known > maxModelLen) {
      return new Admission.Refused(
          400,
          "the prompt has %d tokens, but max_model_len %d leaves room for %d"
              .formatted(submit.prompt().size(), maxModelLen, room));
    }
    // The last token is drawn but never computed, so its keys and values need no room.
    long longest =
        Math.min(maxModelLen, (long) submit.prompt().size() + submit.sampling().maxTokens()) - 1;
    long needed = (longest + blockSize - 1) / blockSize;
    if (needed > blocks) {
      return new Admission.Refused(
          400,
          "the request may grow to %d tokens, but the KV cache holds %d; send a shorter prompt or a smaller max_tokens"
              .formatted(longest + 1, (long) blocks * blockSize));
    }
    if (waiting >= maxNumWaiting) {
      return new Admission.Refused(
          429,
          "%d requests wait already, as many as max-num-queued-reqs allows; try again later"
              .formatted(waiting));
    }
    return null;
  }

  /** Whether nothing more may be drawn for the sequence. */
  boolean reached(Sequence sequence) {
    return sequence.outputs() >= sequence.sampling.maxTokens() || sequence.length() >= maxModelLen;
  }
}
