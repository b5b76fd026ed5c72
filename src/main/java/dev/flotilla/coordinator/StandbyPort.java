package dev.flotilla.coordinator;

import dev.flotilla.config.Candidacy;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.GroupPlan;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToFrontend;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The shell of {@link Leadership}: hears leaders, views and the cluster manager, and tells its
 * owner when to lead. Used on its owner's event loop.
 */
final class StandbyPort {
  private static final long TICK_MS = 50;

  private final Vertx vertx;
  private final Bus bus;
  private final Owner owner;
  private final List<Bus.Subscription> subscriptions = new ArrayList<>();
  private Leadership leadership;
  private ClusterView last = ClusterView.EMPTY;
  private @Nullable GroupPlan plan;
  private long timer = -1;

  /** What it tells. */
  interface Owner {
    /** Lead from now on. */
    void lead(Term term, Inheritance inheritance, String reason);

    /** Another coordinator, or this one, leads. */
    void claimed(Term term);

    /** A node has left the cluster. */
    void left(NodeId node);
  }

  /**
   * What is known of the leadership before.
   *
   * @param plan of the leader before; null: there was none
   * @param last view that was published
   * @param nodes of the cluster; empty: not told
   */
  record Inheritance(@Nullable GroupPlan plan, ClusterView last, List<NodeId> nodes) {}

  StandbyPort(Vertx vertx, Bus bus, Candidacy candidacy, Owner owner) {
    this.vertx = vertx;
    this.bus = bus;
    this.owner = owner;
    leadership = Leadership.start(bus.node(), candidacy, System.nanoTime());
  }

  /** Listens from now on; may tell its owner to lead before it returns. */
  Future<Void> start() {
    return subscribe(bus.consume(Addresses.COORDINATORS, this::told))
        .compose(_ -> subscribe(bus.consume(Addresses.coordinator(bus.node()), this::told)))
        .compose(_ -> subscribe(bus.consume(Addresses.ALL_FRONTENDS, this::overheard)))
        .onSuccess(
            _ -> {
              timer = vertx.setPeriodic(TICK_MS, _ -> tick());
              tick();
            });
  }

  /** Tells those who stand by that this coordinator leads. */
  void publish(Term term, GroupPlan its) {
    on(new Leadership.Event.Seen(term));
    bus.publish(Addresses.COORDINATORS, new ToCoordinator.Leading(term, its));
  }

  /** The owner does not lead any more. */
  void resigned() {
    on(new Leadership.Event.Resigned(System.nanoTime()));
  }

  /** Leaves the bus. */
  Future<?> stop() {
    vertx.cancelTimer(timer);
    return Future.join(subscriptions.stream().map(Bus.Subscription::unregister).toList());
  }

  private Future<Void> subscribe(Future<Bus.Subscription> registration) {
    return registration.map(
        subscription -> {
          subscriptions.add(subscription);
          return null;
        });
  }

  private void told(ToCoordinator message) {
    long now = System.nanoTime();
    if (message instanceof ToCoordinator.Leading(Term term, GroupPlan its)) {
      if (!term.node().equals(bus.node()) && term.compareTo(leadership.highest()) >= 0) {
        plan = its;
      }
      on(new Leadership.Event.Heard(now, term));
      owner.claimed(term);
    } else if (message instanceof ToCoordinator.Nodes(var all, var standingBy)) {
      on(new Leadership.Event.Nodes(now, all, standingBy));
    }
  }

  private void overheard(ToFrontend message) {
    if (message instanceof ToFrontend.View(ClusterView view)) {
      on(new Leadership.Event.Seen(view.term()));
      if (view.newerThan(last)) {
        last = view;
      }
    }
  }

  private void tick() {
    on(new Leadership.Event.Tick(System.nanoTime()));
  }

  private void on(Leadership.Event event) {
    Leadership.Step step = leadership.on(event);
    leadership = step.next();
    for (Leadership.Effect effect : step.effects()) {
      switch (effect) {
        case Leadership.Effect.Lead(Term term, String reason) ->
            owner.lead(term, new Inheritance(plan, last, leadership.nodes()), reason);
        case Leadership.Effect.Left(NodeId node) -> owner.left(node);
      }
    }
  }
}
