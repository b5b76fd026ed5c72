package dev.flotilla.model;

import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.TokenIds;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one step computes: a stretch of consecutive tokens of each of several sequences, prefill and
 * decode mixed.
 *
 * @param items one per sequence; no sequence twice
 */
public record Batch(List<Item> items) {

  /**
   * A stretch of one sequence. Before it, keys and values of positions 0 to {@code start - 1} are
   * in the sequence's blocks; after it, those of its tokens too.
   *
   * @param sequence names the sequence for as long as it lives in this engine
   * @param tokens to be computed, at positions {@code start} on; never empty
   * @param start position of the first
   * @param blocks the sequence's block table: block {@code i} holds positions {@code i * blockSize}
   *     on; covers at least {@code start + tokens.size()} positions
   * @param sampling parameters of the draw after the last token; null if the prompt goes on in a
   *     later step and nothing is drawn
   * @param promptLogprobs best tokens to report for each of {@code tokens} with its successor; -1
   *     for none
   * @param nextToken the token after the last of {@code tokens} if the prompt goes on, for {@code
   *     promptLogprobs}; -1 if none
   * @param history the tokens before the draw, if its parameters ask for them
   * @param mask the only tokens that may be drawn; null: all may
   */
  public record Item(
      long sequence,
      TokenIds tokens,
      int start,
      TokenIds blocks,
      @Nullable Sampling sampling,
      int promptLogprobs,
      int nextToken,
      @Nullable History history,
      @Nullable TokenMask mask) {

    /** Whose draw depends on logits and parameters alone. */
    public Item(
        long sequence,
        TokenIds tokens,
        int start,
        TokenIds blocks,
        @Nullable Sampling sampling,
        int promptLogprobs,
        int nextToken) {
      this(sequence, tokens, start, blocks, sampling, promptLogprobs, nextToken, null, null);
    }

    /** The same with a mask. */
    public Item withMask(TokenMask allowed) {
      return new Item(
          sequence, tokens, start, blocks, sampling, promptLogprobs, nextToken, history, allowed);
    }

    /** The same with a history. */
    public Item withHistory(@Nullable History before) {
      return new Item(
          sequence, tokens, start, blocks, sampling, promptLogprobs, nextToken, before, mask);
    }
  }

  /**
   * What stands before the token to be drawn.
   *
   * @param prompt may be left out where no penalty for repetition needs it
   * @param output what was delivered by earlier attempts included
   */
  public record History(TokenIds prompt, TokenIds output) {
    static final History NONE = new History(TokenIds.EMPTY, TokenIds.EMPTY);

    /** Whether the draw of a token after so many outputs depends on those before it. */
    public static boolean neededBy(Sampling sampling, int outputs) {
      return !sampling.penalties().neutral()
          || !sampling.rules().badWords().isEmpty()
          || sampling.grammar() != null
          || outputs < sampling.minTokens();
    }
  }

  /** Keeps a private copy. */
  public Batch {
    items = List.copyOf(items);
  }

  /** Nothing to compute. */
  public boolean isEmpty() {
    return items.isEmpty();
  }

  /** Tokens to be computed in all. */
  public int tokens() {
    int sum = 0;
    for (Item item : items) {
      sum += item.tokens().size();
    }
    return sum;
  }
}
