package dev.flotilla.engine;

import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.Endpoint;
import dev.flotilla.protocol.Generation;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.LockstepLoad;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Decides for a lockstep group as a coordinator does, in the simplest way that works: all ranks
 * that are ready are members, one that is missed is none until it comes again.
 */
final class FakeWaves {
  private final Bus bus;
  private final Term term;
  private final int size;
  private final Map<Incarnation, Endpoint> endpoints = new HashMap<>();
  private final Map<Rank, Incarnation> ready = new TreeMap<>();
  private final Map<Rank, Incarnation> missed = new HashMap<>();
  private volatile @Nullable Generation generation;
  private long wave;
  private boolean started;

  /** For a group that begins when so many ranks are there. */
  FakeWaves(Bus bus, Term term, int size) {
    this.bus = bus;
    this.term = term;
    this.size = size;
  }

  /** The number of the last generation; 0: none. */
  long generation() {
    Generation known = generation;
    return known == null ? 0 : known.number();
  }

  synchronized void told(ToCoordinator message) {
    switch (message) {
      case ToCoordinator.Hello hello when hello.endpoint() != null ->
          endpoints.put(hello.incarnation(), hello.endpoint());
      case ToCoordinator.Ready(var rank, var incarnation, var _, var _, var _) -> {
        if (!incarnation.equals(ready.put(rank, incarnation))
            && (generation != null || ready.size() == size)) {
          regroup();
        }
      }
      case ToCoordinator.Leaving(var _, var incarnation, var _) -> without(incarnation::equals);
      case ToCoordinator.GroupBroken(var _, var _, long of, var missing, var _) -> {
        if (of == generation()) {
          List<Incarnation> absent =
              missing.stream().filter(ready::containsKey).map(ready::get).toList();
          missing.forEach(rank -> missed.computeIfAbsent(rank, ready::get));
          without(absent::contains);
          if (absent.isEmpty()) {
            regroup();
          }
        }
      }
      case ToCoordinator.WantWave(var _, var _, long of, long wanted) -> {
        if (of == generation() && wanted >= wave) {
          wave = wanted;
          started = true;
          tellAll(new ToEngine.StartWave(term, of, wave));
        }
      }
      case ToCoordinator.Load(LoadReport load) when generation != null -> level(load);
      default -> {}
    }
  }

  /** Takes a rank in again that was missed and lives. */
  synchronized void admit(Rank rank) {
    ready.put(rank, Objects.requireNonNull(missed.get(rank)));
    regroup();
  }

  private void without(Predicate<Incarnation> gone) {
    if (ready.values().removeIf(gone) && generation != null && !ready.isEmpty()) {
      regroup();
    }
  }

  private void level(LoadReport load) {
    LockstepLoad at = load.lockstep();
    Generation known = generation;
    if (at == null || known == null || !load.incarnation().equals(ready.get(load.rank()))) {
      return;
    }
    if (at.generation() < known.number()) {
      tell(load.rank(), load.incarnation(), new ToEngine.Regroup(term, known, wave));
    } else if (load.wave() > wave) {
      wave = load.wave();
      started = at.running();
    } else if (load.wave() == wave && started && !at.running()) {
      tell(load.rank(), load.incarnation(), new ToEngine.StartWave(term, known.number(), wave));
    }
  }

  private void regroup() {
    Generation next =
        new Generation(
            generation() + 1,
            ready.entrySet().stream()
                .map(
                    e ->
                        new Generation.Member(
                            e.getKey(), e.getValue(), endpoints.get(e.getValue())))
                .toList());
    generation = next;
    started = false;
    tellAll(new ToEngine.Regroup(term, next, wave));
  }

  private void tellAll(ToEngine message) {
    ready.forEach((rank, incarnation) -> tell(rank, incarnation, message));
  }

  private void tell(Rank rank, Incarnation incarnation, ToEngine message) {
    bus.send(Addresses.engine(rank, incarnation), message);
  }
}
