package dev.flotilla.coordinator;

import dev.flotilla.coordinator.Membership.Effect;
import dev.flotilla.coordinator.Membership.Step;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.Term;
import java.util.ArrayList;
import java.util.List;

/** Going above leaderships that this one did not know of; part of {@link Membership}. */
record Succession(Membership membership, long now) {

  /** Whether somebody follows another leadership that may have given epochs like ours. */
  boolean behind(Term seen) {
    Term term = membership.term();
    return !seen.equals(term) && seen.number() >= term.number() && !seen.last();
  }

  /**
   * Goes above a term; all members get new epochs, since a number's epochs may be another's. They
   * are told when they say which rank they hold, in their next Hello or report.
   */
  Step above(Term told, String reason) {
    Term term = told.next(membership.term().node());
    Members renewed = membership.members();
    int count = 0;
    for (Member member : membership.members().all()) {
      renewed = renewed.with(member.under(new Epoch(term.number(), ++count)));
    }
    Membership next =
        new Membership(
            membership.limits(),
            term,
            count,
            membership.startedNanos(),
            membership.tickedNanos(),
            renewed,
            membership.departed(),
            membership.presence());
    List<Effect> effects = new ArrayList<>();
    effects.add(new Effect.AskAll(term));
    effects.add(new Effect.Moved("term is now %s, above %s: %s".formatted(term, told, reason)));
    if (count > 0) {
      effects.add(new Effect.Changed());
    }
    return new Step(next, effects);
  }
}
