package dev.flotilla.protocol;

/** One start of one front-end (a random id); owns the requests that it accepted. */
public record FrontendId(String value) implements Comparable<FrontendId> {
  /** Refuses an empty id and characters that an address cannot carry. */
  public FrontendId {
    if (value.isEmpty() || !value.chars().allMatch(c -> c > ' ' && c < 127)) {
      throw new IllegalArgumentException(
          "front-end id must be printable ASCII, not '" + value + "'");
    }
  }

  @Override
  public int compareTo(FrontendId other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
