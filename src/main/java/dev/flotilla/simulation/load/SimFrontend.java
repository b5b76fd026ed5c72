package dev.flotilla.simulation.load;

import dev.flotilla.balancer.Balancer;
import dev.flotilla.balancer.Client;
import dev.flotilla.balancer.Ledger;
import dev.flotilla.balancer.PrefixIndex;
import dev.flotilla.balancer.Query;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.PrefixHash;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.protocol.TokenIds;
import dev.flotilla.scheduler.PrefixEvent;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Accepts requests, chooses engines by the real balancer, and owns the streams. */
final class SimFrontend {
  private final SimFleet fleet;
  private final FrontendId id;
  private final Ledger ledger;
  private final Balancer balancer;
  private final Set<SimRequest> live = new LinkedHashSet<>();
  private final Deque<SimRequest> unplaced = new ArrayDeque<>();
  private ClusterView view;

  SimFrontend(SimFleet fleet, int index, ClusterView view) {
    this.fleet = fleet;
    this.view = view;
    id = new FrontendId("frontend-" + index);
    ledger = new Ledger(id);
    SimSettings settings = fleet.settings();
    balancer = new Balancer(settings.policy(), new Client(index, settings.frontends()), ledger);
  }

  FrontendId id() {
    return id;
  }

  /** A client's request. */
  void accept(SimRequest request) {
    request.arrivedNanos = fleet.now();
    live.add(request);
    place(request);
  }

  private void place(SimRequest request) {
    int tokens = request.arrival.input() + request.delivered;
    Query query = new Query(tokens, request.chain, Set.of(), null);
    Optional<Balancer.Choice> choice = balancer.choose(view, query, fleet.now());
    if (choice.isEmpty()) {
      request.rank = SimRequest.NOWHERE;
      unplaced.add(request);
      return;
    }
    ClusterView.Engine engine = choice.get().engine();
    request.rank = engine.rank().value();
    long number = ledger.send(engine.incarnation(), tokens, choice.get().cachedTokens());
    ToEngine.Submit submit =
        new ToEngine.Submit(
            request.id,
            request.attempt,
            engine.epoch(),
            number,
            request.prompt(),
            TokenIds.of(new int[request.delivered]),
            Sampling.greedy(request.arrival.output()));
    fleet.send(() -> fleet.engine(engine.rank().value()).receive(submit));
  }

  void report(LoadReport load) {
    ledger.report(load, fleet.now());
  }

  /** What an engine's prefix cache has gained and lost. */
  void prefixes(Incarnation engine, List<PrefixEvent> events) {
    PrefixIndex index = balancer.prefixes();
    for (PrefixEvent event : events) {
      PrefixHash hash = event.hash();
      if (hash == null) {
        index.cleared(engine, event.number());
      } else if (event.kind() == PrefixEvent.Kind.ADDED) {
        index.added(engine, event.number(), hash.low());
      } else {
        index.evicted(engine, event.number(), hash.low());
      }
    }
  }

  void view(ClusterView newer) {
    view = newer;
    ledger.take(newer, fleet.now());
    if (!fleet.anyDetected() && unplaced.isEmpty()) {
      return;
    }
    List<SimRequest> again = new ArrayList<>();
    for (SimRequest request : live) {
      if (request.rank != SimRequest.NOWHERE && fleet.detected(request.rank)) {
        again.add(request);
      }
    }
    for (SimRequest request : again) {
      request.attempt++;
      place(request);
    }
    for (int i = unplaced.size(); i > 0; i--) {
      place(unplaced.remove());
    }
  }

  /** What one step of an engine brought. */
  void tokens(int rank, List<ToFrontend.Delta> deltas) {
    long now = fleet.now();
    for (ToFrontend.Delta delta : deltas) {
      SimRequest request = fleet.request(delta.request());
      if (request.ended || delta.attempt() != request.attempt || rank != request.rank) {
        continue;
      }
      if (delta.offset() != request.delivered) {
        throw new IllegalStateException(
            "%s got token %d, but %d comes next"
                .formatted(request.id, delta.offset(), request.delivered));
      }
      if (request.delivered == 0) {
        request.firstNanos = now;
      }
      request.cachedTokens += delta.cachedTokens();
      request.delivered += delta.ids().size();
      request.lastNanos = now;
      if (delta.finish() != null) {
        end(request, request.delivered == request.arrival.output());
      }
    }
  }

  /** An engine has handed a request over; from now on the other's tokens count. */
  void moved(SimRequest request, int attempt, int rank) {
    if (!request.ended && attempt > request.attempt) {
      ledger.ended(fleet.engine(request.rank).incarnation());
      request.attempt = attempt;
      request.rank = rank;
      fleet.countMove();
      if (fleet.detected(rank)) {
        request.attempt++;
        place(request);
      }
    }
  }

  void refused(SimRequest request, int attempt) {
    if (!request.ended && attempt == request.attempt) {
      end(request, false);
    }
  }

  private void end(SimRequest request, boolean completed) {
    request.ended = true;
    request.completed = completed;
    live.remove(request);
    ledger.ended(fleet.engine(request.rank).incarnation());
    ledger.outputs(request.delivered);
    fleet.countEnd();
  }
}
