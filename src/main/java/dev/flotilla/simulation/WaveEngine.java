package dev.flotilla.simulation;

import dev.flotilla.engine.Lockstep;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.EngineWork;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.Generation;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.LockstepLoad;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The real {@link Lockstep} of one start of one rank, whose work is so many steps per request. Its
 * port hears and reports whatever its loop does, unless the whole process stands still.
 */
final class WaveEngine extends SimulatedNetwork.Actor {
  private static final long MS = 1_000_000;
  private static final long BEAT_MS = 250;
  private static final EngineWork NO_WORK = EngineWork.guessed(0, 0, 0);

  private final WaveSimulation world;
  private final Rank rank;
  private final Incarnation incarnation;
  private final List<Request> requests = new ArrayList<>();
  private Lockstep lockstep;
  private @Nullable Generation generation;
  private Term term = Term.NONE;
  private List<Rank> missing = List.of();
  private long sequence;
  private long flight; // Rises when what is under way does not count any more.
  private boolean busy; // A step or an exchange is under way.
  private boolean dummy;
  private long stalledUntil; // The loop, not the port.
  private long wakeAt;

  /** So many steps of work. */
  static final class Request {
    private final int id;
    private int steps;

    Request(int id, int steps) {
      this.id = id;
      this.steps = steps;
    }

    int id() {
      return id;
    }
  }

  WaveEngine(String name, Rank rank, int interval, WaveSimulation world) {
    super(name);
    this.world = world;
    this.rank = rank;
    incarnation = new Incarnation(name);
    lockstep = Lockstep.alone(interval);
    world.network.consume(Addresses.engine(rank, incarnation), this);
    world.network.consume(Addresses.ALL_ENGINES, this);
    report();
    if (world.timers) {
      world.network.plan(this, world.time.now() + BEAT_MS * MS, "beat", this::beat);
    }
  }

  Rank rank() {
    return rank;
  }

  Incarnation incarnation() {
    return incarnation;
  }

  Lockstep lockstep() {
    return lockstep;
  }

  @Nullable Generation generation() {
    return generation;
  }

  long flight() {
    return flight;
  }

  boolean works() {
    return !requests.isEmpty();
  }

  /** The loop stands still, while the port goes on. */
  void stall(long until) {
    stalledUntil = Math.max(stalledUntil, until);
  }

  /** A process that stands still takes it when it goes on. */
  void take(Request request) {
    requests.add(request);
    world.network.plan(this, world.time.now(), "request", this::turn);
  }

  /**
   * It ends; what it had is to be done elsewhere.
   *
   * @param noticed whether its connections end with it; those of a machine that dies do not
   */
  List<Request> die(boolean noticed) {
    end();
    Generation of = generation;
    if (of != null && noticed) {
      world.barriers.leave(this, of);
    }
    return List.copyOf(requests);
  }

  @Override
  void receive(Object message) {
    switch (message) {
      case ToEngine.GroupOrder order when !term.admits(order.term()) -> {}
      case ToEngine.StartWave start -> {
        term = start.term();
        move(new Lockstep.Event.StartWave(start.generation(), start.wave()));
      }
      case ToEngine.Regroup regroup -> {
        term = regroup.term();
        regroup(regroup.generation(), regroup.wave());
      }
      case ToEngine.WhoIsThere(Term asking) -> {
        term = term.admits(asking) ? asking : term;
        report();
      }
      default -> throw new IllegalStateException("nobody sends this here: " + message);
    }
    turn();
  }

  private void regroup(Generation next, long wave) {
    int own = next.indexOf(rank);
    if (own < 0
        || !next.members().get(own).incarnation().equals(incarnation)
        || next.number() <= lockstep.generation()) {
      return;
    }
    Generation old = generation;
    if (old != null) {
      world.barriers.leave(this, old);
    }
    generation = next;
    flight++;
    busy = false;
    move(new Lockstep.Event.Regrouped(next.number(), wave));
  }

  private void beat() {
    report();
    world.network.plan(this, world.time.now() + BEAT_MS * MS, "beat", this::beat);
  }

  /** As the loop does whenever it is free. */
  private void turn() {
    if (busy) {
      return;
    }
    if (world.time.now() < stalledUntil) {
      busy = true;
      long mine = flight;
      world.network.plan(this, stalledUntil, "goes on", () -> free(mine));
      return;
    }
    move(new Lockstep.Event.Turn(works(), world.time.now()));
  }

