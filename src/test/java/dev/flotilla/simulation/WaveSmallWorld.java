package dev.flotilla.simulation;

import dev.flotilla.coordinator.Seats;
import dev.flotilla.coordinator.Waves;
import dev.flotilla.engine.Lockstep;
import dev.flotilla.protocol.EngineWork;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.Generation;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.LockstepLoad;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Two ranks, their coordinator and all that is under way between them, as one value. Time is always
 * 0: what was noted at 0 is new, what was noted before the last tick is old, and every limit lies
 * between. Numbers that only count are left at 0, so that there are finitely many states.
 *
 * @param nodes by rank
 * @param underWay messages, each once; of a rank's reports the newest
 * @param arrivals requests that have yet to come
 * @param faults that may still happen
 */
record WaveSmallWorld(
    Waves waves, List<Node> nodes, Set<Object> underWay, int arrivals, int faults) {
  static final int RANKS = 2;
  private static final int INTERVAL = 2;
  private static final long OLD = -3_600_000_000_000L;
  private static final long NEVER = Long.MIN_VALUE;
  private static final long MS = 1_000_000;
  private static final Waves.Limits LIMITS =
      new Waves.Limits(RANKS, 100 * MS, 50 * MS, 1_000 * MS, Long.MAX_VALUE);

  /**
   * One rank.
   *
   * @param start of its engine, from 1
   * @param seen the start that the coordinator knows to serve; 0: none
   * @param waits whether it has come to an exchange
   * @param term that it follows
   */
  record Node(
      int start,
      boolean up,
      int seen,
      Lockstep lockstep,
      @Nullable Generation generation,
      int work,
      boolean waits,
      boolean agreement,
      Term term) {

    Node with(Lockstep next) {
      Lockstep counted =
          new Lockstep(
              next.interval(),
              next.generation(),
              next.wave(),
              next.running(),
              next.broken(),
              next.step(),
              next.started(),
              // How often it was said only says when it is due.
              new Lockstep.Repeat(Math.min(1, next.repeat().times()), next.repeat().dueNanos()),
              Lockstep.alone(INTERVAL).counts());
      return new Node(start, up, seen, counted, generation, work, waits, agreement, term);
    }

    Node in(@Nullable Generation of) {
      return new Node(start, up, seen, lockstep, of, work, waits, agreement, term);
    }

    Node working(int requests) {
      return new Node(start, up, seen, lockstep, generation, requests, waits, agreement, term);
    }

    Node waiting(boolean here, boolean vote) {
      return new Node(start, up, seen, lockstep, generation, work, here, vote, term);
    }

    Node following(Term leader) {
      return new Node(start, up, seen, lockstep, generation, work, waits, agreement, leader);
    }

    Node seenAs(int known) {
      return new Node(start, up, known, lockstep, generation, work, waits, agreement, term);
    }

    Node dead() {
      return new Node(start, false, seen, lockstep, generation, work, false, false, term);
    }
  }

  /** An order on its way. */
  record Order(int rank, int start, ToEngine.GroupOrder order) {}

  /** The newest report of a rank on its way. */
  record Report(int rank, int start, long generation, long wave, boolean running) {}

  WaveSmallWorld {
    nodes = List.copyOf(nodes);
    underWay = Set.copyOf(underWay);
  }

  static WaveSmallWorld start(int arrivals, int faults) {
    List<Node> nodes = new ArrayList<>();
    Set<Object> reports = new HashSet<>();
    for (int rank = 0; rank < RANKS; rank++) {
      nodes.add(fresh(1));
      reports.add(new Report(rank, 1, 0, 0, false));
    }
    return new WaveSmallWorld(leader(1), nodes, reports, arrivals, faults);
  }

  private static Waves leader(int number) {
    return Waves.start(LIMITS, new Term(number, new NodeId("n" + number)));
  }

  private static Node fresh(int start) {
    return new Node(start, true, 0, Lockstep.alone(INTERVAL), null, 0, false, false, Term.NONE);
  }

  static Incarnation incarnation(int rank, int start) {
    return new Incarnation("e%d-%d".formatted(rank, start));
  }

  // What can happen, each as the world after it.

  /** The coordinator learns who serves. */
  WaveSmallWorld see() {
    List<Seats.Candidate> serving = new ArrayList<>();
    for (int rank = 0; rank < RANKS; rank++) {
      Node node = nodes.get(rank);
      if (node.up()) {
        serving.add(
            new Seats.Candidate(
                new Rank(rank), incarnation(rank, node.start()), null, false, null));
      }
    }
    WaveSmallWorld next = this;
    for (int rank = 0; rank < RANKS; rank++) {
      Node node = nodes.get(rank);
      next = next.node(rank, node.seenAs(node.up() ? node.start() : 0));
    }
    // Its last report is known with it.
    next = next.on(new Waves.Event.Seen(0, RANKS, serving));
    for (int rank = 0; rank < RANKS; rank++) {
      next = nodes.get(rank).up() ? next.report(rank) : next;
    }
    return next;
  }

  boolean unseen() {
    return nodes.stream().anyMatch(n -> n.seen() != (n.up() ? n.start() : 0));
  }

  WaveSmallWorld arrive(int rank) {
    Node node = nodes.get(rank);
    return new WaveSmallWorld(waves, nodes, underWay, arrivals - 1, faults)
        .node(rank, node.working(node.work() + 1));
  }

  WaveSmallWorld lose(Object message) {
    return without(message).faulty();
  }

  WaveSmallWorld deliver(Object message) {
    WaveSmallWorld next = without(message);
    return switch (message) {
      case Order(int rank, int start, var order) -> next.ordered(rank, start, order);
      case Report report -> next.reported(report);
      case ToCoordinator.FromMember word -> next.on(new Waves.Event.Told(0, word));
      default -> throw new IllegalStateException(message.toString());
    };
  }

  private WaveSmallWorld reported(Report report) {
    Rank rank = new Rank(report.rank());
    Incarnation incarnation = incarnation(report.rank(), report.start());
    return on(
        new Waves.Event.Reported(
            0,
            new LoadReport(
                rank,
                incarnation,
                Epoch.NONE,
                1,
                0,
                0,
                0,
                0,
                0,
                1,
                0,
                report.wave(),
                false,
                0,
                List.of(),
                null,
                EngineWork.guessed(0, 0, 0),
                new LockstepLoad(report.generation(), report.running(), 0, 0))));
  }

  private WaveSmallWorld ordered(int rank, int start, ToEngine.GroupOrder order) {
    Node node = nodes.get(rank);
    if (!node.up() || node.start() != start || !node.term().admits(order.term())) {
      return this;
    }
    WaveSmallWorld next = node(rank, node.following(order.term()));
    return switch (order) {
      case ToEngine.StartWave(var _, long of, long wave) ->
          next.move(rank, new Lockstep.Event.StartWave(of, wave));
      case ToEngine.Regroup(var _, var generation, long wave)
          when generation.number() > node.lockstep().generation() ->
          next.leave(rank)
              .node(rank, node.following(order.term()).waiting(false, false).in(generation))
              .move(rank, new Lockstep.Event.Regrouped(generation.number(), wave));
      case ToEngine.Regroup _ -> next;
    };
  }

  /** Whoever waits for this rank in an exchange fails; it waits for nobody any more. */
  private WaveSmallWorld leave(int rank) {
    Node leaving = nodes.get(rank);
    WaveSmallWorld next = node(rank, leaving.waiting(false, false));
    for (int other = 0; other < RANKS; other++) {
      Node node = next.nodes.get(other);
      if (other != rank && node.waits() && together(node, leaving)) {
        next = next.fail(other, rank);
      }
    }
    return next;
  }

  private static boolean together(Node one, Node other) {
    return one.generation() != null
        && other.generation() != null
        && one.generation().number() == other.generation().number();
  }

  private WaveSmallWorld fail(int rank, int missing) {
    WaveSmallWorld next =
        node(rank, nodes.get(rank).waiting(false, false)).move(rank, new Lockstep.Event.Failed());
    return next.with(broken(rank, next.nodes.get(rank), missing));
  }

  private static ToCoordinator.GroupBroken broken(int rank, Node node, int missing) {
    return new ToCoordinator.GroupBroken(
        new Rank(rank),
        incarnation(rank, node.start()),
        node.lockstep().generation(),
        missing < 0 ? List.of() : List.of(new Rank(missing)),
        "failed");
  }

  /** Every loop that is free has taken its turn, and what can have no effect any more is gone. */
  WaveSmallWorld turned() {
    WaveSmallWorld next = this;
    for (int rank = 0; rank < RANKS; rank++) {
      next = next.turn(rank);
    }
    Set<Object> rest = new HashSet<>(next.underWay);
    return rest.removeIf(next::idle)
        ? new WaveSmallWorld(next.waves, next.nodes, rest, next.arrivals, next.faults)
        : next;
  }

  /** Whether whoever gets the message, now or later, will ignore it. */
  private boolean idle(Object message) {
    Generation of = waves.generation();
    return switch (message) {
      case Order(int rank, int start, var _) when gone(rank, start) -> true;
      case Order(int rank, int _, ToEngine.Regroup regroup) ->
          regroup.generation().number() <= nodes.get(rank).lockstep().generation();
      case Order(int rank, int _, ToEngine.StartWave begin) -> {
        Lockstep at = nodes.get(rank).lockstep();
        yield begin.generation() < at.generation()
            || (begin.generation() == at.generation() && begin.wave() < at.wave());
      }
      case Report report -> gone(report.rank(), report.start());
      case ToCoordinator.FromMember word -> of != null && word.generation() < of.number();
      default -> false;
    };
  }

  private boolean gone(int rank, int start) {
    return !nodes.get(rank).up() || nodes.get(rank).start() != start;
  }

  /** The loop of a rank is free. */
  WaveSmallWorld turn(int rank) {
    Node node = nodes.get(rank);
    if (!node.up() || node.waits()) {
      return this;
    }
    Lockstep.Move move = node.lockstep().on(new Lockstep.Event.Turn(node.work() > 0, 0));
    WaveSmallWorld next = node(rank, node.with(move.next()));
    for (Lockstep.Effect effect : move.effects()) {
      next =
          switch (effect) {
            case Lockstep.Effect.Step _, Lockstep.Effect.DummyStep _ ->
                next.node(rank, next.nodes.get(rank).waiting(true, false));
            case Lockstep.Effect.WantWave(long of, long wave) ->
                next.with(
                    new ToCoordinator.WantWave(
                        new Rank(rank), incarnation(rank, node.start()), of, wave));
            case Lockstep.Effect.SayBroken _ -> next.with(broken(rank, node, -1));
            default -> next;
          };
    }
    return next;
  }

  /** Whether all members of the rank's generation have come to an exchange. */
  boolean canMeet(int rank) {
    Node one = nodes.get(rank);
    Generation of = one.generation();
    return of != null
        && one.waits()
        && of.members().stream()
            .allMatch(
                m -> {
                  Node other = nodes.get(m.rank().value());
                  return other.waits()
                      && m.incarnation().equals(incarnation(m.rank().value(), other.start()))
                      && of.equals(other.generation());
                });
  }

  WaveSmallWorld meet(int rank) {
    Node one = nodes.get(rank);
    Generation of = one.generation();
    if (of == null) {
      throw new IllegalStateException("no group");
    }
    List<Integer> members = of.members().stream().map(m -> m.rank().value()).toList();
    boolean any = members.stream().anyMatch(r -> nodes.get(r).work() > 0);
    WaveSmallWorld next = this;
    for (int member : members) {
      Node node = next.nodes.get(member);
      if (node.agreement() != one.agreement()
          || node.lockstep().wave() != one.lockstep().wave()
          || node.lockstep().step() != one.lockstep().step()) {
        throw new AssertionError("members came to different exchanges: " + this);
      }
      next = next.node(member, node.waiting(false, false));
      if (one.agreement()) {
        next = next.move(member, new Lockstep.Event.Agreed(any));
      } else {
        boolean dummy = node.work() == 0;
        next = next.node(member, next.nodes.get(member).working(0)); // Requests take one step.
        next = next.move(member, new Lockstep.Event.StepDone(dummy));
      }
    }
    return next;
  }

  /** Somebody waits who cannot meet yet. */
  boolean canFail(int rank) {
    return nodes.get(rank).waits() && !canMeet(rank);
  }

  WaveSmallWorld timeOut(int rank) {
    Generation of = nodes.get(rank).generation();
    int missing = -1;
    for (int other = 0; of != null && other < RANKS; other++) {
      boolean here = nodes.get(other).waits() && together(nodes.get(other), nodes.get(rank));
      missing = of.indexOf(new Rank(other)) >= 0 && !here ? other : missing;
    }
    return fail(rank, missing);
  }

  /** The deadline passes though nobody is dead. */
  WaveSmallWorld stall(int rank) {
    return timeOut(rank).faulty();
  }

  /** Whether those that it waits for cannot come: they are at rest, or in another generation. */
  boolean hopeless(int rank) {
    for (int other = 0; other < RANKS; other++) {
      Node node = nodes.get(other);
      if (other != rank
          && node.up()
          && node.lockstep().running()
          && together(node, nodes.get(rank))) {
        return false;
      }
    }
    return true;
  }

  WaveSmallWorld kill(int rank) {
    Node node = nodes.get(rank);
    int lost = node.work(); // Its owner sends it to another.
    return leave(rank).node(rank, nodes.get(rank).working(0).dead()).andArrivals(lost).faulty();
  }

  WaveSmallWorld restart(int rank) {
    return node(rank, fresh(nodes.get(rank).start() + 1).seenAs(nodes.get(rank).seen()))
        .report(rank);
  }

  WaveSmallWorld takeOver() {
    List<Node> unknown = nodes.stream().map(n -> n.seenAs(0)).toList();
    return new WaveSmallWorld(
            leader(waves.term().number() + 1), unknown, underWay, arrivals, faults)
        .faulty();
  }

  /** All that was new is old: everybody says again what is due. */
  WaveSmallWorld tick() {
    WaveSmallWorld next =
        new WaveSmallWorld(
            aged(waves),
            nodes.stream().map(WaveSmallWorld::aged).toList(),
            underWay,
            arrivals,
            faults);
    next = next.on(new Waves.Event.Tick(0));
    for (int rank = 0; rank < RANKS; rank++) {
      next = next.nodes.get(rank).up() ? next.report(rank).repeat(rank) : next;
    }
    return next;
  }

  private WaveSmallWorld repeat(int rank) {
    return nodes.get(rank).lockstep().running() ? this : turn(rank);
  }

  // Parts.

  private WaveSmallWorld on(Waves.Event event) {
    Waves.Step step = waves.on(event);
    Waves next = step.next();
    Generation was = waves.generation();
    Generation is = next.generation();
    if (next.wave() < waves.wave() || (was != null && (is == null || is.number() < was.number()))) {
      throw new AssertionError("the coordinator fell from " + waves + " to " + next);
    }
    Set<Object> sent = new HashSet<>(underWay);
    for (Waves.Effect effect : step.effects()) {
      if (effect instanceof Waves.Effect.Send(var rank, var incarnation, var order)) {
        String name = incarnation.value();
        int start = Integer.parseInt(name.substring(name.indexOf('-') + 1));
        sent.add(new Order(rank.value(), start, order));
      }
    }
    return new WaveSmallWorld(normal(next, t -> t), nodes, sent, arrivals, faults);
  }

  private WaveSmallWorld move(int rank, Lockstep.Event event) {
    Node node = nodes.get(rank);
    Lockstep before = node.lockstep();
    Lockstep.Move move = before.on(event);
    Lockstep now = move.next();
    if (now.wave() < before.wave() || now.generation() < before.generation()) {
      throw new AssertionError("rank %d fell from %s to %s".formatted(rank, before, now));
    }
    WaveSmallWorld next = node(rank, node.with(now));
    if (now.generation() != before.generation()
        || now.wave() != before.wave()
        || now.running() != before.running()) {
      next = next.report(rank);
    }
    return move.effects().contains(new Lockstep.Effect.Agree())
        ? next.node(rank, next.nodes.get(rank).waiting(true, true))
        : next;
  }

  private WaveSmallWorld report(int rank) {
    Node node = nodes.get(rank);
    Set<Object> sent = new HashSet<>(underWay);
    sent.removeIf(m -> m instanceof Report r && r.rank() == rank);
    Lockstep at = node.lockstep();
    sent.add(new Report(rank, node.start(), at.generation(), at.wave(), at.running()));
    return new WaveSmallWorld(waves, nodes, sent, arrivals, faults);
  }

  private WaveSmallWorld node(int rank, Node changed) {
    List<Node> next = new ArrayList<>(nodes);
    next.set(rank, changed);
    return new WaveSmallWorld(waves, next, underWay, arrivals, faults);
  }

  private WaveSmallWorld with(Object message) {
    Set<Object> sent = new HashSet<>(underWay);
    sent.add(message);
    return new WaveSmallWorld(waves, nodes, sent, arrivals, faults);
  }

  private WaveSmallWorld without(Object message) {
    Set<Object> rest = new HashSet<>(underWay);
    rest.remove(message);
    return new WaveSmallWorld(waves, nodes, rest, arrivals, faults);
  }

  private WaveSmallWorld andArrivals(int more) {
    return new WaveSmallWorld(waves, nodes, underWay, arrivals + more, faults);
  }

  private WaveSmallWorld faulty() {
    return new WaveSmallWorld(waves, nodes, underWay, arrivals, faults - 1);
  }

  private static Node aged(Node node) {
    Lockstep at = node.lockstep();
    return node.with(
        new Lockstep(
            at.interval(),
            at.generation(),
            at.wave(),
            at.running(),
            at.broken(),
            at.step(),
            at.started(),
            new Lockstep.Repeat(at.repeat().times(), OLD),
            at.counts()));
  }

  private static Waves aged(Waves waves) {
    return normal(waves, t -> t == NEVER ? NEVER : OLD);
  }

  /** Without what only counts, and with times as given. */
  private static Waves normal(Waves of, UnaryOperator<Long> time) {
    Seats seats =
        new Seats(
            of.seats().all().stream()
                .map(
                    s -> {
                      Seats.Level l = s.level();
                      return new Seats.Seat(
                          s.rank(),
                          s.incarnation(),
                          s.endpoint(),
                          s.suspect(),
                          l == null
                              ? null
                              : new Seats.Level(
                                  0,
                                  l.generation(),
                                  l.wave(),
                                  l.running(),
                                  0,
                                  time.apply(l.heardNanos())),
                          time.apply(s.toldNanos()),
                          s.leftOut());
                    })
                .toList());
    Waves.Failure failure = of.failure();
    return new Waves(
        of.limits(),
        of.term(),
        of.given(),
        of.highest(),
        seats,
        of.generation(),
        of.wave(),
        time.apply(of.waveNanos()),
        new Waves.Start(
            of.start().wanted(),
            time.apply(of.start().wantedNanos()),
            of.start().started(),
            time.apply(of.start().startedNanos())),
        failure == null
            ? null
            : new Waves.Failure(
                time.apply(failure.sinceNanos()),
                failure.missing(),
                failure.said(),
                failure.reason()),
        of.failures(),
        time.apply(of.firstNanos()),
        0,
        new Waves.Counts(0, 0, 0, 0, 0, 0));
  }

  /** Paused, all waves equal, no work left, everybody in the coordinator's group. */
  boolean rests() {
    Generation of = waves.generation();
    Set<Rank> members = new TreeSet<>();
    for (int rank = 0; rank < RANKS; rank++) {
      Node node = nodes.get(rank);
      if (node.up()) {
        members.add(new Rank(rank));
        if (node.work() > 0
            || node.lockstep().running()
            || node.lockstep().broken()
            || node.lockstep().wave() != waves.wave()
            || !Objects.equals(node.generation(), of)) {
          return false;
        }
      }
    }
    return of != null && of.size() == members.size() && arrivals == 0 && !waves.running();
  }
}
