package dev.flotilla.scheduler;

import dev.flotilla.model.Batch;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.Logprobs;
import dev.flotilla.protocol.PrefixHash;
import dev.flotilla.protocol.PrefixHasher;
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
final class Sequence implements Comparable<Sequence> {
  private static final int FIRST_CAPACITY = 64;

  final ToEngine.Submit submit;
  final long id;
  final RequestId request;
  final int attempt;
  final Sampling sampling;
  final TokenIds prompt;
  final int promptLength;
  final long order; // smaller first; among equals the one that came first

  private final String cacheSalt;
  private final List<PrefixHash> names = new ArrayList<>(); // of full blocks, as far as computed
  private @Nullable PrefixHash root;
  private int named; // blocks that were offered to the prefix cache
  private int cachedTokens = -1; // until the first start
  private boolean cachedTold;
  private final long arrivedNanos;
  private long startedNanos = -1;
  private long firstTokenNanos = -1;

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

  /** Whether it was held once for another engine; it is offered no second time. */
  boolean offered;

  Sequence(long id, ToEngine.Submit submit, long order, long nowNanos) {
    this.submit = submit;
    this.id = id;
    this.order = order;
    arrivedNanos = nowNanos;
    cacheSalt = submit.cacheSalt();
    request = submit.request();
    attempt = submit.attempt();
    sampling = submit.sampling();
    prompt = submit.prompt();
    promptLength = prompt.size();
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

  /** Whether all of its tokens have to be computed, though others may have done so. */
  boolean needsEveryPosition() {
    return wantsPromptLogprobs;
  }

  /** What names the prefix up to the end of that block, whose tokens are all known. */
  PrefixHash name(int block, int blockSize, PrefixHasher hasher) {
    PrefixHash last = root;
    if (last == null) {
      last = hasher.root(cacheSalt);
      root = last;
    }
    for (int i = names.size(); i <= block; i++) {
      PrefixHash before = i == 0 ? last : names.get(i - 1);
      names.add(hasher.next(before, tokens, i * blockSize, blockSize));
    }
    return names.get(block);
  }

  int named() {
    return named;
  }

  void named(int blocks) {
    named = blocks;
  }

  /** So many tokens, in so many blocks, need not be computed. */
  void skip(int count, int blocks) {
    computed = count;
    named = blocks;
  }

  /** The first step that computes something of it; false if there was one before. */
  boolean start(long nowNanos) {
    if (startedNanos >= 0) {
      return false;
    }
    startedNanos = nowNanos;
    cachedTokens = computed;
    return true;
  }

  /** Its first token is drawn; false if one was before. */
  boolean firstToken(long nowNanos) {
    if (firstTokenNanos >= 0) {
      return false;
    }
    firstTokenNanos = nowNanos;
    return true;
  }

  private ToFrontend.Timing timing(long nowNanos) {
    if (startedNanos < 0) {
      return new ToFrontend.Timing(nowNanos - arrivedNanos, 0, 0);
    }
    long prefilled = firstTokenNanos < 0 ? nowNanos : firstTokenNanos;
    return new ToFrontend.Timing(
        startedNanos - arrivedNanos, prefilled - startedNanos, nowNanos - prefilled);
  }

  private int tellCached() {
    int told = cachedTold ? 0 : Math.max(0, cachedTokens);
    cachedTold = true;
    return told;
  }

  void release(BlockPool pool) {
    // Backwards, so that the pool gives them out again in the order of the positions, and takes a
    // prefix away from its end.
    for (int i = blockCount - 1; i >= 0; i--) {
      pool.free(blocks[i]);
    }
    blockCount = 0;
    blockTable = null;
  }

  /** Whether it was never in a batch. */
  boolean untouched() {
    return startedNanos < 0;
  }

  /** All that is known has to be computed again. */
  void forgetComputed() {
    computed = 0;
    named = 0;
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
        goesOn ? tokens[end] : -1,
        goesOn ? null : history(),
        null);
  }

  /** What the parameters of the next draw ask for; the common ones need no copy. */
  private Batch.@Nullable History history() {
    if (!Batch.History.neededBy(sampling, outputs())) {
      return null;
    }
    boolean repetition = sampling.penalties().repetition() != 1;
    return new Batch.History(
        repetition ? prompt : TokenIds.EMPTY, TokenIds.of(tokens, promptLength, outputs()));
  }

  void collectPromptLogprobs(List<Logprobs> more) {
    if (wantsPromptLogprobs && !more.isEmpty()) {
      List<Logprobs> all = new ArrayList<>(promptLogprobs);
      all.addAll(more);
      promptLogprobs = all;
    }
  }

  /** The last token as a delta; takes the prompt's log-probabilities along the first time. */
  ToFrontend.Delta delta(
      @Nullable FinishReason finish, int stopId, @Nullable Logprobs logprobs, long nowNanos) {
    List<Logprobs> first = promptLogprobs;
    boolean opening = !cachedTold;
    promptLogprobs = List.of();
    wantsPromptLogprobs = false;
    return new ToFrontend.Delta(
        request,
        attempt,
        outputs() - 1,
        TokenIds.of(tokens, length - 1, 1),
        finish,
        stopId,
        logprobs == null || sampling.logprobs() < 0 ? List.of() : List.of(logprobs),
        first,
        tellCached(),
        finish == null && !opening ? null : timing(nowNanos));
  }

  /** An end without a token. */
  ToFrontend.Delta bareEnd(FinishReason finish, long nowNanos) {
    return new ToFrontend.Delta(
        request,
        attempt,
        outputs(),
        TokenIds.EMPTY,
        finish,
        -1,
        List.of(),
        List.of(),
        tellCached(),
        timing(nowNanos));
  }

  @Override
  public int compareTo(Sequence other) {
    int byOrder = Long.compare(order, other.order);
    return byOrder != 0 ? byOrder : Long.compare(id, other.id);
  }

  // One sequence is only ever equal to itself, which is what compareTo says too: no two share an
  // id.

  @Override
  public String toString() {
    return "%s attempt %d: %d of %d tokens computed, %d blocks"
        .formatted(request, attempt, computed, length, blockCount);
  }
}
