package dev.flotilla.protocol;

/** One node (JVM) of the cluster: the id that the cluster manager gave it. */
public record NodeId(String value) implements Comparable<NodeId> {
  /** Refuses an empty id and characters that an address cannot carry. */
  public NodeId {
    if (value.isEmpty() || !value.chars().allMatch(c -> c > ' ' && c < 127)) {
      throw new IllegalArgumentException("node id must be printable ASCII, not '" + value + "'");
    }
  }

  @Override
  public int compareTo(NodeId other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
