package dev.flotilla.executor.cpu;

/** Multiplies one or two tiles of 32 rows with a group of tokens. */
@FunctionalInterface
interface TileKernel {
  /**
   * Computes {@code y[yo + b * ldy + row]} for each token b of the group.
   *
   * @param w address of the (first) tile, [k][32]
   * @param tileBytes from one tile to the next
   * @param x packed activations, [k][batch] from {@code xo} on
   * @param k columns
   */
  void run(long w, long tileBytes, float[] x, int xo, float[] y, int yo, int ldy, int k);

  /** Products of a group of queries with 16 keys at each of two addresses, [k][16]. */
  @FunctionalInterface
  interface Keys {
    /** Computes {@code y[yo + b * ldy + token]}, the second 16 tokens from 16 on. */
    void run(long first, long second, float[] x, int xo, float[] y, int yo, int ldy, int k);
  }

  /** Adds weighted values. */
  @FunctionalInterface
  interface Values {
    /** Adds to {@code y[yo + b * ldy + dim]} k values, [k][32], weighted by x, [k][batch]. */
    void run(long w, float[] x, int xo, float[] y, int yo, int ldy, int k);
  }

  /** Writes a bf16 tile as an f32 tile and multiplies it with 8 tokens. */
  @FunctionalInterface
  interface WidenBatch8 {
    /** Reads the tile at {@code w}, writes it to {@code panel}; the rest as {@link #run}. */
    void run(long w, long panel, float[] x, int xo, float[] y, int yo, int ldy, int k);
  }
}
