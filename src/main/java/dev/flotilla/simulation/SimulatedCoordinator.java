package dev.flotilla.simulation;

import dev.flotilla.coordinator.Membership;
import dev.flotilla.coordinator.ViewPublisher;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import java.util.function.Consumer;

/** The real {@link Membership} and {@link ViewPublisher} on a simulated network. */
final class SimulatedCoordinator extends SimulatedNetwork.Actor {
  private static final long MS = 1_000_000;
  private static final long TICK_MS = 50;
  static final long PUBLISH_MIN_MS = 20;
  private static final long PUBLISH_MAX_MS = 1_000;

  private final VirtualTime time;
  private final SimulatedNetwork network;
  private final Consumer<Membership.Effect> observer;
  private Membership membership;
  private ViewPublisher publisher;

  /** One that starts now and knows nothing; the observer sees every effect. */
  SimulatedCoordinator(
      String name,
      Membership.Limits limits,
      long publishMinMs,
      VirtualTime time,
      SimulatedNetwork network,
      Consumer<Membership.Effect> observer) {
    super(name);
    this.time = time;
    this.network = network;
    this.observer = observer;
    Term term = Term.NONE.next(new NodeId(name));
    membership = Membership.start(limits, term, time.now());
    // As in the verticle, versions start at the time of day in milliseconds.
    publisher =
        ViewPublisher.start(
            publishMinMs * MS, PUBLISH_MAX_MS * MS, 1 + time.now() / MS, time.now());
    network.consume(Addresses.COORDINATOR, this);
    network.consume(Addresses.HANDSHAKE, this);
    network.consume(Addresses.ALL_ENGINES, this);
    network.send(this, Addresses.ALL_ENGINES, new ToEngine.WhoIsThere(term));
    network.plan(this, time.now() + TICK_MS * MS, "tick", this::tick);
  }

  Membership membership() {
    return membership;
  }

  ClusterView view() {
    return membership.view(publisher.version());
  }

  private void tick() {
    on(new Membership.Event.Tick(time.now()));
    advance(new ViewPublisher.Event.Tick(time.now()));
    network.plan(this, time.now() + TICK_MS * MS, "tick", this::tick);
  }

  @Override
  void receive(Object message) {
    if (message instanceof ToCoordinator told) {
      on(new Membership.Event.Told(time.now(), told));
    } else if (message instanceof ToEngine.WhoIsThere(Term term)) {
      on(new Membership.Event.Claimed(term));
    }
  }

  private void on(Membership.Event event) {
    Membership.Step step = membership.on(event);
    membership = step.next();
    step.effects().forEach(this::perform);
  }

  private void perform(Membership.Effect effect) {
    observer.accept(effect);
    switch (effect) {
      case Membership.Effect.Send(var to, var message) -> network.send(this, to, message);
      case Membership.Effect.AskAll(Term term) ->
          network.send(this, Addresses.ALL_ENGINES, new ToEngine.WhoIsThere(term));
      case Membership.Effect.Changed() -> advance(new ViewPublisher.Event.Changed(time.now()));
      case Membership.Effect.Moved _, Membership.Effect.Rejected _ -> {}
      case Membership.Effect.StepDown _ -> end();
    }
  }

  private void advance(ViewPublisher.Event event) {
    ViewPublisher.Step step = publisher.on(event);
    publisher = step.next();
    step.publish()
        .ifPresent(
            version ->
                network.send(
                    this, Addresses.ALL_FRONTENDS, new ToFrontend.View(membership.view(version))));
  }
}
