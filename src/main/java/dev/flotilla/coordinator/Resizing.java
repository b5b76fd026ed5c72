package dev.flotilla.coordinator;

import dev.flotilla.coordinator.Membership.Limits;
import dev.flotilla.coordinator.Membership.Step;

/** Another number of ranks; part of {@link Membership}. */
final class Resizing {
  private Resizing() {}

  /** Ranks beyond the size go; from now on whoever is placed may be anywhere. */
  static Step to(int size, Membership from) {
    Limits old = from.limits();
    Limits limits =
        new Limits(
            size, old.suspectNanos(), old.deadNanos(), old.graceNanos(), old.expected().anywhere());
    Membership next =
        new Membership(
            limits,
            from.term(),
            from.given(),
            from.startedNanos(),
            from.tickedNanos(),
            from.members(),
            from.departed(),
            from.presence());
    return next.without(from.presence(), m -> m.rank().value() >= size, "the group is smaller now");
  }
}
