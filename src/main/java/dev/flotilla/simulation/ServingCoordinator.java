package dev.flotilla.simulation;

import dev.flotilla.config.Candidacy;
import dev.flotilla.coordinator.HandOvers;
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
import org.jspecify.annotations.Nullable;

/**
 * A coordinator that leads or stands by: the real leadership, membership, publisher and hand-overs,
 * in the order in which the real shell uses them.
 */
final class ServingCoordinator extends SimulatedNetwork.Actor {
  private static final long MS = 1_000_000;
  private static final long TICK_MS = 50;
  private static final long STANDBY_TICK_MS = 150;
  private static final long CLAIM_MS = 250;
  private static final long PUBLISH_MIN_MS = 40;
  private static final long PUBLISH_MAX_MS = 1_000;

  private final ServingSimulation world;
  private final SimulatedNetwork network;
  private final VirtualTime time;
  private final NodeId node;
  private Leadership leadership;
  private @Nullable Membership membership;
  private @Nullable ViewPublisher publisher;
  private HandOvers handOvers = new HandOvers();
  private ClusterView published = ClusterView.EMPTY;
  private ClusterView last = ClusterView.EMPTY;
  private long claimedAt;

  ServingCoordinator(String name, Candidacy candidacy, ServingSimulation world) {
    super(name);
    this.world = world;
    network = world.network;
    time = world.time;
    node = new NodeId("node-" + name);
    leadership = Leadership.start(node, candidacy, time.now());
    network.consume(Addresses.COORDINATORS, this);
    network.consume(Addresses.coordinator(node), this);
    network.consume(Addresses.ALL_FRONTENDS, this);
    network.consume(Addresses.COORDINATOR, this);
    network.consume(Addresses.HANDSHAKE, this);
    network.plan(this, time.now(), "tick", this::tick);
  }

  NodeId node() {
    return node;
  }

  boolean leads() {
    return membership != null;
  }

  /** Whether it will lead when nobody else does: a successor has to have heard of a leader. */
  boolean mayLead() {
    return leadership.leading()
        || leadership.led() != null
        || leadership.candidacy() != Candidacy.SUCCESSOR;
  }

  private void tick() {
    on(new Leadership.Event.Tick(time.now()));
    if (membership != null) {
      step(new Membership.Event.Tick(time.now()));
      advance(new ViewPublisher.Event.Tick(time.now()));
      if (time.now() - claimedAt >= CLAIM_MS * MS) {
        claim();
      }
    }
    long gap = membership == null ? STANDBY_TICK_MS : TICK_MS;
    network.plan(this, time.now() + gap * MS, "tick", this::tick);
  }

  @Override
  void receive(Object message) {
    long now = time.now();
    switch (message) {
      case ToCoordinator.Leading(Term term, var _) -> {
        on(new Leadership.Event.Heard(now, term));
        step(new Membership.Event.Claimed(term));
      }
      case ToCoordinator.Nodes(var all, var standingBy) ->
          on(new Leadership.Event.Nodes(now, all, standingBy));
      case ToFrontend.View(ClusterView view) -> {
        on(new Leadership.Event.Seen(view.term()));
        last = view.newerThan(last) ? view : last;
      }
      case ToCoordinator told -> {
        step(new Membership.Event.Told(now, told));
        if (membership != null && told instanceof ToCoordinator.Load(var load)) {
          handOvers.on(load, published, now).ifPresent(this::perform);
        }
      }
      default -> {}
    }
  }

  private void on(Leadership.Event event) {
    Leadership.Step step = leadership.on(event);
    leadership = step.next();
    for (Leadership.Effect effect : step.effects()) {
      switch (effect) {
        case Leadership.Effect.Lead(Term term, var _) -> lead(term);
        case Leadership.Effect.Left(NodeId gone) ->
            step(new Membership.Event.Told(time.now(), new ToCoordinator.NodeLeft(gone)));
      }
    }
  }

  private void lead(Term term) {
    world.checks.leads(term);
    handOvers = new HandOvers();
    published = ClusterView.EMPTY;
    membership = Membership.start(world.limits, term, time.now()).after(last, leadership.nodes());
    // As in the verticle, versions start at the time of day in milliseconds.
    publisher =
        ViewPublisher.start(
            PUBLISH_MIN_MS * MS, PUBLISH_MAX_MS * MS, 1 + time.now() / MS, time.now());
    claim();
    network.send(this, Addresses.ALL_ENGINES, new ToEngine.WhoIsThere(term));
  }

  private void claim() {
    Membership leading = membership;
    if (leading != null) {
      claimedAt = time.now();
      on(new Leadership.Event.Seen(leading.term()));
      network.send(
          this,
          Addresses.COORDINATORS,
          new ToCoordinator.Leading(leading.term(), leading.limits().plan()));
    }
  }

  private void step(Membership.Event event) {
    Membership leading = membership;
    if (leading == null) {
      return;
    }
    Membership.Step step = leading.on(event);
    membership = step.next();
    if (!step.next().term().equals(leading.term())) {
      claim();
    }
    step.effects().forEach(this::perform);
  }

  private void perform(Membership.Effect effect) {
    world.checks.coordinated(effect);
    switch (effect) {
      case Membership.Effect.Send(var to, var message) -> network.send(this, to, message);
      case Membership.Effect.AskAll(Term term) ->
          network.send(this, Addresses.ALL_ENGINES, new ToEngine.WhoIsThere(term));
      case Membership.Effect.Changed() -> advance(new ViewPublisher.Event.Changed(time.now()));
      case Membership.Effect.Moved _, Membership.Effect.Rejected _ -> {}
      case Membership.Effect.StepDown _ -> {
        membership = null;
        on(new Leadership.Event.Resigned(time.now()));
      }
    }
  }

  private void advance(ViewPublisher.Event event) {
    Membership leading = membership;
    ViewPublisher publishing = publisher;
    if (leading == null || publishing == null) {
      return;
    }
    ViewPublisher.Step step = publishing.on(event);
    publisher = step.next();
    step.publish()
        .ifPresent(
            version -> {
              published = leading.view(version);
              network.send(this, Addresses.ALL_FRONTENDS, new ToFrontend.View(published));
            });
  }
}
