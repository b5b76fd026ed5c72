package dev.flotilla.coordinator;

import dev.flotilla.config.Config;
import dev.flotilla.config.EngineConfig;
import dev.flotilla.coordinator.GroupChange.Outcome;
import dev.flotilla.coordinator.GroupChange.Phase;
import dev.flotilla.coordinator.Scaling.Effect;
import dev.flotilla.coordinator.Scaling.Event;
import dev.flotilla.placement.PlacementGroup;
import dev.flotilla.placement.PlacementGroup.Bundle;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.Lease;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** One step of {@link Scaling}: begins as its state, and ends as the next. Lives for one event. */
final class ScalingStep {
  static final long MS = 1_000_000;

  /** An agent reports every second; one that lives has done so by then. */
  static final long GRACE_NANOS = 1_500 * MS;

  /** Four reports are missing. */
  static final long SILENT_NANOS = 4_500 * MS;

  /** Orders of a phase are repeated so often; a lease outlasts several of them. */
  static final long REPEAT_NANOS = 500 * MS;

  private static final long LEASE_MS = 4_000;
  private static final long RESERVE_NANOS = 3_000 * MS;
  private static final long RETIRE_NANOS = 5_000 * MS;
  private static final long SETTLE_NANOS = 3_000 * MS;

  /** A request that was on its way when its rank began to drain has come by then. */
  private static final long IDLE_NANOS = 300 * MS;

  static final long RETRY_NANOS = 1_000 * MS;
  private static final int RETRY_DOUBLINGS = 5;

  final Scaling.Settings settings;
  final long startedNanos;
  final List<Effect> effects = new ArrayList<>();
  Term term;
  int size;
  long settled;
  long highest;
  Agents agents;
  @Nullable GroupChange current;
  List<ClusterView.Engine> engines;
  long retryNanos;
  int failures;

  ScalingStep(Scaling from) {
    settings = from.settings();
    startedNanos = from.startedNanos();
    term = from.term();
    size = from.size();
    settled = from.settled();
    highest = from.highest();
    agents = from.agents();
    current = from.current();
    engines = from.engines();
    retryNanos = from.retryNanos();
    failures = from.failures();
  }

  Scaling next() {
    return new Scaling(
        settings,
        term,
        size,
        settled,
        highest,
        agents,
        current,
        engines,
        startedNanos,
        retryNanos,
        failures);
  }

  List<Effect> effects() {
    return effects;
  }

  void on(Event event) {
    switch (event) {
      case Event.Tick(long now) -> {
        agents = agents.heardSince(now - SILENT_NANOS);
        advance(now);
        if (current == null && now - startedNanos >= GRACE_NANOS) {
          new Upkeep(this).look(now);
        }
      }
      case Event.Told(long now, ToCoordinator.FromAgent message) -> {
        told(now, message);
        advance(now);
      }
      case Event.Left(long now, NodeId node) -> {
        agents = agents.without(node);
        advance(now);
      }
      case Event.Seen(long now, List<ClusterView.Engine> seen) -> {
        engines = seen;
        advance(now);
      }
      case Event.Leads(Term now) -> term = now;
      case Event.Asked asked -> new Wish(this).asked(asked);
    }
  }

  private void told(long now, ToCoordinator.FromAgent message) {
    GroupChange change = current;
    switch (message) {
      case ToCoordinator.NodeReport report -> heard(now, report);
      case ToCoordinator.LeaseRefused(NodeId node, long number, Rank rank, String reason) -> {
        if (change != null && change.number() == number && change.phase() != Phase.SETTLE) {
          fail(change, 503, "node %s refuses rank %s: %s".formatted(node, rank, reason), now);
        }
      }
      case ToCoordinator.EngineEnded(NodeId node, Rank rank, String how) -> {
        if (change != null && starts(change, rank, node)) {
          fail(
              change,
              500,
              "rank %s on node %s %s before it was ready".formatted(rank, node, how),
              now);
        }
      }
    }
  }

  private static boolean starts(GroupChange change, Rank rank, NodeId node) {
    return change.phase() == Phase.START
        && change.groups().stream()
            .anyMatch(g -> g.rank() == rank.value() && g.control().equals(node.value()));
  }

