package dev.flotilla.simulation.load;

import dev.flotilla.balancer.Ledger;
import dev.flotilla.balancer.Rebalancer;
import dev.flotilla.config.LoadBalancing;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineFacts;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.NodeId;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Publishes the view, and orders hand-overs by the real rebalancer. */
final class SimCoordinator {
  /** The original's shortest time between two views; {@code flotilla} publishes more often. */
  private static final double COUNTS_MS = 100;

  private static final double VIEW_MS = 20;

  private final SimFleet fleet;
  private final Ledger ledger = new Ledger(new FrontendId("coordinator"));
  private final @Nullable Rebalancer rebalancer;
  private final EngineFacts facts;
  private final @Nullable LoadReport[] loads;
  private ClusterView view = ClusterView.EMPTY;
  private long version;

  SimCoordinator(SimFleet fleet) {
    this.fleet = fleet;
    SimSettings settings = fleet.settings();
    SimSettings.EngineModel model = settings.engine();
    facts =
        new EngineFacts(
            "simulated",
            "scripted",
            model.kvTokens() / model.blockTokens(),
            model.blockTokens(),
            Integer.MAX_VALUE,
            model.maxNumSeqs(),
            model.maxNumBatchedTokens(),
            "0");
    loads = new @Nullable LoadReport[settings.engines()];
    rebalancer =
        settings.policy() == LoadBalancing.FLOTILLA && settings.rebalance()
            ? new Rebalancer(ledger, settings.delayMs())
            : null;
  }

  void start() {
    view = current();
    fleet.plan(fleet.now() + periodNanos(), this::publish);
  }

  ClusterView view() {
    return view;
  }

  void report(LoadReport load) {
    loads[load.rank().value()] = load;
    ledger.report(load, fleet.now());
    Rebalancer mover = rebalancer;
    if (mover != null && !fleet.engine(load.rank().value()).dead()) {
      mover
          .look(view, load.rank(), fleet.now())
          .ifPresent(order -> fleet.send(() -> fleet.engine(order.from().value()).handOver(order)));
    }
  }

  /** Publishes now, because an engine is gone. */
  void lost() {
    view = current();
    fleet.publish(view);
  }

  private void publish() {
    if (fleet.settings().policy() == LoadBalancing.FLOTILLA && fleet.settings().reportMs() > 0) {
      for (SimEngine engine : fleet.engines()) {
        if (!engine.dead()) {
          report(engine.report());
        }
      }
    }
    lost();
    if (!fleet.done()) {
      fleet.plan(fleet.now() + periodNanos(), this::publish);
    }
  }

  private long periodNanos() {
    SimSettings settings = fleet.settings();
    double ms =
        switch (settings.policy()) {
          case VLLM_CLASSIC, VLLM -> COUNTS_MS;
          case ROUND_ROBIN, LEAST_IN_FLIGHT, FLOTILLA ->
              settings.reportMs() > 0 ? settings.reportMs() : VIEW_MS;
        };
    return (long) (ms * 1e6);
  }

  private ClusterView current() {
    List<ClusterView.Engine> engines = new ArrayList<>();
    for (SimEngine engine : fleet.engines()) {
      if (!engine.dead() || !fleet.detected(engine.rank())) {
        engines.add(
            new ClusterView.Engine(
                fleet.rank(engine.rank()),
                engine.incarnation(),
                engine.epoch(),
                EngineState.READY,
                new NodeId("node"),
                true,
                false,
                facts,
                loads[engine.rank()]));
      }
    }
    return new ClusterView(1, ++version, fleet.engines().size(), engines);
  }
}
