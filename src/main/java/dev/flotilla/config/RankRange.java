package dev.flotilla.config;

/**
 * Neighbouring ranks.
 *
 * @param first the lowest
 * @param count 0: none
 */
public record RankRange(int first, int count) {
  /** Checks both bounds. */
  public RankRange {
    Check.that(
        first >= 0 && count >= 0 && first <= 65_535 - count,
        "ranks must lie within 0 to 65534, not %d from rank %d on",
        count,
        first);
  }

  /** All ranks of a group. */
  public static RankRange all(int size) {
    return new RankRange(0, size);
  }

  /** Whether the rank is one of these. */
  public boolean contains(int rank) {
    return rank >= first && rank - first < count;
  }

  @Override
  public String toString() {
    return switch (count) {
      case 0 -> "no ranks";
      case 1 -> "rank " + first;
      default -> "ranks %d to %d".formatted(first, first + count - 1);
    };
  }
}
