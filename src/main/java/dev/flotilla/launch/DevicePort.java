package dev.flotilla.launch;

import dev.flotilla.config.Config;
import dev.flotilla.config.ConfigException;
import dev.flotilla.config.EngineConfig;
import dev.flotilla.config.Surroundings;
import dev.flotilla.launch.DeviceLedger.Effect;
import dev.flotilla.launch.DeviceLedger.Event;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToNode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The shell of {@link DeviceLedger}: takes the coordinator's orders about this node's devices and
 * tells it who has them. On the agent's event loop.
 */
final class DevicePort {
  private static final Logger LOG = LoggerFactory.getLogger(DevicePort.class);

  private final Bus bus;
  private final String address;
  private final Map<String, String> attributes;
  private final Actions actions;
  private final Map<Rank, Effect.Start> given = new HashMap<>();
  private long reports;
  private DeviceLedger ledger;

  /** What the agent does with engines. */
  interface Actions {
    /** Starts the engine of a rank. */
    void start(EngineConfig config);

    /** Ends the engine of a rank; {@link #ended} is told in any case. */
    void end(Rank rank);
  }

  DevicePort(
      Bus bus, String address, int devices, Map<String, String> attributes, Actions actions) {
    this.bus = bus;
    this.address = address;
    this.attributes = Map.copyOf(attributes);
    this.actions = actions;
    ledger = DeviceLedger.of(devices);
  }

  int devices() {
    return ledger.devices();
  }

  /** The devices that a rank was given by the coordinator; empty: it was started by the node. */
  List<Integer> given(int rank) {
    Effect.Start start = given.get(new Rank(rank));
    return start == null ? List.of() : start.devices();
  }

  /** What the engine of a rank gets of the head's process. */
  Surroundings surroundings(int rank) {
    Effect.Start start = given.get(new Rank(rank));
    return start == null ? Surroundings.DEFAULT : start.surroundings();
  }

  /** The node's own engines start. */
  void own(List<EngineConfig> engines, int devicesOfEach) {
    List<Rank> ranks =
        engines.stream().filter(e -> e.rank() != null).map(e -> new Rank(e.rank())).toList();
    on(new Event.Own(ranks, devicesOfEach));
  }

  void ordered(ToNode.Order order) {
    on(new Event.Ordered(System.nanoTime(), order));
  }

  /** The engine of a rank has ended, and its node does not start it again. */
  void ended(Rank rank, String how) {
    on(new Event.Ended(rank));
    send(new ToCoordinator.EngineEnded(bus.node(), rank, how));
  }

  /** Time passes; to be called every second. */
  void tick() {
    on(new Event.Tick(System.nanoTime()));
    report();
  }

  private void report() {
    send(
        new ToCoordinator.NodeReport(
            bus.node(),
            ++reports,
            address,
            ledger.devices(),
            ledger.seen(),
            ledger.settled(),
            ledger.size(),
            ledger.leases(),
            attributes));
  }

  private void on(Event event) {
    DeviceLedger.Step step = ledger.on(event);
    ledger = step.next();
    for (Effect effect : step.effects()) {
      switch (effect) {
        case Effect.Start start -> start(start);
        case Effect.End(Rank rank) -> actions.end(rank);
        case Effect.Refuse(long change, Rank rank, String reason) -> {
          LOG.info("change {} cannot have rank {} here: {}", change, rank, reason);
          send(new ToCoordinator.LeaseRefused(bus.node(), change, rank, reason));
        }
        case Effect.Report() -> report();
      }
    }
  }

  private void start(Effect.Start start) {
    try {
      EngineConfig engine = Config.parse(start.config(), EngineConfig.DEFAULT);
      given.put(start.rank(), start);
      actions.start(engine);
    } catch (ConfigException e) {
      ended(start.rank(), "cannot be started: " + e.getMessage());
    }
  }

  private void send(ToCoordinator message) {
    bus.send(Addresses.COORDINATOR, message)
        .onFailure(e -> LOG.debug("no coordinator yet: {}", e.getMessage()));
  }
}
