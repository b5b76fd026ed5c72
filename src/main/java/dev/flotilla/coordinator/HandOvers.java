package dev.flotilla.coordinator;

import dev.flotilla.balancer.HandOver;
import dev.flotilla.balancer.Ledger;
import dev.flotilla.balancer.Rebalancer;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineAt;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Machine;
import dev.flotilla.protocol.ToEngine;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * Looks at each report of a member and orders a busy engine to offer queued requests to an idler
 * one. An order names the receiver's epoch and the report that it was decided on, so that one that
 * comes late, twice or from a coordinator that no longer leads is not obeyed. Used by one thread.
 */
public final class HandOvers implements Machine {
  /** Of one message over a cluster's bus under load, rather more than less. */
  private static final double DELAY_MS = 2;

  private final Ledger ledger = new Ledger(new FrontendId("coordinator"));
  private final Rebalancer rebalancer = new Rebalancer(ledger, DELAY_MS);
  private final Set<Incarnation> known = new HashSet<>();
  private ClusterView view = ClusterView.EMPTY;

  /** Knows nobody. */
  public HandOvers() {}

  /** What to send now that a report has come. */
  public Optional<Membership.Effect.Send> on(LoadReport load, ClusterView current, long nowNanos) {
    adopt(current);
    ClusterView.Engine sender = current.engine(load.rank()).orElse(null);
    if (sender == null
        || !sender.incarnation().equals(load.incarnation())
        || !sender.epoch().equals(load.epoch())
        || !ledger.report(load, nowNanos)) {
      return Optional.empty();
    }
    return rebalancer.look(current, load.rank(), nowNanos).flatMap(this::message);
  }

  private Optional<Membership.Effect.Send> message(HandOver order) {
    ClusterView.Engine from = view.engine(order.from()).orElseThrow();
    ClusterView.Engine to = view.engine(order.to()).orElseThrow();
    long decidedOn = ledger.freshest(from.incarnation()).orElseThrow().sequence();
    return Optional.of(
        new Membership.Effect.Send(
            from.address(),
            new ToEngine.HandOver(
                from.incarnation(),
                from.epoch(),
                decidedOn,
                new EngineAt(to.rank(), to.incarnation(), to.epoch()),
                order.gapMs(),
                order.cost(),
                order.kvRoom(),
                order.slotRoom())));
  }

  @SuppressWarnings("ReferenceEquality") // a view is immutable: the same one needs no second look
  private void adopt(ClusterView current) {
    if (current == view) {
      return;
    }
    view = current;
    Set<Incarnation> present = new HashSet<>();
    current.engines().forEach(engine -> present.add(engine.incarnation()));
    known.stream().filter(engine -> !present.contains(engine)).forEach(ledger::forget);
    known.clear();
    known.addAll(present);
  }
}
