package dev.flotilla.model;

import dev.flotilla.protocol.Generation;
import dev.flotilla.protocol.Rank;
import java.util.Arrays;
import java.util.List;

/**
 * One rank's membership in a group whose members take every step together. All members call the
 * same operations in the same order; each waits for all others, and never beyond the deadline.
 *
 * <p>After a failure every further call fails in the same way. The members that fail need not fail
 * in the same exchange: one that came late may still find in it all that it was due, right and
 * whole, and fails in the next. Used by one thread at a time, except for {@link #close()}, which
 * may be called by any and makes a waiting call fail.
 */
public interface Collective extends AutoCloseable {
  /** The tag of {@link #sum}; executors number theirs from 0. */
  int SUM = -1;

  /** The member list that is checked on every exchange. */
  Generation generation();

  /** The index of this member in it. */
  int own();

  /**
   * All to all: gives member {@code i} the parcel {@code outgoing[i]}, and returns what the members
   * gave this one, by their index; its own place holds its own parcel.
   *
   * <p>What is returned may be read until this member's next call, and what was given must not be
   * changed until the next call returns: ranks of one JVM read each other's parcels in place.
   *
   * @param tag what the exchange is for; all members must give the same
   * @throws CollectiveException if it did not come about; it names the missing ranks
   */
  Parcel[] exchange(int tag, Parcel[] outgoing);

  /** Time that this member has spent in exchanges, waiting for others or moving bytes. */
  long exchangeNanos();

  /** Exchanges completed. */
  long exchanges();

  /** Leaves the group: those who wait for this member, or come to, fail at once. */
  @Override
  void close();

  /** Members there are. */
  default int size() {
    return generation().size();
  }

  /** This member's rank. */
  default Rank rank() {
    return generation().rank(own());
  }

  /**
   * All-reduce: each member gives as many numbers, and receives their sums over all members.
   *
   * @throws CollectiveException if it did not come about
   */
  default int[] sum(int... values) {
    Parcel[] outgoing = new Parcel[size()];
    Arrays.fill(outgoing, Parcel.of(values));
    Parcel[] incoming = exchange(SUM, outgoing);
    int[] sums = new int[values.length];
    for (int i = 0; i < incoming.length; i++) {
      if (incoming[i].numberCount() != sums.length) {
        throw new CollectiveException(
            CollectiveException.Kind.OUT_OF_STEP,
            List.of(generation().rank(i)),
            "rank %s: rank %s gave %d numbers to be summed where %d were due"
                .formatted(rank(), generation().rank(i), incoming[i].numberCount(), sums.length));
      }
      for (int k = 0; k < sums.length; k++) {
        sums[k] = Math.addExact(sums[k], incoming[i].numbers()[k]);
      }
    }
    return sums;
  }
}
