package dev.flotilla.coordinator;

import dev.flotilla.coordinator.Membership.Effect;
import dev.flotilla.coordinator.Membership.Step;
import dev.flotilla.protocol.EngineState;
import java.util.ArrayList;
import java.util.List;

/** What time alone does: suspicion, departure, questions repeated; part of {@link Membership}. */
record Silence(Membership membership, long now) {
  /** A tick that comes later than this means that the coordinator itself stood still. */
  private static final long TICK_GAP_NANOS = 400_000_000L;

  /** Who has an epoch and is not ready is asked so often; it may not have taken its Init. */
  private static final long ASK_NANOS = 1_000_000_000L;

  Step tick() {
    long ticked = membership.tickedNanos();
    long gap = now - ticked;
    // Whoever stood still itself has heard nobody meanwhile and must not blame them for it.
    long excused = gap > TICK_GAP_NANOS ? gap : 0;
    boolean asks = now / ASK_NANOS != ticked / ASK_NANOS;
    Members heard = membership.members();
    List<Effect> effects = new ArrayList<>();
    for (Member member : membership.members().all()) {
      Member next = excused > 0 ? member.excused(excused, now) : member;
      if (!next.suspect() && now - next.heardNanos() > membership.limits().suspectNanos()) {
        next = next.suspected();
        effects.add(new Effect.Changed());
        effects.add(
            new Effect.Moved(
                "%s gets no new work: silent for %d ms"
                    .formatted(next, (now - next.heardNanos()) / 1_000_000)));
      }
      if (!next.equals(member)) {
        heard = heard.with(next);
      }
      if (asks && next.state() == EngineState.CONNECTED) {
        effects.add(membership.ask(next.rank(), next.incarnation()));
      }
    }
    long deadNanos = membership.limits().deadNanos();
    Membership after =
        new Membership(
            membership.limits(),
            membership.term(),
            membership.given(),
            membership.startedNanos(),
            Math.max(now, ticked),
            heard,
            membership.departed(),
            membership.presence().tick(now, excused, deadNanos));
    Step dead =
        after.without(
            after.presence(),
            m -> now - m.heardNanos() > deadNanos,
            "silent for more than " + deadNanos / 1_000_000 + " ms");
    effects.addAll(dead.effects());
    return new Step(dead.next(), effects);
  }
}
