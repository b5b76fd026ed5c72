package dev.flotilla.balancer;

/**
 * The chained hashes of a prompt's full blocks: equal hashes mean equal tokens from the start on.
 */
public final class PrefixChain {
  /** Nothing to be looked for. */
  public static final PrefixChain NONE = new PrefixChain(new long[0], 1);

  private final long[] hashes;
  private final int blockTokens;

  private PrefixChain(long[] hashes, int blockTokens) {
    this.hashes = hashes;
    this.blockTokens = blockTokens;
  }

  /** Copies the hashes, in the prompt's order. */
  public static PrefixChain of(int blockTokens, long... hashes) {
    return hashes.length == 0 ? NONE : new PrefixChain(hashes.clone(), blockTokens);
  }

  /** Full blocks. */
  public int size() {
    return hashes.length;
  }

  /** The hash of the prompt up to the end of a block. */
  public long hash(int block) {
    return hashes[block];
  }

  /** Tokens of a block. */
  public int blockTokens() {
    return blockTokens;
  }
}