  private void free(long of) {
    if (of == flight) {
      busy = false;
      turn();
    }
  }

  private void move(Lockstep.Event event) {
    Lockstep before = lockstep;
    Lockstep.Move move = world.seams.lockstep(lockstep, event);
    lockstep = move.next();
    world.checks.moved(this, before);
    if (lockstep.generation() != before.generation()
        || lockstep.wave() != before.wave()
        || lockstep.running() != before.running()) {
      report();
    }
    move.effects().forEach(this::perform);
  }

  private void perform(Lockstep.Effect effect) {
    switch (effect) {
      case Lockstep.Effect.Step _ -> step(false);
      case Lockstep.Effect.DummyStep _ -> step(true);
      case Lockstep.Effect.Agree _ -> arrive(true);
      case Lockstep.Effect.WantWave(long of, long wave) ->
          world.network.send(
              this, Addresses.COORDINATOR, new ToCoordinator.WantWave(rank, incarnation, of, wave));
      case Lockstep.Effect.SayBroken(long of) ->
          world.network.send(
              this,
              Addresses.COORDINATOR,
              new ToCoordinator.GroupBroken(rank, incarnation, of, missing, "an exchange failed"));
      case Lockstep.Effect.WaveComplete _ -> {}
      case Lockstep.Effect.SleepUntil(long nanos) -> wakeAt(nanos);
      case Lockstep.Effect.Sleep _ -> {}
    }
  }

  private void wakeAt(long nanos) {
    if (world.timers && nanos != wakeAt) {
      wakeAt = nanos;
      world.network.plan(this, nanos, "wakes", this::turn);
    }
  }

  private void step(boolean withoutWork) {
    busy = true;
    dummy = withoutWork;
    long mine = flight;
    long at = world.time.now() + MS / 2 + world.random.nextLong(2 * MS);
    world.network.plan(
        this,
        Math.max(at, stalledUntil),
        withoutWork ? "dummy step" : "step",
        () -> computed(mine));
  }

  private void computed(long of) {
    if (of != flight) {
      return;
    }
    if (world.time.now() < stalledUntil) {
      world.network.plan(this, stalledUntil, "goes on", () -> computed(of));
    } else {
      arrive(false);
    }
  }

  private void arrive(boolean agreement) {
    Generation of = generation;
    if (of == null) {
      throw new IllegalStateException(name() + " steps without a group");
    }
    busy = true;
    world.barriers.arrive(
        this,
        of,
        new WaveBarriers.Tag(lockstep.wave(), lockstep.step(), agreement),
        agreement && works());
  }

  /** An exchange has come about. */
  void exchanged(long of, WaveBarriers.Tag tag, boolean any) {
    if (of != flight) {
      return;
    }
    if (!tag.agreement() && !dummy) {
      worked();
    }
    busy = false;
    world.checks.stepped(this, tag, dummy);
    move(tag.agreement() ? new Lockstep.Event.Agreed(any) : new Lockstep.Event.StepDone(dummy));
    turn();
  }

  private void worked() {
    for (Request request : List.copyOf(requests)) {
      request.steps--;
      if (request.steps == 0) {
        requests.remove(request);
        world.finished(request);
      }
    }
  }

  /** An exchange has not come about. */
  void failed(long of, List<Rank> whom) {
    Generation old = generation;
    if (of != flight || old == null) {
      return;
    }
    flight++;
    busy = false;
    missing = whom.stream().filter(r -> !r.equals(rank)).toList();
    world.barriers.leave(this, old);
    move(new Lockstep.Event.Failed());
    turn();
  }

  private void report() {
    sequence++;
    LoadReport load =
        new LoadReport(
            rank,
            incarnation,
            Epoch.NONE,
            sequence,
            0,
            requests.size(),
            0,
            0,
            0,
            1024,
            lockstep.counts().steps(),
            lockstep.wave(),
            busy,
            -1,
            List.of(),
            null,
            NO_WORK,
            new LockstepLoad(
                lockstep.generation(), lockstep.running(), lockstep.counts().dummies(), 0));
    world.network.send(this, Addresses.COORDINATOR, new ToCoordinator.Load(load));
  }
}
