package dev.flotilla.scheduler;

import dev.flotilla.model.Batch;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.Logprobs;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.protocol.TokenIds;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The engine's record of one request: its tokens, how many of them are computed, and the blocks
 * that hold their keys and values. Mutable; owned by one {@link Scheduler}.
 */
final class Sequence {
  private static final int FIRST_CAPACITY = 64;

  final ToEngine.Submit submit;
  final long id;
  final RequestId request;
  final int attempt;
  final Sampling sampling;
  final int promptLength;

  private int[] tokens; // prompt, delivered output, own output
  private int length;
  private int computed; // positions whose keys and values are in the blocks
  private int prefillEnd; // tokens below are prefilled, those from here on decoded
  private int[] blocks = new int[4];
  private int blockCount;
  private @Nullable TokenIds blockTable;
  private boolean wantsPromptLogprobs;
  private List<Logprobs> promptLogprobs = List.of();
  private boolean ended;
  private boolean touched;

  Sequence(long id, ToEngine.Submit submit) {
    this.submit = submit;
    this.id = id;
    request = submit.request();
    attempt = submit.attempt();
    sampling = submit.sampling();
    promptLength = submit.prompt().size();
    length = promptLength + submit.delivered().size();
    tokens = new int[length + Math.min(sampling.maxTokens(), FIRST_CAPACITY)];
    submit.prompt().copyTo(tokens, 0);
    submit.delivered().copyTo(tokens, promptLength);
    prefillEnd = length;
    // A resumed request had its prompt's log-probabilities delivered with its first token.
    wantsPromptLogprobs = sampling.promptLogprobs() >= 0 && submit.delivered().isEmpty();
  }

  int length() {
    return length;
  }

  int outputs() {
    return length - promptLength;
  }

  int computed() {
    return computed;
  }

  /** Tokens that the next step has to compute before one can be drawn. */
  int remaining() {
    return length - computed;
  }

  /** Tokens still to be prefilled. */
  int queued() {
    return Math.max(0, prefillEnd - computed);
  }

  boolean ended() {
    return ended;
  }

  void end() {
    ended = true;
  }

  int blockCount() {
    return blockCount;
  }

  int block(int index) {
    return blocks[index];
  }

  void addBlock(int block) {
    if (blockCount == blocks.length) {
      blocks = Arrays.copyOf(blocks, blockCount * 2);
    }
    blocks[blockCount++] = block;
    blockTable = null;
  }

  void release(BlockPool pool) {
    // Backwards, so that the pool gives them out again in the order of the positions.
    for (int i = blockCount - 1; i >= 0; i--) {
      pool.free(blocks[i]);
    }
    blockCount = 0;
    blockTable = null;
  }

  /** Whether it was never in a batch. */
  boolean untouched() {
    return !touched;
  }

  /** All that is known has to be computed again. */
  void forgetComputed() {
    touched = true;
    computed = 0;
    prefillEnd = length;
    promptLogprobs = List.of();
  }

  void advance(int count) {
    computed += count;
  }

  void append(int token) {
    if (length == tokens.length) {
      tokens = Arrays.copyOf(tokens, length + Math.max(FIRST_CAPACITY, length / 2));
    }
    tokens[length++] = token;
  }

  /** The next {@code count} tokens as a batch item. */
  Batch.Item item(int count) {
    TokenIds table = blockTable;
    if (table == null) {
      table = TokenIds.of(blocks, 0, blockCount);
      blockTable = table;
    }
    int end = computed + count;
    boolean goesOn = end < length;
    return new Batch.Item(
        id,
        TokenIds.of(tokens, computed, count),
        computed,
        table,
        goesOn ? null : sampling,
        wantsPromptLogprobs ? sampling.promptLogprobs() : -1,
        goesOn ? tokens[end] : -1);
  }

  void collectPromptLogprobs(List<Logprobs> more) {
    if (wantsPromptLogprobs && !more.isEmpty()) {
      List<Logprobs> all = new ArrayList<>(promptLogprobs);
      all.addAll(more);
      promptLogprobs = all;
    }
  }

  /** The last token as a delta; takes the prompt's log-probabilities along the first time. */
  ToFrontend.Delta delta(@Nullable FinishReason finish, int stopId, List<Logprobs> logprobs) {
    List<Logprobs> first = promptLogprobs;
    promptLogprobs = List.of();
    wantsPromptLogprobs = false;
    return new ToFrontend.Delta(
        request,
        attempt,
        outputs() - 1,
        TokenIds.of(tokens, length - 1, 1),
        finish,
        stopId,
        logprobs,
        first);
  }

  /** An end without a token. */
  ToFrontend.Delta bareEnd(FinishReason finish) {
    return new ToFrontend.Delta(
        request, attempt, outputs(), TokenIds.EMPTY, finish, -1, List.of(), List.of());
  }

  @Override
  public String toString() {
    return "%s attempt %d: %d of %d tokens computed, %d blocks"
        .formatted(request, attempt, computed, length, blockCount);
  }
}
