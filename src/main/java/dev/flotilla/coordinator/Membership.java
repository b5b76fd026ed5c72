package dev.flotilla.coordinator;

import dev.flotilla.config.Balancing;
import dev.flotilla.config.CoordinatorConfig;
import dev.flotilla.protocol.Address;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.DataParallel;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.GroupPlan;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Machine;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Who exists: the handshake Hello → Init → Ready, epochs, and departure by word, by node or by
 * silence. Invariants: a rank is held by at most one incarnation; every epoch is given once and is
 * higher than all that this coordinator gave or was told of before. Keeps nothing durable: a new
 * coordinator learns from Hello, raises its term above the highest epoch and term told, gives all
 * members new epochs and asks everyone again; a report under an older epoch makes it repeat what
 * that engine has missed, so that no lost message is fatal.
 *
 * <p>Source: the original's start-up handshake (one state per expected rank); there any unexpected
 * pair ends the whole launch, here it concerns one engine and is answered or ignored.
 *
 * @param term this leadership; all members' epochs are of its number
 * @param given how many epochs of this term have been given
 * @param startedNanos when this leadership began to listen
 * @param tickedNanos when the last tick came
 */
public record Membership(
    Limits limits,
    Term term,
    int given,
    long startedNanos,
    long tickedNanos,
    Members members,
    Departed departed,
    Presence presence)
    implements Machine {

  /**
   * What is set.
   *
   * @param dataParallelSize ranks are 0 to this, exclusive
   * @param suspectNanos silence after which a rank gets no new work
   * @param deadNanos silence after which it is gone
   * @param graceNanos for so long after its start only engines that hold a rank are admitted, so
   *     that a newcomer cannot take the rank of one that has yet to answer
   * @param expected what is expected of the engines that come
   */
  public record Limits(
      int dataParallelSize, long suspectNanos, long deadNanos, long graceNanos, Expected expected) {
    /** Two heartbeats and a bit: whoever lives has been asked and has answered by then. */
    private static final long GRACE_NANOS = 600_000_000L;

    /** Without a plan of who comes from where. */
    public Limits(int dataParallelSize, long suspectNanos, long deadNanos, long graceNanos) {
      this(dataParallelSize, suspectNanos, deadNanos, graceNanos, Expected.ANYONE);
    }

    /** From the coordinator's settings, for a coordinator on the given node. */
    public static Limits of(CoordinatorConfig config, NodeId self) {
      return new Limits(
          config.dataParallelSize(),
          config.suspectMs() * 1_000_000,
          config.deadMs() * 1_000_000,
          GRACE_NANOS,
          Expected.of(config, self));
    }

    /** With the plan of the leader before, if there was one. */
    Limits with(@Nullable GroupPlan plan, NodeId self) {
      return plan == null
          ? this
          : new Limits(
              plan.dataParallelSize(),
              suspectNanos,
              deadNanos,
              graceNanos,
              Expected.of(plan, self));
    }

    /** For who stands by. */
    public GroupPlan plan() {
      return new GroupPlan(
          dataParallelSize,
          expected.balancing(),
          expected.policy(),
          expected.local(),
          expected.lockstep(),
          expected.configHash());
    }
  }

  /** What can happen. */
  public sealed interface Event {
    /** Time passes; comes many times within the shortest limit. */
    record Tick(long nowNanos) implements Event {}

    /** A message came. */
    record Told(long nowNanos, ToCoordinator message) implements Event {}

    /** Some coordinator, perhaps this one, published that it leads. */
    record Claimed(Term term) implements Event {}

    /** The group has another size from now on; ranks beyond it go. */
    record Resized(int dataParallelSize) implements Event {}
  }

  /** What is to be done. */
  public sealed interface Effect {
    /** Send a message to one engine. */
    record Send(Address<ToEngine> to, ToEngine message) implements Effect {}

    /** Publish to all engines that this term wants to hear from them. */
    record AskAll(Term term) implements Effect {}

    /** The view differs from the last. */
    record Changed() implements Effect {}

    /** A move and its reason, for the log. */
    record Moved(String sentence) implements Effect {}

    /** A message was not accepted; who sent it has been told if it is no member. */
    record Rejected(Incarnation incarnation, Rejection why) implements Effect {}

    /** Another coordinator leads a higher term: stop at once. */
    record StepDown(String reason) implements Effect {}
  }

  /** The next state and what is to be done. */
  public record Step(Membership next, List<Effect> effects) {
    /** Keeps a private copy. */
    public Step {
      effects = List.copyOf(effects);
    }
  }

  /** Nobody is known yet. */
  public static Membership start(Limits limits, Term term, long nowNanos) {
    return new Membership(
        limits, term, 0, nowNanos, nowNanos, Members.NONE, Departed.NONE, Presence.NONE);
  }

  /** The only way forward. */
  public Step on(Event event) {
    return switch (event) {
      case Event.Tick(long now) -> new Silence(this, now).tick();
      case Event.Claimed(Term other) when other.compareTo(term) > 0 ->
          new Step(
              this,
              List.of(
                  new Effect.StepDown(
                      "another coordinator leads term %s, this one term %s"
                          .formatted(other, term))));
      case Event.Claimed _ -> unchanged();
      case Event.Resized(int size) -> Resizing.to(size, this);
      case Event.Told(long now, ToCoordinator.Hello hello) -> new Handshake(this, now).hello(hello);
      case Event.Told(long now, ToCoordinator.Ready ready) -> ready(now, ready);
      case Event.Told(long now, ToCoordinator.Load(LoadReport load)) -> load(now, load);
      case Event.Told(long _, ToCoordinator.Leaving leaving) -> leaving(leaving);
      case Event.Told(long _, ToCoordinator.NodeLeft left) ->
          without(
              presence.without(left.node()),
              gone -> gone.node().equals(left.node()),
              "its node has left the cluster");
      case Event.Told(long _, ToCoordinator.Choose _) -> unchanged();
      case Event.Told(long now, ToCoordinator.FrontendHello hello) -> frontend(now, hello);
      case Event.Told(long now, ToCoordinator.NodeHello hello) ->
          new Step(with(presence.with(hello, now)), List.of());
      // Of Waves, of Scaling, and of Leadership, which hears them at an address of its own.
      case Event.Told(long _, ToCoordinator.FromMember _) -> unchanged();
      case Event.Told(long _, ToCoordinator.Paused _) -> unchanged();
      case Event.Told(long _, ToCoordinator.FromAgent _) -> unchanged();
      case Event.Told(long _, ToCoordinator.Leading _), Event.Told(long _, ToCoordinator.Nodes _) ->
          unchanged();
    };
  }

  /** What is published, under the given version. */
  public ClusterView view(long version) {
    // Who balances from outside looks at each front-end's own numbers.
    boolean counts = limits.expected().balancing() != Balancing.EXTERNAL;
    List<ClusterView.Engine> engines = new ArrayList<>();
    members.all().forEach(m -> engines.add(m.shown(counts)));
    engines.addAll(departed.dead(members, limits.dataParallelSize()));
    engines.sort(Comparator.comparing(ClusterView.Engine::rank));
    return new ClusterView(
        term, version, limits.dataParallelSize(), engines, presence.frontendViews());
  }

  private Step frontend(long now, ToCoordinator.FrontendHello hello) {
    Membership next = with(presence.with(hello, now));
    Succession succession = new Succession(next, now);
    if (succession.behind(hello.seen())) {
      return succession.above(hello.seen(), "front-end %s follows it".formatted(hello.frontend()));
    }
    boolean known = presence.frontends().containsKey(hello.frontend());
    return new Step(next, known ? List.of() : List.of(new Effect.Changed()));
  }

  private Step ready(long now, ToCoordinator.Ready ready) {
    Member member = members.of(ready.rank());
    if (member == null || !member.incarnation().equals(ready.incarnation())) {
      return early(ready);
    }
    if (!member.epoch().equals(ready.epoch())) {
      return otherEpoch(now, member, ready.epoch());
    }
    Expected expected = limits.expected();
    if (expected.self() != null
        && ready.coordinator() != null
        && !ready.coordinator().equals(expected.self())) {
      Rejection why =
          new Rejection.OtherCoordinator(ready.rank(), expected.self(), ready.coordinator());
      return new Step(
          with(members.with(member.heard(now))),
          List.of(
              ask(ready.rank(), ready.incarnation()),
              new Effect.Rejected(ready.incarnation(), why)));
    }
    Rejection other = expected.hash("Ready", ready.rank(), ready.facts().configHash(), members);
    if (other != null) {
      return turnAway(member, other);
    }
    if (expected.lockstep() && !members.begun(limits.dataParallelSize())) {
      // Ranks that step together cannot begin before all are here; this one repeats its Ready.
      return new Step(with(members.with(member.heard(now))), List.of());
    }
    Member next = member.heard(now).ready(ready.facts());
    List<Effect> effects = new ArrayList<>();
    effects.add(
        new Effect.Send(
            member.address(), new ToEngine.Welcome(member.incarnation(), member.epoch())));
    if (next.state() != member.state()) {
      effects.add(new Effect.Changed());
      effects.add(new Effect.Moved(next + " serves"));
    }
    return new Step(with(members.with(next)), effects);
  }

  /** Ready before Hello; it may be a member of another coordinator, and is asked to say Hello. */
  private Step early(ToCoordinator.Ready ready) {
    Step step = stranger(ready.rank(), ready.incarnation());
    List<Effect> effects = new ArrayList<>(step.effects());
    effects.add(
        new Effect.Rejected(
            ready.incarnation(), new Rejection.WrongState(ready.rank(), "Ready", EngineState.NEW)));
    return new Step(step.next(), effects);
  }

  /** A member that cannot stay: it is told why, and its rank is free. */
  private Step turnAway(Member member, Rejection why) {
    Step step = without(presence, m -> m.equals(member), why.sentence());
    List<Effect> effects = new ArrayList<>(step.effects());
    effects.add(step.next().refusal(member.incarnation(), why));
    effects.add(new Effect.Rejected(member.incarnation(), why));
    return new Step(step.next(), effects);
  }

  Effect refusal(Incarnation incarnation, Rejection why) {
    return new Effect.Send(
        Addresses.candidate(incarnation), new ToEngine.Refused(incarnation, term, why.sentence()));
  }

  private Step load(long now, LoadReport load) {
    Member member = members.of(load.rank());
    if (member == null || !member.incarnation().equals(load.incarnation())) {
      return stranger(load.rank(), load.incarnation());
    }
    LoadReport known = member.load();
    if (known != null && load.sequence() <= known.sequence()) {
      return unchanged(); // Late or repeated: no news, and no sign of life either.
    }
    if (!member.epoch().equals(load.epoch())) {
      return otherEpoch(now, member, load.epoch());
    }
    Member next = member.heard(now).reporting(load);
    List<Effect> effects = new ArrayList<>();
    if (member.suspect() || member.news(load, limits.expected().policy())) {
      effects.add(new Effect.Changed());
    }
    if (member.suspect()) {
      effects.add(new Effect.Moved(next + " is heard of again"));
    }
    return new Step(with(members.with(next)), effects);
  }

  /** An engine that is not known under this name must say Hello, unless it is gone for good. */
  private Step stranger(Rank rank, Incarnation incarnation) {
    Departed.Gone gone = departed.of(incarnation);
    return gone != null && gone.forGood()
        ? unchanged()
        : new Step(this, List.of(ask(rank, incarnation)));
  }

  /** A member speaks under another epoch: it missed its Init, or another coordinator gave one. */
  private Step otherEpoch(long now, Member member, Epoch spoken) {
    Effect answer =
        spoken.compareTo(member.epoch()) < 0
            ? init(member)
            : ask(member.rank(), member.incarnation());
    return new Step(with(members.with(member.heard(now))), List.of(answer));
  }

  private Step leaving(ToCoordinator.Leaving leaving) {
    Member member = members.of(leaving.incarnation());
    if (member == null) {
      return new Step(with(departed.forGood(leaving.incarnation())), List.of());
    }
    Step step = without(presence, m -> m.equals(member), "it said: " + leaving.reason());
    return new Step(step.next().with(Departed.Gone.of(member, true)), step.effects());
  }

  /** Without the members that the test holds for. */
  Step without(Presence left, Predicate<Member> which, String reason) {
    Members rest = members.without(which);
    Departed last = departed;
    List<Effect> effects = new ArrayList<>();
    for (Member member : members.all()) {
      if (which.test(member)) {
        last = last.with(Departed.Gone.of(member, false));
        effects.add(new Effect.Moved(member + " is gone: " + reason));
      }
    }
    if (!effects.isEmpty() || left.frontends().size() != presence.frontends().size()) {
      effects.add(new Effect.Changed());
    }
    return new Step(
        new Membership(limits, term, given, startedNanos, tickedNanos, rest, last, left), effects);
  }

  Effect init(Member member) {
    return new Effect.Send(
        Addresses.candidate(member.incarnation()),
        new ToEngine.Init(
            member.rank(),
            member.incarnation(),
            member.epoch(),
            term,
            new DataParallel(
                limits.dataParallelSize(),
                limits.expected().balancing(),
                limits.expected().lockstep(),
                limits.expected().policy()),
            limits.expected().self(),
            presence.frontendIds(),
            null,
            members.serveBeside(member)));
  }

  Effect ask(Rank rank, Incarnation incarnation) {
    return new Effect.Send(Addresses.engine(rank, incarnation), new ToEngine.WhoIsThere(term));
  }

  Step unchanged() {
    return new Step(this, List.of());
  }

  Membership with(Members changed) {
    return new Membership(
        limits, term, given, startedNanos, tickedNanos, changed, departed, presence);
  }

  /**
   * Knowing which engines of the last published view are gone.
   *
   * @param nodes of the cluster; empty: not told
   */
  public Membership after(ClusterView last, List<NodeId> nodes) {
    Membership next = this;
    for (Departed.Gone one : Departed.after(last, nodes)) {
      next = next.with(one);
    }
    return next;
  }

  Membership with(Departed.Gone gone) {
    return new Membership(
        limits, term, given, startedNanos, tickedNanos, members, departed.with(gone), presence);
  }

  private Membership with(Presence changed) {
    return new Membership(
        limits, term, given, startedNanos, tickedNanos, members, departed, changed);
  }
}