  /** Takes a report; one of a change that is settled without us tells the size. */
  private void heard(long now, ToCoordinator.NodeReport report) {
    agents = agents.with(report, now);
    highest = Math.max(highest, agents.highest());
    if (report.change() <= settled || report.size() == 0) {
      return;
    }
    size = report.size();
    settled = report.change();
    GroupChange change = current;
    if (change != null && change.number() <= report.change()) {
      // Another leader has gone on meanwhile; ours would be ignored by every agent.
      answer(change, new Outcome(503, "another coordinator has changed the group"));
      current = null;
    }
  }

  void begin(GroupChange change, long now) {
    effects.add(new Effect.Moved(change + " begins"));
    highest = Math.max(highest, change.number());
    current = change;
    advance(now);
  }

  private void advance(long now) {
    GroupChange change = current;
    if (change == null) {
      return;
    }
    switch (change.phase()) {
      case RESERVE -> reserve(change, now);
      case START -> start(change, now);
      case DRAIN -> drain(change, now);
      case RETIRE -> retire(change, now);
      case SETTLE -> settle(change, now);
    }
  }

  private void reserve(GroupChange change, long now) {
    boolean all = true;
    for (PlacementGroup group : change.groups()) {
      for (Bundle bundle : group.bundles()) {
        NodeId node = new NodeId(bundle.node());
        if (!agents.has(node)) {
          fail(change, 503, "node %s has gone".formatted(node), now);
          return;
        }
        Lease lease = agents.lease(node, new Rank(group.rank()));
        all &= lease != null && lease.change() == change.number();
      }
    }
    if (all && ripe(change, now)) {
      current = change.in(Phase.START, now);
      advance(now);
    } else if (now - change.since() > RESERVE_NANOS + settings.phaseNanos()) {
      fail(change, 503, "not all nodes have given their devices in time", now);
    } else if (change.due(now, REPEAT_NANOS)) {
      orderReservations(change);
      current = change.toldAt(now);
    }
  }

  private boolean ripe(GroupChange change, long now) {
    return now - change.since() >= settings.phaseNanos();
  }

  private void orderReservations(GroupChange change) {
    for (PlacementGroup group : change.groups()) {
      for (Bundle bundle : group.bundles()) {
        order(
            new NodeId(bundle.node()),
            new ToNode.Reserve(
                term, change.number(), new Rank(group.rank()), bundle.devices(), LEASE_MS));
      }
    }
  }

  private void start(GroupChange change, long now) {
    boolean all = true;
    for (PlacementGroup group : change.groups()) {
      Rank rank = new Rank(group.rank());
      for (Bundle bundle : group.bundles()) {
        Lease lease = agents.lease(new NodeId(bundle.node()), rank);
        if (lease == null || lease.change() != change.number()) {
          fail(change, 503, "node %s has lost rank %s".formatted(bundle.node(), rank), now);
          return;
        }
        all &= !bundle.node().equals(group.control()) || lease.running();
      }
      all &= engines.stream().anyMatch(e -> e.rank().equals(rank) && e.serving());
    }
    if (all && ripe(change, now)) {
      settled(change, change.to(), new Outcome(200, change.done()), now);
    } else if (now - change.since() > settings.startNanos() + settings.phaseNanos()) {
      fail(change, 500, "the new ranks did not become ready in time", now);
    } else if (change.due(now, REPEAT_NANOS)) {
      orderReservations(change); // Which makes the leases last longer.
      orderStarts(change);
      current = change.toldAt(now);
    }
  }

  private void orderStarts(GroupChange change) {
    for (PlacementGroup group : change.groups()) {
      NodeId node = new NodeId(group.control());
      EngineConfig engine =
          settings
              .engine()
              .placed(group.rank(), Math.max(change.to(), size), node.equals(term.node()));
      order(
          node,
          new ToNode.Place(
              term,
              change.number(),
              new Rank(group.rank()),
              Config.format(engine),
              settings.surroundings()));
    }
  }

