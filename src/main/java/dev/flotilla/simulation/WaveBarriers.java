package dev.flotilla.simulation;

import dev.flotilla.protocol.Generation;
import dev.flotilla.protocol.Rank;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;

/**
 * Exchanges of simulated lockstep groups, as a collective makes them: one comes about when all
 * members have come to it; whoever waits for longer than the deadline, or for one that has gone,
 * fails, and the generation with it. Some may fail in an exchange that came about for others.
 */
final class WaveBarriers {
  private static final long MS = 1_000_000;

  private final VirtualTime time;
  private final SimulatedNetwork network;
  private final RandomGenerator random;
  private final long deadlineNanos;
  private final WaveChecks checks;
  private final Map<Long, Barrier> barriers = new HashMap<>(); // by number of the generation

  /**
   * What an exchange is for; all members must come to the same.
   *
   * @param agreement whether it is the vote after the step
   */
  record Tag(long wave, long step, boolean agreement) {}

  private static final class Barrier {
    private final Generation generation;
    private final Map<WaveEngine, Place> waiting = new LinkedHashMap<>();
    private final List<Way> underWay = new ArrayList<>();
    private final Set<Rank> gone = new HashSet<>();
    private boolean failed;

    Barrier(Generation generation) {
      this.generation = generation;
    }
  }

  private record Place(Tag tag, boolean unfinished, long arrived) {}

  /** An exchange that came about, on its way to one member. */
  private static final class Way {
    private final WaveEngine to;
    private boolean broken;

    Way(WaveEngine to) {
      this.to = to;
    }
  }

  WaveBarriers(
      VirtualTime time,
      SimulatedNetwork network,
      RandomGenerator random,
      long deadlineNanos,
      WaveChecks checks) {
    this.time = time;
    this.network = network;
    this.random = random;
    this.deadlineNanos = deadlineNanos;
    this.checks = checks;
  }

  private Barrier barrier(Generation generation) {
    return barriers.computeIfAbsent(generation.number(), _ -> new Barrier(generation));
  }

  /** A member comes to an exchange. */
  void arrive(WaveEngine engine, Generation generation, Tag tag, boolean unfinished) {
    Barrier barrier = barrier(generation);
    checks.sameGeneration(engine, generation, barrier.generation);
    if (barrier.failed) {
      fail(engine, barrier, List.copyOf(barrier.gone));
      return;
    }
    long arrived = time.now();
    barrier.waiting.put(engine, new Place(tag, unfinished, arrived));
    if (barrier.waiting.size() < generation.size()) {
      network.plan(engine, arrived + deadlineNanos, "deadline", () -> overdue(engine, barrier));
      return;
    }
    checks.sameExchange(
        barrier.generation, barrier.waiting.values().stream().map(Place::tag).toList());
    boolean any = barrier.waiting.values().stream().anyMatch(Place::unfinished);
    List<WaveEngine> all = List.copyOf(barrier.waiting.keySet());
    barrier.waiting.clear();
    all.forEach(member -> bring(barrier, member, tag, any));
  }

  private void bring(Barrier barrier, WaveEngine member, Tag tag, boolean any) {
    Way way = new Way(member);
    barrier.underWay.add(way);
    long flight = member.flight();
    network.plan(
        member,
        time.now() + soon(),
        tag,
        () -> {
          barrier.underWay.remove(way);
          if (way.broken) {
            member.failed(flight, List.copyOf(barrier.gone));
          } else {
            member.exchanged(flight, tag, any);
          }
        });
  }

  private void overdue(WaveEngine engine, Barrier barrier) {
    Place place = barrier.waiting.get(engine);
    if (place != null && time.now() - place.arrived() >= deadlineNanos) {
      barrier.generation.members().stream()
          .map(Generation.Member::rank)
          .filter(rank -> barrier.waiting.keySet().stream().noneMatch(e -> e.rank().equals(rank)))
          .forEach(barrier.gone::add);
      fail(barrier);
    }
  }

  /** A member leaves its generation: it has died, failed, or belongs to another one now. */
  void leave(WaveEngine engine, Generation generation) {
    Barrier barrier = barrier(generation);
    barrier.waiting.remove(engine);
    if (!barrier.failed) {
      barrier.gone.add(engine.rank());
      fail(barrier);
    }
  }

  private void fail(Barrier barrier) {
    barrier.failed = true;
    List<WaveEngine> all = List.copyOf(barrier.waiting.keySet());
    barrier.waiting.clear();
    all.forEach(member -> fail(member, barrier, List.copyOf(barrier.gone)));
    for (Way way : barrier.underWay) {
      way.broken = way.to.up() && random.nextBoolean();
    }
  }

  private void fail(WaveEngine member, Barrier barrier, List<Rank> missing) {
    long flight = member.flight();
    network.plan(
        member,
        time.now() + soon(),
        "exchange failed",
        () -> member.failed(flight, missing.isEmpty() ? List.copyOf(barrier.gone) : missing));
  }

  private long soon() {
    return MS / 20 + random.nextLong(MS / 2);
  }
}
