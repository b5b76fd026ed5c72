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
   */
  public record Item(
      long sequence,
      TokenIds tokens,
      int start,
      TokenIds blocks,
      @Nullable Sampling sampling,
      int promptLogprobs,
      int nextToken) {}

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
