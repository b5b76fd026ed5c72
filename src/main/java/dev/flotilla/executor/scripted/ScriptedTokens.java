package dev.flotilla.executor.scripted;

import dev.flotilla.protocol.TokenIds;

/**
 * The tokens of a scripted engine: the token at a position is a hash of all tokens before it, drawn
 * from the ids that are not special. It is therefore a function of the prompt and the position, and
 * a request resumed with delivered tokens continues as it would have gone on. Immutable.
 */
public final class ScriptedTokens {
  /** The state before the first token: the fraction of the golden ratio, an arbitrary constant. */
  public static final long START = 0x9E3779B97F4A7C15L;

  private final int[] plain; // ids that are not special, ascending

  private ScriptedTokens(int[] plain) {
    this.plain = plain;
  }

  /**
   * Those of one vocabulary.
   *
   * @param vocab ids are below it
   * @param specials ids that are never emitted
   */
  public static ScriptedTokens of(int vocab, TokenIds specials) {
    boolean[] special = new boolean[vocab];
    specials.stream().filter(id -> id >= 0 && id < vocab).forEach(id -> special[id] = true);
    int[] plain = new int[vocab];
    int count = 0;
    for (int id = 0; id < vocab; id++) {
      if (!special[id]) {
        plain[count++] = id;
      }
    }
    if (count == 0) {
      throw new IllegalArgumentException("all " + vocab + " ids of the vocabulary are special");
    }
    return new ScriptedTokens(java.util.Arrays.copyOf(plain, count));
  }

  /** The first {@code count} tokens that follow a prompt (or a prompt and delivered tokens). */
  public TokenIds after(TokenIds prompt, int count) {
    long state = START;
    for (int i = 0; i < prompt.size(); i++) {
      state = next(state, prompt.get(i));
    }
    int[] tokens = new int[count];
    for (int i = 0; i < count; i++) {
      tokens[i] = draw(state);
      state = next(state, tokens[i]);
    }
    return TokenIds.of(tokens);
  }

  /** The state after one more token (the mixing step of SplitMix64). */
  public static long next(long state, int token) {
    long mixed = (state ^ token) * 0xBF58476D1CE4E5B9L;
    mixed ^= mixed >>> 29;
    return (mixed + START) * 0x94D049BB133111EBL ^ (mixed >>> 32);
  }

  /** The token that follows a state. */
  public int draw(long state) {
    return plain[(int) Long.remainderUnsigned(state ^ (state >>> 33), plain.length)];
  }
}
