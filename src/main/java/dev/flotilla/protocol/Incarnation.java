package dev.flotilla.protocol;

/** One start of one engine (a random id): two Hellos for one rank are told apart by it. */
public record Incarnation(String value) implements Comparable<Incarnation> {
  /** Refuses an empty id and characters that an address cannot carry. */
  public Incarnation {
    if (value.isEmpty() || !value.chars().allMatch(c -> c > ' ' && c < 127)) {
      throw new IllegalArgumentException(
          "incarnation must be printable ASCII, not '" + value + "'");
    }
  }

  @Override
  public int compareTo(Incarnation other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
