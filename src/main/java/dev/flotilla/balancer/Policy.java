package dev.flotilla.balancer;

/** A rule that picks one of several engines. Stateful; used by one thread. */
interface Policy {
  /** Picks one of the first {@code count} seats, of which there is at least one. */
  Seat choose(Seat[] seats, int count, Query query, long now);

  /** The number of clients, or this one's place among them, has changed. */
  void client(Client now);

  /** The first {@code count} seats are compared from now on. */
  default void compare(Seat[] seats, int count) {}

  /** What the choice compares; smaller is better. Without effect. */
  Estimate estimate(Seat seat, Query query, long now);

  /** The least estimate; of equal ones the first, scanning in a circle from {@code start}. */
  static Seat least(Policy policy, Seat[] seats, int count, int start, Query query, long now) {
    Seat best = seats[start];
    double least = Double.POSITIVE_INFINITY;
    for (int i = 0; i < count; i++) {
      int at = start + i;
      Seat seat = seats[at < count ? at : at - count];
      double score = policy.estimate(seat, query, now).score();
      if (score < least) {
        least = score;
        best = seat;
      }
    }
    return best;
  }
}
