package dev.flotilla.simulation;

import dev.flotilla.config.Candidacy;
import dev.flotilla.coordinator.Leadership;
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

/**
 * The real {@link Leadership}, {@link Membership} and {@link ViewPublisher} on a simulated network.
 * It leads at once, stands by when it hears of a higher term, and leads again when that one falls
 * silent; no cluster manager gives it hints.
 */
final class SimulatedCoordinator extends SimulatedNetwork.Actor {
  private static final long MS = 1_000_000;
  private static final long TICK_MS = 50;
  private static final long CLAIM_MS = 250;
  static final long PUBLISH_MIN_MS = 20;
  private static final long PUBLISH_MAX_MS = 1_000;

  private final VirtualTime time;
  private final SimulatedNetwork network;
  private final Consumer<Membership.Effect> observer;
  private final Membership.Limits limits;
  private final long publishMinMs;
  private Leadership leadership;
  private Membership membership; // The last one while it stands by.
  private ViewPublisher publisher;
  private long claimedNanos;

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
    this.limits = limits;
    this.publishMinMs = publishMinMs;
    leadership = Leadership.start(new NodeId(name), Candidacy.AT_ONCE, time.now());
    membership = Membership.start(limits, Term.NONE, time.now());
    publisher = publisher();
    network.consume(Addresses.COORDINATOR, this);
    network.consume(Addresses.HANDSHAKE, this);
    network.consume(Addresses.COORDINATORS, this);
    network.consume(Addresses.ALL_FRONTENDS, this);
    lead(new Leadership.Event.Tick(time.now()));
    network.plan(this, time.now() + TICK_MS * MS, "tick", this::tick);
  }

  private ViewPublisher publisher() {
    // As in the verticle, versions start at the time of day in milliseconds.
    return ViewPublisher.start(
        publishMinMs * MS, PUBLISH_MAX_MS * MS, 1 + time.now() / MS, time.now());
  }

  Membership membership() {
    return membership;
  }

  boolean leads() {
    return up() && leadership.leading();
  }

  ClusterView view() {
    return membership.view(publisher.version());
  }

  private void tick() {
    lead(new Leadership.Event.Tick(time.now()));
    if (leadership.leading()) {
      on(new Membership.Event.Tick(time.now()));
    }
    if (leadership.leading()) {
      advance(new ViewPublisher.Event.Tick(time.now()));
      if (time.now() - claimedNanos >= CLAIM_MS * MS) {
        claim();
      }
    }
    network.plan(this, time.now() + TICK_MS * MS, "tick", this::tick);
  }

  @Override
  void receive(Object message) {
    switch (message) {
      case ToCoordinator.Leading(Term term, var _) -> {
        lead(new Leadership.Event.Heard(time.now(), term));
        if (leadership.leading()) {
          on(new Membership.Event.Claimed(term));
        }
      }
      case ToFrontend.View(ClusterView view) -> lead(new Leadership.Event.Seen(view.term()));
      case ToCoordinator told when leadership.leading() ->
          on(new Membership.Event.Told(time.now(), told));
      default -> {} // For whoever leads.
    }
  }

  private void lead(Leadership.Event event) {
    Leadership.Step step = leadership.on(event);
    leadership = step.next();
    for (Leadership.Effect effect : step.effects()) {
      if (effect instanceof Leadership.Effect.Lead(Term term, var _)) {
        membership = Membership.start(limits, term, time.now());
        publisher = publisher();
        claim();
        network.send(this, Addresses.ALL_ENGINES, new ToEngine.WhoIsThere(term));
      }
    }
  }

  private void claim() {
    claimedNanos = time.now();
    network.send(
        this,
        Addresses.COORDINATORS,
        new ToCoordinator.Leading(membership.term(), membership.limits().plan()));
  }

  private void on(Membership.Event event) {
    Term before = membership.term();
    Membership.Step step = membership.on(event);
    membership = step.next();
    if (!membership.term().equals(before)) {
      lead(new Leadership.Event.Seen(membership.term()));
      claim();
    }
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
      case Membership.Effect.StepDown _ -> lead(new Leadership.Event.Resigned(time.now()));
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
