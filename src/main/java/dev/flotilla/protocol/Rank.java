package dev.flotilla.protocol;

/** The index of an engine in the whole data-parallel group; at most 65,534. */
public record Rank(int value) implements Comparable<Rank> {
  /** As many ranks as a two-byte identity can name, the limit of the original. */
  public static final int COUNT_MAX = 65_535;

  /** Refuses what is no rank. */
  public Rank {
    if (value < 0 || value >= COUNT_MAX) {
      throw new IllegalArgumentException("rank must be 0 to " + (COUNT_MAX - 1) + ", not " + value);
    }
  }

  @Override
  public int compareTo(Rank other) {
    return Integer.compare(value, other.value);
  }

  @Override
  public String toString() {
    return Integer.toString(value);
  }
}
