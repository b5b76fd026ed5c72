package dev.flotilla.protocol;

import java.util.List;

/**
 * What one engine has done since its start; every number only grows. The names and meanings are
 * those of vLLM's metrics.
 *
 * @param prefixQueries tokens that were looked for in the prefix cache, once per request
 * @param prefixHits those of them that were found
 * @param preemptions running requests that had to give their blocks back
 * @param promptTokens tokens of the prompts whose first token was drawn, cached ones included
 * @param generationTokens tokens drawn
 * @param iterationTokens steps by the tokens that they brought: whole prompts and drawn tokens
 * @param iterationTokensSum those tokens in all
 */
public record EngineTotals(
    long prefixQueries,
    long prefixHits,
    long preemptions,
    long promptTokens,
    long generationTokens,
    List<Long> iterationTokens,
    long iterationTokensSum) {

  /**
   * Upper bounds of {@code iterationTokens}, those of vLLM's histogram; one more count, of what
   * lies above, follows.
   */
  public static final List<Integer> ITERATION_BOUNDS =
      List.of(1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384);

  /** Of an engine that has done nothing. */
  public static final EngineTotals NONE =
      new EngineTotals(
          0, 0, 0, 0, 0, java.util.Collections.nCopies(ITERATION_BOUNDS.size() + 1, 0L), 0);

  /** Keeps a private copy; there is one count per bound and one more. */
  public EngineTotals {
    iterationTokens = List.copyOf(iterationTokens);
    if (iterationTokens.size() != ITERATION_BOUNDS.size() + 1) {
      throw new IllegalArgumentException(
          "iteration tokens come in %d counts, not %d"
              .formatted(ITERATION_BOUNDS.size() + 1, iterationTokens.size()));
    }
  }

  /** Where a step of so many tokens is counted. */
  public static int bucket(long tokens) {
    int index = 0;
    while (index < ITERATION_BOUNDS.size() && tokens > ITERATION_BOUNDS.get(index)) {
      index++;
    }
    return index;
  }
}
