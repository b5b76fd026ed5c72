package dev.flotilla.simulation;

import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import java.util.function.Consumer;

/** A front-end that says Hello, answers pings and keeps the newest view. */
final class SimulatedFrontend extends SimulatedNetwork.Actor {
  private static final long HELLO_NANOS = 1_000_000_000L;

  private final FrontendId id;
  private final VirtualTime time;
  private final SimulatedNetwork network;
  private final Consumer<ClusterView> observer;
  private ClusterView view = ClusterView.EMPTY;

  /** The observer sees every view that is taken. */
  SimulatedFrontend(
      String name, VirtualTime time, SimulatedNetwork network, Consumer<ClusterView> observer) {
    super(name);
    this.id = new FrontendId(name);
    this.time = time;
    this.network = network;
    this.observer = observer;
    network.consume(Addresses.frontend(id), this);
    network.consume(Addresses.ALL_FRONTENDS, this);
    network.plan(this, time.now(), "hello", this::hello);
  }

  ClusterView view() {
    return view;
  }

  private void hello() {
    sayHello();
    network.plan(this, time.now() + HELLO_NANOS, "hello", this::hello);
  }

  private void sayHello() {
    network.send(
        this,
        Addresses.COORDINATOR,
        new ToCoordinator.FrontendHello(id, new NodeId("node-" + name()), view.term()));
  }

  @Override
  void receive(Object message) {
    if (message instanceof ToFrontend.View(ClusterView next) && !view.term().admits(next.term())) {
      sayHello();
    } else if (message instanceof ToFrontend.View(ClusterView next) && next.newerThan(view)) {
      view = next;
      observer.accept(next);
    } else if (message instanceof ToFrontend.Ping(var rank, var incarnation, long nonce)) {
      network.send(this, Addresses.engine(rank, incarnation), new ToEngine.Pong(id, nonce));
    }
  }
}
