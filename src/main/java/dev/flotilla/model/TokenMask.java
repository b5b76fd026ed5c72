package dev.flotilla.model;

import dev.flotilla.protocol.TokenIds;

/** An immutable set of tokens that may be drawn. */
public final class TokenMask {
  private final long[] words;

  private TokenMask(long[] words) {
    this.words = words;
  }

  /** The ids whose bits are set: id {@code i} is bit {@code i % 64} of word {@code i / 64}. */
  public static TokenMask ofBits(long[] words) {
    return new TokenMask(words.clone());
  }

  /** These ids. */
  public static TokenMask of(TokenIds ids) {
    long[] words = new long[ids.stream().max().orElse(0) / 64 + 1];
    ids.stream().forEach(id -> words[id >> 6] |= 1L << id);
    return new TokenMask(words);
  }

  /** Whether an id may be drawn. */
  public boolean allows(int id) {
    return id >> 6 < words.length && (words[id >> 6] >>> id & 1) != 0;
  }

  /** Copies the values of allowed ids and makes the others minus infinity. */
  void copyAllowed(float[] from, int offset, float[] to, int length) {
    java.util.Arrays.fill(to, 0, length, Float.NEGATIVE_INFINITY);
    int count = Math.min(words.length, (length + 63) / 64);
    for (int w = 0; w < count; w++) {
      for (long left = words[w]; left != 0; left &= left - 1) {
        int id = w * 64 + Long.numberOfTrailingZeros(left);
        if (id < length) {
          to[id] = from[offset + id];
        }
      }
    }
  }
}
