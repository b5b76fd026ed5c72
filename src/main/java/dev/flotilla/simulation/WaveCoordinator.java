package dev.flotilla.simulation;

import dev.flotilla.coordinator.Seats;
import dev.flotilla.coordinator.Waves;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.GroupPlan;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The real {@link Waves} of one leadership, with as much of a membership as they need: who reports
 * serves, until it leaves, is replaced or falls silent. It leads until it hears of a higher term.
 */
final class WaveCoordinator extends SimulatedNetwork.Actor {
  private static final long MS = 1_000_000;
  private static final long TICK_MS = 40;
  private static final long CLAIM_MS = 240;
  private static final long SUSPECT_MS = 1_000;
  private static final long DEAD_MS = 2_500;

  /** Ticks further apart mean that it stood still itself. */
  private static final long GAP_MS = 400;

  private final WaveSimulation world;
  private final Term term;
  private final Map<Rank, Known> known = new TreeMap<>();
  private Waves waves;
  private long ticked;
  private long claimed;

  /** One start of a rank. */
  private record Known(LoadReport load, int start, long heard, boolean suspect, boolean gone) {}

  WaveCoordinator(Term term, Waves.Limits limits, WaveSimulation world) {
    super("coordinator-" + term.number());
    this.world = world;
    this.term = term;
    waves = Waves.start(limits, term);
    ticked = world.time.now();
    claimed = ticked;
    world.network.consume(Addresses.COORDINATOR, this);
    world.network.consume(Addresses.COORDINATORS, this);
    world.network.send(this, Addresses.ALL_ENGINES, new ToEngine.WhoIsThere(term));
    claim();
    if (world.timers) {
      world.network.plan(this, world.time.now() + TICK_MS * MS, "tick", this::tick);
    }
  }

  Waves waves() {
    return waves;
  }

  Term term() {
    return term;
  }

  private void claim() {
    world.network.send(
        this, Addresses.COORDINATORS, new ToCoordinator.Leading(term, WaveSimulation.PLAN));
  }

  private void tick() {
    long now = world.time.now();
    long excused = now - ticked > GAP_MS * MS ? now - ticked : 0;
    ticked = now;
    boolean changed = false;
    for (Map.Entry<Rank, Known> entry : known.entrySet()) {
      Known one = entry.getValue();
      long heard = Math.min(now, one.heard() + excused);
      boolean suspect = now - heard > SUSPECT_MS * MS;
      boolean gone = one.gone() || now - heard > DEAD_MS * MS;
      changed |= suspect != one.suspect() || gone != one.gone();
      entry.setValue(new Known(one.load(), one.start(), heard, suspect, gone));
    }
    if (changed) {
      seen();
    }
    on(new Waves.Event.Tick(now));
    if (now - claimed >= CLAIM_MS * MS) {
      claimed = now;
      claim();
    }
    world.network.plan(this, now + TICK_MS * MS, "tick", this::tick);
  }

  @Override
  void receive(Object message) {
    long now = world.time.now();
    switch (message) {
      case ToCoordinator.Leading(Term other, GroupPlan _) when other.compareTo(term) > 0 -> end();
      case ToCoordinator.Leading _ -> {}
      case ToCoordinator.Load(LoadReport load) -> {
        reported(now, load);
        on(new Waves.Event.Reported(now, load));
      }
      case ToCoordinator.FromMember told -> on(new Waves.Event.Told(now, told));
      case ToCoordinator.Leaving leaving -> {
        Known one = known.get(leaving.rank());
        if (one != null && one.load().incarnation().equals(leaving.incarnation())) {
          known.put(leaving.rank(), new Known(one.load(), one.start(), one.heard(), false, true));
          seen();
        }
      }
      default -> throw new IllegalStateException("nobody sends this here: " + message);
    }
  }

  private void reported(long now, LoadReport load) {
    Known one = known.get(load.rank());
    int start = world.startOf(load.incarnation());
    if (one != null
        && (start < one.start()
            || (start == one.start() && load.sequence() <= one.load().sequence()))) {
      return;
    }
    known.put(load.rank(), new Known(load, start, now, false, false));
    if (one == null || one.start() != start || one.suspect() || one.gone()) {
      seen();
    }
  }

  private void seen() {
    List<Seats.Candidate> serving = new ArrayList<>();
    known.forEach(
        (rank, one) -> {
          if (!one.gone()) {
            serving.add(
                new Seats.Candidate(
                    rank, one.load().incarnation(), null, one.suspect(), one.load()));
          }
        });
    on(new Waves.Event.Seen(world.time.now(), world.size, serving));
  }

  private void on(Waves.Event event) {
    Waves before = waves;
    Waves.Step step = world.seams.waves(waves, event);
    waves = step.next();
    world.checks.decided(this, before, step.effects());
    for (Waves.Effect effect : step.effects()) {
      if (effect instanceof Waves.Effect.Send(var rank, var incarnation, var order)) {
        world.network.send(this, Addresses.engine(rank, incarnation), order);
      }
    }
  }
}
