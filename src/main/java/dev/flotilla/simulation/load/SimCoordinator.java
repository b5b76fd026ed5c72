package dev.flotilla.simulation.load;

import dev.flotilla.config.LoadBalancing;
import dev.flotilla.coordinator.HandOvers;
import dev.flotilla.coordinator.Membership;
import dev.flotilla.coordinator.ViewPublisher;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineFacts;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import org.jspecify.annotations.Nullable;

/**
 * The coordinator: the real membership, publisher and hand-overs, in the order in which the real
 * shell uses them. Engines are members before the first request comes; of one that dies it is told
 * when the settings say so, and nobody falls silent.
 */
final class SimCoordinator {
  /** The original's shortest time between two views; the others publish more often. */
  private static final double COUNTS_MS = 100;

  private static final double VIEW_MS = 20;
  private static final double LONGEST_MS = 1_000;
  private static final double MS = 1e6;

  private final SimFleet fleet;
  private final @Nullable HandOvers handOvers;
  private final long gapNanos;
  private Membership membership;
  private @Nullable ViewPublisher publisher; // Null until all are there.
  private ClusterView view = ClusterView.EMPTY;
  private boolean asking; // What one engine says is published with what all others say.

  SimCoordinator(SimFleet fleet) {
    this.fleet = fleet;
    SimSettings settings = fleet.settings();
    handOvers =
        settings.policy() == LoadBalancing.FLOTILLA && settings.rebalance()
            ? new HandOvers()
            : null;
    gapNanos = gapNanos(settings);
    long never = Long.MAX_VALUE;
    membership =
        Membership.start(
            new Membership.Limits(settings.engines(), never, never, 0),
            new Term(1, new NodeId("coordinator")),
            fleet.now());
  }

  private static long gapNanos(SimSettings settings) {
    double ms =
        switch (settings.policy()) {
          case VLLM_CLASSIC, VLLM -> COUNTS_MS;
          case ROUND_ROBIN, LEAST_IN_FLIGHT, FLOTILLA ->
              settings.reportMs() > 0 ? settings.reportMs() : VIEW_MS;
        };
    return (long) (ms * MS);
  }

  /** Everybody is there: all join, and the first view is published. */
  void start() {
    SimSettings.EngineModel model = fleet.settings().engine();
    EngineFacts facts =
        new EngineFacts(
            "simulated",
            "scripted",
            model.kvTokens() / model.blockTokens(),
            model.blockTokens(),
            Integer.MAX_VALUE,
            model.maxNumSeqs(),
            model.maxNumBatchedTokens(),
            "0");
    for (SimEngine engine : fleet.engines()) {
      told(
          new ToCoordinator.Hello(
              engine.incarnation(),
              fleet.rank(engine.rank()),
              node(engine),
              true,
              false,
              "",
              Epoch.NONE));
      told(
          new ToCoordinator.Ready(
              fleet.rank(engine.rank()), engine.incarnation(), engine.epoch(), facts, null));
    }
    for (SimFrontend frontend : fleet.frontends()) {
      hello(frontend.id());
    }
    long longest = Math.max(gapNanos, (long) (LONGEST_MS * MS));
    publisher = ViewPublisher.start(gapNanos, longest, 1, fleet.now());
    tick();
    fleet.frontends().forEach(frontend -> frontend.view(view));
  }

  private void hello(FrontendId frontend) {
    told(new ToCoordinator.FrontendHello(frontend, SimFrontend.NODE, membership.term()));
  }

  private static NodeId node(SimEngine engine) {
    return new NodeId("node-" + engine.rank());
  }

  void report(LoadReport load) {
    told(new ToCoordinator.Load(load));
    HandOvers mover = handOvers;
    if (mover != null) {
      mover.on(load, view, fleet.now()).ifPresent(this::perform);
    }
  }

  /** An engine is gone. */
  void lost(SimEngine engine) {
    told(new ToCoordinator.NodeLeft(node(engine)));
  }

  private void tick() {
    boolean asks = asks();
    if (asks) {
      asking = true;
      for (SimEngine engine : fleet.engines()) {
        if (!engine.dead()) {
          report(engine.report());
        }
      }
      asking = false;
    }
    advance(
        asks
            ? new ViewPublisher.Event.Changed(fleet.now())
            : new ViewPublisher.Event.Tick(fleet.now()));
    if (!fleet.done()) {
      fleet.plan(fleet.now() + (asks ? gapNanos : gapNanos / 2), this::tick);
    }
  }

  /** Whether engines report when asked instead of when there is something to tell. */
  private boolean asks() {
    return fleet.settings().policy() == LoadBalancing.FLOTILLA && fleet.settings().reportMs() > 0;
  }

  private void told(ToCoordinator message) {
    Membership.Step step = membership.on(new Membership.Event.Told(fleet.now(), message));
    membership = step.next();
    step.effects().forEach(this::perform);
  }

  private void perform(Membership.Effect effect) {
    switch (effect) {
      case Membership.Effect.Send(var _, ToEngine.Init init) ->
          fleet.engine(init.rank().value()).admitted(init.epoch());
      case Membership.Effect.Send(var _, ToEngine.HandOver order) -> {
        SimEngine engine = fleet.engine(order.incarnation());
        fleet.send(() -> engine.handOver(order));
      }
      case Membership.Effect.Changed() -> advance(new ViewPublisher.Event.Changed(fleet.now()));
      case Membership.Effect.Send _, Membership.Effect.Moved _ -> {}
      case Membership.Effect.AskAll _, Membership.Effect.Rejected _, Membership.Effect.StepDown _ ->
          throw new IllegalStateException("not in a cluster that has started: " + effect);
    }
  }

  private void advance(ViewPublisher.Event event) {
    ViewPublisher publishing = publisher;
    if (publishing == null || asking) {
      return;
    }
    ViewPublisher.Step step = publishing.on(event);
    publisher = step.next();
    step.publish()
        .ifPresent(
            version -> {
              view = membership.view(version);
              fleet.publish(view);
            });
  }
}
