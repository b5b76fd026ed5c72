package dev.flotilla.protocol;

/**
 * The generation of one rank's membership, given in the handshake and stamped on its messages;
 * fences the late and the dead. Ordered by (term, count); on the wire one 64-bit number.
 *
 * @param term one leadership of a coordinator
 * @param count how many epochs that leadership had given when it gave this one, from 1
 */
public record Epoch(int term, int count) implements Comparable<Epoch> {
  /** Before any handshake. Lower than every epoch that is given. */
  public static final Epoch NONE = new Epoch(0, 0);

  /** Refuses negative parts. */
  public Epoch {
    if (term < 0 || count < 0) {
      throw new IllegalArgumentException("epoch parts must not be negative: " + term + "." + count);
    }
  }

  /** Reads the 64-bit form. */
  public static Epoch of(long packed) {
    return new Epoch((int) (packed >>> 32), (int) packed);
  }

  /** The 64-bit form, which orders as the epochs do. */
  public long packed() {
    return ((long) term << 32) | count;
  }

  @Override
  public int compareTo(Epoch other) {
    return Long.compare(packed(), other.packed());
  }

  @Override
  public String toString() {
    return term + "." + count;
  }
}
