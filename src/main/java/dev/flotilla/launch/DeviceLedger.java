package dev.flotilla.launch;

import dev.flotilla.config.Surroundings;
import dev.flotilla.protocol.Lease;
import dev.flotilla.protocol.Machine;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Who has which devices of one node. Invariants: a device belongs to at most one rank, and stays
 * its own until its engine has ended, however the order to end it came about; a lease that is not
 * kept ends by itself. Orders of a lower term than the highest seen have no effect, nor have those
 * of a change that is settled, so that nothing late or repeated can book or end anything.
 *
 * @param devices of the node
 * @param seen the highest term of which an order came
 * @param settled number of the last change that is settled here
 * @param size ranks of the group since then; 0: not told yet
 */
public record DeviceLedger(
    int devices, Term seen, long settled, int size, SortedMap<Rank, Held> held) implements Machine {

  /**
   * The devices of one rank.
   *
   * @param kept for good; otherwise until it expires
   * @param running whether its engine runs, starts or has yet to end
   * @param retired whether its engine was told to end
   * @param wanted false: it goes as soon as its engine has ended
   */
  public record Held(
      long change,
      List<Integer> devices,
      boolean kept,
      boolean running,
      boolean retired,
      boolean wanted,
      long expiresNanos) {
    /** Keeps a private copy. */
    public Held {
      devices = List.copyOf(devices);
    }

    Held until(long nanos) {
      return new Held(change, devices, kept, running, retired, wanted, nanos);
    }

    Held under(long newer) {
      return new Held(newer, devices, kept, running, retired, wanted, expiresNanos);
    }

    Held running(boolean now) {
      return new Held(change, devices, kept, now, retired && now, wanted, expiresNanos);
    }

    Held ending(boolean stays) {
      return new Held(change, devices, kept, running, true, stays && wanted, expiresNanos);
    }

    Held forGood() {
      return new Held(change, devices, true, running, retired, wanted, expiresNanos);
    }
  }

  /** What can happen. */
  public sealed interface Event {
    /** The coordinator orders. */
    record Ordered(long nowNanos, ToNode.Order order) implements Event {}

    /** The node's own engines start: they have their devices before anyone asks. */
    record Own(List<Rank> ranks, int devicesOfEach) implements Event {
      /** Keeps a private copy. */
      public Own {
        ranks = List.copyOf(ranks);
      }
    }

    /** An engine has ended, and is not started again by its node. */
    record Ended(Rank rank) implements Event {}

    /** Time passes. */
    record Tick(long nowNanos) implements Event {}
  }

  /** What is to be done. */
  public sealed interface Effect {
    /** Start the engine of a rank. */
    record Start(Rank rank, List<Integer> devices, String config, Surroundings surroundings)
        implements Effect {
      /** Keeps a private copy. */
      public Start {
        devices = List.copyOf(devices);
      }
    }

    /** End the engine of a rank at once. */
    record End(Rank rank) implements Effect {}

    /** The order cannot be followed. */
    record Refuse(long change, Rank rank, String reason) implements Effect {}

    /** Tell the coordinator what is held. */
    record Report() implements Effect {}
  }

  /** The next state and what is to be done. */
  public record Step(DeviceLedger next, List<Effect> effects) {
    /** Keeps a private copy. */
    public Step {
      effects = List.copyOf(effects);
    }
  }

  /** Keeps a private copy. */
  public DeviceLedger {
    held = Collections.unmodifiableSortedMap(new TreeMap<>(held));
  }

  /** Nothing is given yet. */
  public static DeviceLedger of(int devices) {
    return new DeviceLedger(devices, Term.NONE, 0, 0, new TreeMap<>());
  }

  /** As they are told to the coordinator. */
  public List<Lease> leases() {
    List<Lease> all = new ArrayList<>();
    held.forEach(
        (rank, h) ->
            all.add(
                new Lease(
                    rank,
                    h.wanted ? h.change : Lease.ENDS,
                    h.devices,
                    h.kept && h.wanted,
                    h.running)));
    return all;
  }

  /** The only way forward. */
  public Step on(Event event) {
    return switch (event) {
      case Event.Ordered(long now, ToNode.Order order) -> ordered(now, order);
      case Event.Own(List<Rank> ranks, int each) -> own(ranks, each);
      case Event.Ended(Rank rank) -> ended(rank);
      case Event.Tick(long now) -> tick(now);
    };
  }

  private Step ordered(long now, ToNode.Order order) {
    if (!seen.admits(order.term())) {
      return report(this);
    }
    DeviceLedger knowing = new DeviceLedger(devices, order.term(), settled, size, held);
    if (order.change() <= settled) {
      return report(knowing);
    }
    return switch (order) {
      case ToNode.Reserve reserve -> knowing.reserve(now, reserve);
      case ToNode.Place place -> knowing.place(place);
      case ToNode.Retire(Term _, long change, Rank rank) -> knowing.retire(change, rank);
      case ToNode.Settle settle -> knowing.settle(settle);
    };
  }

  private Step reserve(long now, ToNode.Reserve order) {
    long expires = now + order.leaseMs() * 1_000_000;
    Held known = held.get(order.rank());
    if (known != null) {
      if (!known.wanted || order.change() < known.change) {
        return report(this); // Its engine is ending; the order comes again.
      }
      if (order.change() > known.change && !known.kept) {
        return refuse(order, "change %d reserves its devices already".formatted(known.change));
      }
      if (known.devices.size() != order.devices()) {
        return refuse(
            order, "it has %d devices, not %d".formatted(known.devices.size(), order.devices()));
      }
      return report(with(order.rank(), known.under(order.change()).until(expires)));
    }
    List<Integer> free = free();
    if (free.size() < order.devices()) {
      return held.values().stream().anyMatch(h -> !h.wanted)
          ? report(this) // Some are about to become free.
          : refuse(
              order,
              "%d of %d devices are free, not %d".formatted(free.size(), devices, order.devices()));
    }
    List<Integer> given = free.subList(0, order.devices());
    return report(
        with(
            order.rank(),
            new Held(order.change(), List.copyOf(given), false, false, false, true, expires)));
  }

  private Step place(ToNode.Place order) {
    Held known = held.get(order.rank());
    if (known == null || !known.wanted || known.change != order.change()) {
      return refuse(order, order.rank(), "it has no devices here");
    }
    if (known.running) {
      return report(this);
    }
    return new Step(
        with(order.rank(), known.running(true)),
        List.of(
            new Effect.Start(order.rank(), known.devices, order.config(), order.surroundings()),
            new Effect.Report()));
  }

  private Step retire(long change, Rank rank) {
    Held known = held.get(rank);
    if (known == null || known.change > change || !known.running || known.retired) {
      return report(this);
    }
    return new Step(
        with(rank, known.ending(true)), List.of(new Effect.End(rank), new Effect.Report()));
  }

  private Step settle(ToNode.Settle order) {
    DeviceLedger next = new DeviceLedger(devices, seen, order.change(), order.size(), held);
    List<Effect> effects = new ArrayList<>();
    for (var entry : held.entrySet()) {
      Rank rank = entry.getKey();
      Held known = entry.getValue();
      boolean own = known.change == 0 && rank.value() < order.size();
      if (known.change > order.change() || own) {
        continue;
      }
      next =
          order.keeps().contains(rank)
              ? next.with(rank, known.forGood())
              : next.dropped(rank, effects);
    }
    effects.add(new Effect.Report());
    return new Step(next, effects);
  }

  private Step own(List<Rank> ranks, int each) {
    DeviceLedger next = this;
    for (Rank rank : ranks) {
      List<Integer> free = next.free();
      // More ranks than devices were asked for on the command line; they share what there is.
      List<Integer> given = free.size() < each ? List.of() : free.subList(0, each);
      next = next.with(rank, new Held(0, List.copyOf(given), true, true, false, true, 0));
    }
    return report(next);
  }

  private Step ended(Rank rank) {
    Held known = held.get(rank);
    if (known == null) {
      return new Step(this, List.of());
    }
    return report(known.wanted ? with(rank, known.running(false)) : without(rank));
  }

  private Step tick(long now) {
    DeviceLedger next = this;
    List<Effect> effects = new ArrayList<>();
    for (var entry : held.entrySet()) {
      Held known = entry.getValue();
      if (!known.kept && known.wanted && known.expiresNanos <= now) {
        next = next.dropped(entry.getKey(), effects);
        effects.add(new Effect.Report());
      }
    }
    return new Step(next, effects);
  }

  private DeviceLedger dropped(Rank rank, List<Effect> effects) {
    Held known = held.get(rank);
    if (known == null || !known.running) {
      return without(rank);
    }
    if (!known.retired) {
      effects.add(new Effect.End(rank));
    }
    return with(rank, known.ending(false));
  }

  private List<Integer> free() {
    Set<Integer> taken = new HashSet<>();
    held.values().forEach(h -> taken.addAll(h.devices));
    List<Integer> free = new ArrayList<>();
    for (int device = 0; device < devices; device++) {
      if (!taken.contains(device)) {
        free.add(device);
      }
    }
    return free;
  }

  private DeviceLedger with(Rank rank, @Nullable Held now) {
    SortedMap<Rank, Held> next = new TreeMap<>(held);
    if (now == null) {
      next.remove(rank);
    } else {
      next.put(rank, now);
    }
    return new DeviceLedger(devices, seen, settled, size, next);
  }

  private DeviceLedger without(Rank rank) {
    return with(rank, null);
  }

  private static Step report(DeviceLedger next) {
    return new Step(next, List.of(new Effect.Report()));
  }

  private Step refuse(ToNode.Reserve order, String reason) {
    return refuse(order, order.rank(), reason);
  }

  private Step refuse(ToNode.Order order, Rank rank, String reason) {
    return new Step(this, List.of(new Effect.Refuse(order.change(), rank, reason)));
  }
}
