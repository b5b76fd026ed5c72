package dev.flotilla.protocol;

import java.util.Arrays;
import java.util.StringJoiner;

/**
 * Prefix blocks by the low halves of their {@link PrefixHash}es. 64 bits are enough to choose an
 * engine by: two blocks that are taken for each other cost time only, since the engine itself finds
 * its blocks by the whole hash. Immutable.
 */
public final class BlockHashes {
  /** None. */
  public static final BlockHashes EMPTY = new BlockHashes(new long[0]);

  private final long[] hashes;

  private BlockHashes(long[] hashes) {
    this.hashes = hashes;
  }

  /** Copies the hashes. */
  public static BlockHashes of(long... hashes) {
    return hashes.length == 0 ? EMPTY : new BlockHashes(hashes.clone());
  }

  /** Copies {@code count} hashes from {@code from} on. */
  public static BlockHashes of(long[] hashes, int from, int count) {
    return count == 0 ? EMPTY : new BlockHashes(Arrays.copyOfRange(hashes, from, from + count));
  }

  /** How many. */
  public int size() {
    return hashes.length;
  }

  /** The hash at a position from 0. */
  public long get(int index) {
    return hashes[index];
  }

  /** A copy as an array. */
  public long[] toArray() {
    return hashes.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof BlockHashes that && Arrays.equals(hashes, that.hashes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(hashes);
  }

  @Override
  public String toString() {
    StringJoiner text = new StringJoiner(",", "[", "]");
    for (long hash : hashes) {
      text.add(Long.toHexString(hash));
    }
    return text.toString();
  }
}
