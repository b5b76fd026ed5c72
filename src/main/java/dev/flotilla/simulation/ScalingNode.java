package dev.flotilla.simulation;

import dev.flotilla.launch.DeviceLedger;
import dev.flotilla.launch.DeviceLedger.Effect;
import dev.flotilla.launch.DeviceLedger.Event;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;

/**
 * A node of a simulated cluster: the real {@link DeviceLedger}, and engines that take their time to
 * start and to end. An engine is a process on devices whether or not the ledger knows of it, so
 * that a device booked twice is seen here.
 */
final class ScalingNode extends SimulatedNetwork.Actor {
  private static final long MS = 1_000_000;
  private static final int START_MAX_MS = 800;
  private static final int END_MAX_MS = 300;
  private static final int REPORT_MS = 1_000;
  private static final int TICK_MS = 500;

  private final NodeId id;
  private final VirtualTime time;
  private final SimulatedNetwork network;
  private final RandomGenerator random;
  private final double doomedShare;
  private final List<Engine> engines = new ArrayList<>();
  private long reports;
  private DeviceLedger ledger;
  private boolean moved;

  /** One process. */
  static final class Engine {
    final Rank rank;
    final List<Integer> devices;
    boolean ready;
    boolean ending;
    int work;

    Engine(Rank rank, List<Integer> devices) {
      this.rank = rank;
      this.devices = devices;
    }
  }

  ScalingNode(
      String name,
      int devices,
      double doomedShare,
      VirtualTime time,
      SimulatedNetwork network,
      RandomGenerator random) {
    super(name);
    this.id = new NodeId(name);
    this.doomedShare = doomedShare;
    this.time = time;
    this.network = network;
    this.random = random;
    ledger = DeviceLedger.of(devices);
    network.consume(Addresses.node(id), this);
    network.plan(this, time.now() + random.nextLong(REPORT_MS * MS), "report", this::beat);
    network.plan(this, time.now() + TICK_MS * MS, "tick", this::tick);
  }

  NodeId id() {
    return id;
  }

  DeviceLedger ledger() {
    return ledger;
  }

  List<Engine> engines() {
    return engines;
  }

  @Override
  void receive(Object message) {
    if (message instanceof ToNode.Order order) {
      on(new Event.Ordered(time.now(), order));
    }
  }

  /** Whether anything has changed since this was asked last. */
  boolean moved() {
    boolean was = moved;
    moved = false;
    return was;
  }

  /** What is wrong here; empty: nothing. */
  String fault() {
    Set<Integer> booked = new HashSet<>();
    for (DeviceLedger.Held held : ledger.held().values()) {
      for (int device : held.devices()) {
        if (device >= ledger.devices() || !booked.add(device)) {
          return "device %d of %s is booked twice: %s".formatted(device, name(), ledger);
        }
      }
    }
    Set<Integer> used = new HashSet<>();
    for (Engine engine : engines) {
      for (int device : engine.devices) {
        if (!used.add(device)) {
          return "two engines run on device %d of %s".formatted(device, name());
        }
      }
    }
    return "";
  }

  private void beat() {
    report();
    network.plan(this, time.now() + REPORT_MS * MS, "report", this::beat);
  }

  private void tick() {
    on(new Event.Tick(time.now()));
    network.plan(this, time.now() + TICK_MS * MS, "tick", this::tick);
  }

  private void report() {
    network.send(
        this,
        Addresses.COORDINATOR,
        new ToCoordinator.NodeReport(
            id,
            ++reports,
            name(),
            ledger.devices(),
            ledger.seen(),
            ledger.settled(),
            ledger.size(),
            ledger.leases(),
            Map.of()));
  }

  private void on(Event event) {
    DeviceLedger.Step step = ledger.on(event);
    ledger = step.next();
    moved |= !step.effects().isEmpty();
    for (Effect effect : step.effects()) {
      switch (effect) {
        case Effect.Start(Rank rank, List<Integer> devices, _, _) -> start(rank, devices);
        case Effect.End(Rank rank) ->
            engines.stream().filter(e -> e.rank.equals(rank)).forEach(this::end);
        case Effect.Refuse(long change, Rank rank, String reason) ->
            network.send(
                this,
                Addresses.COORDINATOR,
                new ToCoordinator.LeaseRefused(id, change, rank, reason));
        case Effect.Report() -> report();
      }
    }
  }

  private void start(Rank rank, List<Integer> devices) {
    Engine engine = new Engine(rank, devices);
    engines.add(engine);
    boolean doomed = random.nextDouble() < doomedShare;
    network.plan(
        this,
        time.now() + random.nextLong(START_MAX_MS) * MS,
        doomed ? "engine %s dies".formatted(rank) : "engine %s is ready".formatted(rank),
        () -> {
          if (doomed) {
            ended(engine, "died");
          } else {
            engine.ready = true;
            engine.work = random.nextInt(20);
          }
        });
  }

  private void end(Engine engine) {
    if (!engine.ending) {
      engine.ending = true;
      network.plan(
          this,
          time.now() + random.nextLong(END_MAX_MS) * MS,
          "engine %s ends".formatted(engine.rank),
          () -> ended(engine, "was stopped"));
    }
  }

  private void ended(Engine engine, String how) {
    if (engines.remove(engine)) {
      on(new Event.Ended(engine.rank));
      network.send(
          this, Addresses.COORDINATOR, new ToCoordinator.EngineEnded(id, engine.rank, how));
    }
  }
}
