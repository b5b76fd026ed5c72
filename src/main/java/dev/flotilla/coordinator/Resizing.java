package dev.flotilla.coordinator;

import dev.flotilla.coordinator.Membership.Effect;
import dev.flotilla.coordinator.Membership.Limits;
import dev.flotilla.coordinator.Membership.Step;
import java.util.ArrayList;
import java.util.List;

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
    Step step =
        next.without(from.presence(), m -> m.rank().value() >= size, "the group is smaller now");
    // Those that said goodbye before are shown as dead until now, and from now on not at all.
    List<Effect> effects = new ArrayList<>(step.effects());
    if (!effects.contains(new Effect.Changed())) {
      effects.add(new Effect.Changed());
    }
    return new Step(step.next(), effects);
  }
}
