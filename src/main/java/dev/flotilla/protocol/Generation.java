package dev.flotilla.protocol;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The member list of a lockstep group. Every change of it is a new generation, which orders the
 * group's waves; whoever exchanges anything checks that it means the same list.
 *
 * @param number rises with every change
 * @param members in ascending order of their ranks, no rank twice
 */
public record Generation(long number, List<Member> members) {
  private static final long FNV_OFFSET = 0xcbf29ce484222325L;
  private static final long FNV_PRIME = 0x100000001b3L;

  /**
   * One start of one rank.
   *
   * @param endpoint where it takes the connections of the others; null if they share its JVM
   */
  public record Member(Rank rank, Incarnation incarnation, @Nullable Endpoint endpoint) {}

  /** Keeps a private copy; refuses an empty list and one out of order. */
  public Generation {
    members = List.copyOf(members);
    if (members.isEmpty()) {
      throw new IllegalArgumentException("generation %d has no member".formatted(number));
    }
    for (int i = 1; i < members.size(); i++) {
      if (members.get(i - 1).rank().compareTo(members.get(i).rank()) >= 0) {
        throw new IllegalArgumentException(
            "generation %d lists rank %s after rank %s; ranks must ascend"
                .formatted(number, members.get(i).rank(), members.get(i - 1).rank()));
      }
    }
  }

  /** Members there are. */
  public int size() {
    return members.size();
  }

  /** The rank of the member of that index. */
  public Rank rank(int index) {
    return members.get(index).rank();
  }

  /** The index of a rank among the members; -1 if it is none. */
  public int indexOf(Rank rank) {
    for (int i = 0; i < members.size(); i++) {
      if (members.get(i).rank().equals(rank)) {
        return i;
      }
    }
    return -1;
  }

  /**
   * FNV-1a of number, ranks and incarnations: two groups that differ in any of them differ in this
   * (but for chance), so that one word on the wire tells one from the other.
   */
  public long fingerprint() {
    StringBuilder text = new StringBuilder().append(number);
    for (Member member : members) {
      text.append(' ').append(member.rank()).append(' ').append(member.incarnation());
    }
    long hash = FNV_OFFSET;
    for (byte b : text.toString().getBytes(StandardCharsets.US_ASCII)) {
      hash = (hash ^ (b & 0xff)) * FNV_PRIME;
    }
    return hash;
  }
}
