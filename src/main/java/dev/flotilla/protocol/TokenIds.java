package dev.flotilla.protocol;

import java.util.Arrays;
import java.util.stream.IntStream;

/** An immutable list of token ids with value equality. */
public final class TokenIds {
  /** No tokens. */
  public static final TokenIds EMPTY = new TokenIds(new int[0]);

  private final int[] ids;

  private TokenIds(int[] ids) {
    this.ids = ids;
  }

  /** Copies the given ids. */
  public static TokenIds of(int... ids) {
    return ids.length == 0 ? EMPTY : new TokenIds(ids.clone());
  }

  /** Copies {@code count} ids from {@code from} on. */
  public static TokenIds of(int[] ids, int from, int count) {
    return count == 0 ? EMPTY : new TokenIds(Arrays.copyOfRange(ids, from, from + count));
  }

  /** How many. */
  public int size() {
    return ids.length;
  }

  /** The id at a position from 0. */
  public int get(int index) {
    return ids[index];
  }

  /** Whether there are none. */
  public boolean isEmpty() {
    return ids.length == 0;
  }

  /** The ids from {@code from} (inclusive) to {@code to} (exclusive). */
  public TokenIds slice(int from, int to) {
    return from == 0 && to == ids.length ? this : new TokenIds(Arrays.copyOfRange(ids, from, to));
  }

  /** These ids followed by the others. */
  public TokenIds concat(TokenIds others) {
    if (others.isEmpty()) {
      return this;
    }
    int[] all = Arrays.copyOf(ids, ids.length + others.ids.length);
    System.arraycopy(others.ids, 0, all, ids.length, others.ids.length);
    return new TokenIds(all);
  }

  /** Whether the id is among these. */
  public boolean contains(int id) {
    for (int own : ids) {
      if (own == id) {
        return true;
      }
    }
    return false;
  }

  /** Copies the ids into an array. */
  public void copyTo(int[] target, int at) {
    System.arraycopy(ids, 0, target, at, ids.length);
  }

  /** A copy as an array. */
  public int[] toArray() {
    return ids.clone();
  }

  /** The ids in order. */
  public IntStream stream() {
    return Arrays.stream(ids);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TokenIds that && Arrays.equals(ids, that.ids);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(ids);
  }

  @Override
  public String toString() {
    return ids.length <= 16
        ? Arrays.toString(ids)
        : Arrays.toString(Arrays.copyOf(ids, 16)) + " … " + ids.length + " in all";
  }
}
