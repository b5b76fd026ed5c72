package dev.flotilla.coordinator;

import dev.flotilla.coordinator.Membership.Effect;
import dev.flotilla.coordinator.Membership.Step;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator.Hello;
import dev.flotilla.protocol.ToEngine;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The answers to one {@link Hello}; part of {@link Membership}. */
record Handshake(Membership membership, long now) {

  Step hello(Hello hello) {
    Departed.Gone gone = membership.departed().of(hello.incarnation());
    if (gone != null && gone.forGood()) {
      return membership.unchanged();
    }
    Member known = membership.members().of(hello.incarnation());
    Rejection objection = objection(hello, known);
    if (objection != null) {
      return refuse(hello, objection);
    }
    if (foreign(hello, known, gone)) {
      return raise(hello);
    }
    if (known != null && (hello.rank() == null || hello.rank().equals(known.rank()))) {
      return again(known);
    }
    boolean newcomer = known == null && hello.highest().equals(Epoch.NONE);
    if (newcomer && now - membership.startedNanos() < membership.limits().graceNanos()) {
      return membership.unchanged(); // It repeats its Hello.
    }
    Rank wanted = wanted(hello, gone);
    if (wanted == null) {
      return refuse(hello, new Rejection.NoRankFree(membership.limits().dataParallelSize()));
    }
    Member holder = membership.members().of(wanted);
    return holder == null ? admit(hello, wanted) : contest(hello, holder);
  }

  /** An engine that fell silent may have had its rank told meanwhile, and cannot change it. */
  private @Nullable Rank wanted(Hello hello, Departed.@Nullable Gone gone) {
    if (hello.rank() != null) {
      return hello.rank();
    }
    Rank former = gone == null ? null : gone.rank();
    if (former != null && membership.members().of(former) == null) {
      return former;
    }
    int size = membership.limits().dataParallelSize();
    Expected expected = membership.limits().expected();
    // Ranks of the head are left to the head's engines as long as there are others.
    Rank own = membership.members().lowestFree(size, r -> expected.suits(r, hello.node()));
    return own != null ? own : membership.members().lowestFree(size, r -> true);
  }

  /** The same Hello gets the same answer, with the front-ends known by now. */
  private Step again(Member known) {
    Member heard = known.heard(now);
    return new Step(
        membership.with(membership.members().with(heard)), List.of(membership.init(heard)));
  }

  private Step admit(Hello hello, Rank rank) {
    Member member =
        new Member(
            rank,
            hello.incarnation(),
            new Epoch(membership.term().number(), membership.given() + 1),
            EngineState.CONNECTED,
            hello.node(),
            hello.local(),
            hello.configHash(),
            hello.endpoint(),
            now,
            false,
            null,
            null,
            null);
    // It may hold another rank here, given before a message of its former coordinator arrived.
    Members rest = membership.members().without(m -> m.incarnation().equals(hello.incarnation()));
    return give(rest, member, "said Hello");
  }

  private Step give(Members rest, Member member, String reason) {
    Membership next =
        new Membership(
            membership.limits(),
            membership.term(),
            membership.given() + 1,
            membership.startedNanos(),
            membership.tickedNanos(),
            rest.with(member),
            membership.departed(),
            membership.presence());
    return new Step(
        next,
        List.of(next.init(member), new Effect.Changed(), new Effect.Moved(member + " " + reason)));
  }

  /** The rank is held: refuse once the holder gave a sign of life after this one's first Hello. */
  private Step contest(Hello hello, Member holder) {
    Member.Challenge challenge = holder.challenge();
    boolean answered = challenge != null && holder.heardNanos() > challenge.atNanos();
    // An answer that this coordinator looks at late, after a standstill of its own, proves nothing.
    boolean stale = answered && now - holder.heardNanos() > membership.limits().suspectNanos();
    if (challenge == null || stale || !challenge.by().equals(hello.incarnation())) {
      Member challenged = holder.challenged(new Member.Challenge(hello.incarnation(), now));
      return new Step(
          membership.with(membership.members().with(challenged)),
          List.of(
              new Effect.Send(holder.address(), new ToEngine.WhoIsThere(membership.term())),
              new Effect.Moved(
                  "incarnation %s on node %s wants the rank of %s; waiting for the holder's sign of life"
                      .formatted(hello.incarnation(), hello.node(), holder))));
    }
    if (answered) {
      return refuse(hello, new Rejection.RankHeld(holder.rank(), holder.toString()));
    }
    return membership.unchanged();
  }

  private @Nullable Rejection objection(Hello hello, @Nullable Member known) {
    int size = membership.limits().dataParallelSize();
    Expected expected = membership.limits().expected();
    Rank rank = hello.rank();
    if (rank != null && rank.value() >= size) {
      return new Rejection.UnexpectedRank(rank, size);
    }
    // A rank that a coordinator gave is no claim to a place of the plan.
    boolean claims = known == null && hello.highest().equals(Epoch.NONE);
    Rejection place = rank != null && claims ? expected.place(hello, rank) : null;
    if (place != null) {
      return place;
    }
    if (hello.highest().term() == Integer.MAX_VALUE) {
      return new Rejection.NoSuccessor(hello.highest());
    }
    Members others = membership.members().without(m -> m.incarnation().equals(hello.incarnation()));
    Rank shown = rank == null ? new Rank(0) : rank;
    return expected.hash("Hello", shown, hello.configHash(), others);
  }

  /**
   * Whether it follows another leadership, or was given an epoch that this coordinator does not
   * know to be its own gift.
   */
  private boolean foreign(Hello hello, @Nullable Member known, Departed.@Nullable Gone gone) {
    Epoch own = known != null ? known.epoch() : gone != null ? gone.epoch() : Epoch.NONE;
    return new Succession(membership, now).behind(hello.seen())
        || (hello.highest().term() >= membership.term().number()
            && hello.highest().compareTo(own) > 0);
  }

  private Step raise(Hello hello) {
    Succession succession = new Succession(membership, now);
    Term told =
        new Term(hello.highest().term(), Term.NONE.node())
            .max(succession.behind(hello.seen()) ? hello.seen() : membership.term());
    Step raised =
        succession.above(
            told,
            "incarnation %s has epoch %s of term %s"
                .formatted(hello.incarnation(), hello.highest(), hello.seen()));
    Step step = new Handshake(raised.next(), now).hello(hello);
    List<Effect> effects = new ArrayList<>(raised.effects());
    effects.addAll(step.effects());
    return new Step(step.next(), effects);
  }

  private Step refuse(Hello hello, Rejection why) {
    return new Step(
        membership,
        List.of(
            membership.refusal(hello.incarnation(), why),
            new Effect.Rejected(hello.incarnation(), why)));
  }
}