  private void drain(GroupChange change, long now) {
    RestOfWork rest = RestOfWork.of(engines, change.to());
    boolean over = now - change.since() > change.drainNanos() && ripe(change, now);
    long idleSince = !rest.idle() ? 0 : change.idleSince() == 0 ? now : change.idleSince();
    if (over && !rest.fits()) {
      fail(
          change,
          408,
          "after %d ms the ranks that go have requests of %d blocks left, and the others have room for %d"
              .formatted(change.drainNanos() / MS, rest.blocks(), rest.room()),
          now);
    } else if (over || (rest.idle() && now - idleSince >= IDLE_NANOS && ripe(change, now))) {
      current = change.in(Phase.RETIRE, now);
      advance(now);
    } else if (idleSince != change.idleSince()) {
      current = change.idleAt(idleSince);
    }
  }

  private void retire(GroupChange change, long now) {
    List<Agents.Place> leaving =
        agents.places().stream()
            .filter(p -> p.lease().rank().value() >= change.to() && p.lease().running())
            .toList();
    if ((leaving.isEmpty() || now - change.since() > RETIRE_NANOS) && ripe(change, now)) {
      settled(change, change.to(), new Outcome(200, change.done()), now);
    } else if (change.due(now, REPEAT_NANOS)) {
      leaving.forEach(
          p -> order(p.node(), new ToNode.Retire(term, change.number(), p.lease().rank())));
      current = change.toldAt(now);
    }
  }

  private void fail(GroupChange change, int code, String sentence, long now) {
    effects.add(new Effect.Moved(change + " fails: " + sentence));
    Outcome outcome = new Outcome(code, sentence);
    if (change.phase() == Phase.DRAIN) {
      answer(change, outcome); // No agent has heard of it.
      current = null;
    } else {
      settled(change, size, outcome, now);
    }
  }

  /** The change has its outcome; from now on it is the agents' turn to know. */
  void settled(GroupChange change, int newSize, Outcome outcome, long now) {
    boolean bad = outcome.code() != 200;
    failures = bad ? failures + 1 : 0;
    retryNanos = bad ? now + (RETRY_NANOS << Math.min(failures, RETRY_DOUBLINGS)) : now;
    size = newSize;
    settled = change.number();
    highest = Math.max(highest, settled);
    current = change.ending(outcome, now);
    advance(now);
  }

  private void settle(GroupChange change, long now) {
    boolean all =
        agents.all().values().stream().allMatch(h -> h.report().change() >= change.number());
    if ((all || now - change.since() > SETTLE_NANOS) && ripe(change, now)) {
      Outcome outcome = Objects.requireNonNull(change.outcome());
      effects.add(new Effect.Moved(change + " is settled: " + outcome.sentence()));
      answer(change, outcome);
      current = null;
    } else if (change.due(now, REPEAT_NANOS)) {
      orderSettled();
      current = change.toldAt(now);
    }
  }

  /** Tells those that do not know it what is settled. */
  void orderSettled() {
    Map<NodeId, List<Rank>> keeps = new TreeMap<>();
    agents.all().keySet().forEach(node -> keeps.put(node, new ArrayList<>()));
    kept().forEach(p -> Objects.requireNonNull(keeps.get(p.node())).add(p.lease().rank()));
    keeps.forEach(
        (node, ranks) -> {
          if (Objects.requireNonNull(agents.all().get(node)).report().change() < settled) {
            order(node, new ToNode.Settle(term, settled, size, ranks));
          }
        });
  }

  /** What belongs to the group as settled: of a rank over several nodes, all its bundles. */
  List<Agents.Place> kept() {
    Outcome outcome = current == null ? null : current.outcome();
    // If it went well, its leases count although they are not kept yet.
    long good = outcome != null && outcome.code() != 200 ? Long.MAX_VALUE : settled;
    Map<Rank, Agents.Place> owners = agents.owners(good);
    return agents.places().stream()
        .filter(p -> p.lease().rank().value() < size || settings.reserves(p.lease().rank().value()))
        .filter(
            p -> {
              Agents.Place owner = owners.get(p.lease().rank());
              return owner != null && owner.lease().change() == p.lease().change();
            })
        .toList();
  }

  private void order(NodeId node, ToNode.Order order) {
    effects.add(new Effect.Order(node, order));
  }

  private void answer(GroupChange change, Outcome outcome) {
    Long call = change.call();
    if (call != null) {
      effects.add(new Effect.Answer(call, outcome.code(), outcome.sentence()));
    }
  }
}
