package dev.flotilla.engine;

import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Machine;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToEngine;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The life of one engine: it says Hello until the coordinator gives it a rank and an epoch, has its
 * address registered and its ways to the front-ends warmed, says Ready until it is welcome, and
 * serves until it is drained, refused, broken or stopped. A new coordinator asks who is there, and
 * the engine says Hello again without interrupting what it runs.
 *
 * <p>Times are milliseconds of one monotonic clock.
 *
 * @param incarnation its own
 * @param stage where it stands
 * @param rank the one it was given, before that the one it wants; null: any
 * @param epoch the one it was given last
 * @param term the highest leadership that it has heard of and follows
 * @param coordinator the node that gave it; null: not told
 * @param handshakeMs how long a coordinator is looked for
 * @param unanswered front-ends whose Pong is awaited
 * @param timers what is due when
 */
public record EngineLife(
    Incarnation incarnation,
    Stage stage,
    @Nullable Rank rank,
    Epoch epoch,
    Term term,
    @Nullable NodeId coordinator,
    long handshakeMs,
    Set<FrontendId> unanswered,
    Timers timers)
    implements Machine {

  /** Time between two Hellos. */
  static final long HELLO_MS = 500;

  /** How long Pongs are awaited; a front-end that is silent for longer is likely gone. */
  static final long WARMING_MS = 2_000;

  /** Time between two Readys, and between two heartbeats. */
  static final long READY_MS = 250;

  static final long BEAT_MS = 250;

  private static final long NEVER = Long.MAX_VALUE;

  /**
   * Points in time; {@code Long.MAX_VALUE} is never.
   *
   * @param deadlineMs when patience with the stage ends
   * @param helloMs when to say Hello again
   * @param readyMs when to say Ready again
   * @param beatMs when to report again
   */
  public record Timers(long deadlineMs, long helloMs, long readyMs, long beatMs) {
    Timers deadline(long at) {
      return new Timers(at, helloMs, readyMs, beatMs);
    }

    Timers hello(long at) {
      return new Timers(deadlineMs, at, readyMs, beatMs);
    }

    Timers ready(long at) {
      return new Timers(deadlineMs, helloMs, at, beatMs);
    }

    Timers beat(long at) {
      return new Timers(deadlineMs, helloMs, readyMs, at);
    }
  }

  /** Where an engine stands. */
  public enum Stage {
    /** Says Hello. */
    CANDIDATE,
    /** Has a rank; its address is being registered. */
    REGISTERING,
    /** Its address is known; the ways to the front-ends are being warmed. */
    WARMING,
    /** Says Ready. */
    ANNOUNCING,
    /** Welcome: serves. */
    SERVING,
    /** Takes nothing new and finishes what runs. */
    DRAINING,
    /** Ended. */
    STOPPED
  }

  /** What can happen. */
  public sealed interface Event {
    /** Time passes. */
    record Tick(long nowMs) implements Event {}

    /** The coordinator gives a rank and an epoch. */
    record Init(ToEngine.Init init, long nowMs) implements Event {}

    /** The registration of its address has reached every node. */
    record Registered(long nowMs) implements Event {}

    /** A front-end answered the warm-up. */
    record Pong(FrontendId from, long nowMs) implements Event {}

    /** The coordinator knows it as ready. */
    record Welcome(ToEngine.Welcome welcome) implements Event {}

    /** The coordinator turns it away. */
    record Refused(ToEngine.Refused refused) implements Event {}

    /** A coordinator wants to know who is there. */
    record WhoIsThere(Term term, long nowMs) implements Event {}

    /** Finish what runs. */
    record Drain(ToEngine.Drain drain, long nowMs) implements Event {}

    /** Nothing runs and nothing waits. */
    record Idle() implements Event {}

    /** Its verticle is being undeployed. */
    record Stop() implements Event {}

    /** A bug or a failure made it unable to go on. */
    record Broken(String reason) implements Event {}
  }

  /** What is to be done. */
  public sealed interface Effect {
    /** Say Hello to the coordinator. */
    record SayHello(@Nullable Rank rank, Epoch highest, Term seen) implements Effect {}

    /** Consume at the rank's address, then report {@link Event.Registered}. */
    record Register(Rank rank) implements Effect {}

    /** Ping the front-ends. */
    record Warm(List<FrontendId> frontends) implements Effect {
      /** Keeps a private copy. */
      public Warm {
        frontends = List.copyOf(frontends);
      }
    }

    /** Say Ready to the coordinator. */
    record SayReady(Rank rank, Epoch epoch) implements Effect {}

    /** Report the load to the coordinator. */
    record Beat() implements Effect {}

    /** Refuse new requests from now on. */
    record TakeNothingNew() implements Effect {}

    /** Tell the coordinator that the rank goes. */
    record Leave(Rank rank, String reason) implements Effect {}

    /** Undeploy the verticle, which ends what still runs. */
    record Undeploy(String reason) implements Effect {}
  }

  /**
   * A move.
   *
   * @param effects in the order in which they are to be performed
   */
  public record Step(EngineLife next, List<Effect> effects) {
    /** Keeps a private copy. */
    public Step {
      effects = List.copyOf(effects);
    }
  }

  /** Keeps a private copy. */
  public EngineLife {
    unanswered = Set.copyOf(unanswered);
  }

  /**
   * An engine that has just started; its first Hello goes out with the first tick.
   *
   * @param wanted null: any rank
   * @param handshakeMs how long a coordinator is looked for; the original waits for five minutes
   */
  public static EngineLife start(
      Incarnation incarnation, @Nullable Rank wanted, long handshakeMs, long nowMs) {
    return new EngineLife(
        incarnation,
        Stage.CANDIDATE,
        wanted,
        Epoch.NONE,
        Term.NONE,
        null,
        handshakeMs,
        Set.of(),
        new Timers(nowMs + handshakeMs, nowMs, NEVER, NEVER));
  }

  /** Whether it has a rank and an address. */
  public boolean connected() {
    return stage != Stage.CANDIDATE && stage != Stage.STOPPED;
  }

  /** The next state and what is to be done. */
  public Step on(Event event) {
    if (stage == Stage.STOPPED) {
      return stay();
    }
    return switch (event) {
      case Event.Tick(long now) -> tick(now);
      case Event.Init(var init, long now) -> init(init, now);
      case Event.Registered(long now) when stage == Stage.REGISTERING -> registered(now);
      case Event.Pong(var from, long now) when stage == Stage.WARMING -> pong(from, now);
      case Event.Welcome(var welcome)
          when stage == Stage.ANNOUNCING && isMine(welcome.incarnation(), welcome.epoch()) ->
          new Step(to(Stage.SERVING, timers.ready(NEVER)), List.of());
      case Event.Refused(var refused)
          when refused.incarnation().equals(incarnation) && term.admits(refused.term()) ->
          stop("the coordinator refused it: " + refused.reason(), true);
      case Event.WhoIsThere(Term asking, long now) -> {
        EngineLife next = under(asking).to(stage, timers.hello(now + HELLO_MS));
        yield new Step(next, next.hello());
      }
      case Event.Drain(var drain, long now) when drain.incarnation().equals(incarnation) ->
          drain(drain.timeoutMs(), now);
      case Event.Idle _ when stage == Stage.DRAINING -> stop("drained", true);
      case Event.Stop _ -> stop("stopped", false);
      case Event.Broken(String reason) -> stop(reason, true);
      // Late or repeated: the stage that they belong to is past, or they are for another engine.
      case Event.Registered _,
          Event.Pong _,
          Event.Welcome _,
          Event.Refused _,
          Event.Drain _,
          Event.Idle _ ->
          stay();
    };
  }

  private Step tick(long now) {
    if (now >= timers.deadlineMs()) {
      return overdue(now);
    }
    Timers next = timers;
    List<Effect> effects = new ArrayList<>();
    if (now >= timers.helloMs()) {
      effects.addAll(hello());
      next = next.hello(now + HELLO_MS);
    }
    if (rank != null && now >= timers.readyMs()) {
      effects.add(new Effect.SayReady(rank, epoch));
      next = next.ready(now + READY_MS);
    }
    if (now >= timers.beatMs()) {
      effects.add(new Effect.Beat());
      next = next.beat(now + BEAT_MS);
    }
    return new Step(to(stage, next), effects);
  }

  private Step overdue(long now) {
    return switch (stage) {
      case CANDIDATE ->
          stop(
              "no coordinator answered within %d s; start one in this cluster"
                  .formatted(handshakeMs / 1000),
              true);
      case WARMING -> announce(now);
      case DRAINING -> stop("drained; its time ran out", true);
      case REGISTERING, ANNOUNCING, SERVING, STOPPED ->
          throw new IllegalStateException(stage + " has no deadline");
    };
  }

  private Step init(ToEngine.Init init, long now) {
    if (!init.incarnation().equals(incarnation) || init.epoch().compareTo(epoch) < 0) {
      return stay();
    }
    if (!term.admits(init.term())) {
      // Who leads there cannot know which epochs were given here, and is told.
      return new Step(this, hello());
    }
    if (stage == Stage.CANDIDATE) {
      EngineLife next =
          new EngineLife(
              incarnation,
              Stage.REGISTERING,
              init.rank(),
              init.epoch(),
              init.term(),
              init.coordinator(),
              handshakeMs,
              Set.copyOf(init.frontends()),
              new Timers(NEVER, NEVER, NEVER, now));
      return new Step(next, List.of(new Effect.Register(init.rank())));
    }
    if (!init.rank().equals(rank)) {
      EngineLife next = under(init.term()); // It answers a Hello from before there was a rank.
      return new Step(next, next.hello());
    }
    boolean again = stage == Stage.SERVING && !init.epoch().equals(epoch);
    Timers next = timers.hello(NEVER);
    return new Step(
        new EngineLife(
            incarnation,
            again ? Stage.ANNOUNCING : stage,
            rank,
            init.epoch(),
            init.term(),
            init.coordinator(),
            handshakeMs,
            unanswered,
            again ? next.ready(now + READY_MS) : next),
        again ? List.of(new Effect.SayReady(init.rank(), init.epoch())) : List.of());
  }

  private Step registered(long now) {
    if (unanswered.isEmpty()) {
      return announce(now);
    }
    return new Step(
        to(Stage.WARMING, timers.deadline(now + WARMING_MS)),
        List.of(new Effect.Warm(unanswered.stream().sorted().toList())));
  }

  private Step pong(FrontendId from, long now) {
    Set<FrontendId> rest = new HashSet<>(unanswered);
    rest.remove(from);
    EngineLife next =
        new EngineLife(
            incarnation, stage, rank, epoch, term, coordinator, handshakeMs, rest, timers);
    return rest.isEmpty() ? next.announce(now) : new Step(next, List.of());
  }

  private Step announce(long now) {
    EngineLife next = to(Stage.ANNOUNCING, timers.deadline(NEVER).ready(now + READY_MS));
    return new Step(next, List.of(new Effect.SayReady(Objects.requireNonNull(rank), epoch)));
  }

  private Step drain(long timeoutMs, long now) {
    if (stage == Stage.CANDIDATE) {
      return stop("drained before it had a rank", true);
    }
    long deadline = now + timeoutMs;
    if (stage == Stage.DRAINING) {
      return new Step(
          to(stage, timers.deadline(Math.min(timers.deadlineMs(), deadline))), List.of());
    }
    return new Step(
        to(Stage.DRAINING, timers.deadline(deadline).ready(NEVER)),
        List.of(new Effect.TakeNothingNew()));
  }

  private Step stop(String reason, boolean undeploy) {
    List<Effect> effects = new ArrayList<>(List.of(new Effect.TakeNothingNew()));
    if (connected() && rank != null) {
      effects.add(new Effect.Leave(rank, reason));
    }
    if (undeploy) {
      effects.add(new Effect.Undeploy(reason));
    }
    return new Step(to(Stage.STOPPED, timers), effects);
  }

  private EngineLife to(Stage next, Timers due) {
    return new EngineLife(
        incarnation, next, rank, epoch, term, coordinator, handshakeMs, unanswered, due);
  }

  /** With what a leader's question says of its term. */
  private EngineLife under(Term asking) {
    return term.admits(asking)
        ? new EngineLife(
            incarnation, stage, rank, epoch, asking, coordinator, handshakeMs, unanswered, timers)
        : this;
  }

  private List<Effect> hello() {
    return List.of(new Effect.SayHello(rank, epoch, term));
  }

  private boolean isMine(Incarnation its, Epoch itsEpoch) {
    return its.equals(incarnation) && itsEpoch.equals(epoch);
  }

  private Step stay() {
    return new Step(this, List.of());
  }
}
