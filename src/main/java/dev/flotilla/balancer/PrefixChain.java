package dev.flotilla.balancer;

import dev.flotilla.protocol.PrefixHash;
import dev.flotilla.protocol.PrefixHasher;
import dev.flotilla.protocol.TokenIds;
import org.jspecify.annotations.Nullable;

/**
 * The chained hashes of a prompt's full blocks: equal hashes mean equal tokens from the start on.
 * Those of a prompt are computed when they are asked for, since a search ends at the first block
 * that nobody holds. Used by one thread.
 */
public final class PrefixChain {
  /** Nothing to be looked for. */
  public static final PrefixChain NONE = new PrefixChain(new long[0], 1, null);

  private final long[] hashes;
  private final int blockTokens;
  private final @Nullable Hashing hashing;

  /** What the hashes are computed from. */
  private static final class Hashing {
    final PrefixHasher hasher = new PrefixHasher();
    final TokenIds prompt;
    final int[] block;
    PrefixHash last;
    int computed;

    Hashing(TokenIds prompt, int blockTokens, String cacheSalt) {
      this.prompt = prompt;
      block = new int[blockTokens];
      last = hasher.root(cacheSalt);
    }

    void next(long[] hashes) {
      for (int i = 0; i < block.length; i++) {
        block[i] = prompt.get(computed * block.length + i);
      }
      last = hasher.next(last, block, 0, block.length);
      hashes[computed++] = last.low();
    }
  }

  private PrefixChain(long[] hashes, int blockTokens, @Nullable Hashing hashing) {
    this.hashes = hashes;
    this.blockTokens = blockTokens;
    this.hashing = hashing;
  }

  /** Copies the hashes, in the prompt's order. */
  public static PrefixChain of(int blockTokens, long... hashes) {
    return hashes.length == 0 ? NONE : new PrefixChain(hashes.clone(), blockTokens, null);
  }

  /** A prompt's, as engines name its blocks. */
  public static PrefixChain of(TokenIds prompt, int blockTokens, String cacheSalt) {
    int blocks = prompt.size() / blockTokens;
    return blocks == 0
        ? NONE
        : new PrefixChain(
            new long[blocks], blockTokens, new Hashing(prompt, blockTokens, cacheSalt));
  }

  /** Full blocks. */
  public int size() {
    return hashes.length;
  }

  /** The hash of the prompt up to the end of a block. */
  public long hash(int block) {
    while (hashing != null && hashing.computed <= block) {
      hashing.next(hashes);
    }
    return hashes[block];
  }

  /** Tokens of a block. */
  public int blockTokens() {
    return blockTokens;
  }
}
