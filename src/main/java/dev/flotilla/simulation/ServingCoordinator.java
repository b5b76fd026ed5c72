package dev.flotilla.simulation;

import dev.flotilla.coordinator.HandOvers;
import dev.flotilla.coordinator.Membership;
import dev.flotilla.protocol.ToCoordinator;
import java.util.function.Consumer;

/** A coordinator that also orders hand-overs, from the view that it has published. */
final class ServingCoordinator extends SimulatedCoordinator {
  private static final long PUBLISH_MIN_MS = 20;

  private final HandOvers handOvers = new HandOvers();
  private final VirtualTime time;
  private final SimulatedNetwork network;

  ServingCoordinator(
      String name,
      Membership.Limits limits,
      VirtualTime time,
      SimulatedNetwork network,
      Consumer<Membership.Effect> observer) {
    super(name, limits, PUBLISH_MIN_MS, time, network, observer);
    this.time = time;
    this.network = network;
  }

  @Override
  void receive(Object message) {
    super.receive(message);
    if (up() && message instanceof ToCoordinator.Load(var load)) {
      handOvers
          .on(load, published(), time.now())
          .ifPresent(order -> network.send(this, order.to(), order.message()));
    }
  }
}
