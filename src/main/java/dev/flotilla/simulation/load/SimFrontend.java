package dev.flotilla.simulation.load;

import dev.flotilla.balancer.Balancer;
import dev.flotilla.balancer.Query;
import dev.flotilla.frontend.Fleet;
import dev.flotilla.frontend.StreamSteps.Effect;
import dev.flotilla.frontend.StreamSteps.Event;
import dev.flotilla.frontend.StreamSteps.Target;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineAt;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A front-end: the real fleet, ledger, balancer and streams, with what the real shell does between
 * them and the bus.
 */
final class SimFrontend {
  static final NodeId NODE = new NodeId("frontends");

  private final SimFleet world;
  private final FrontendId id;
  private final Fleet fleet;
  private final Set<SimRequest> live = new LinkedHashSet<>();
  private final Set<SimRequest> unplaced = new LinkedHashSet<>();

  SimFrontend(SimFleet world, int index) {
    this.world = world;
    // As many digits for each: the view lists them by name, and each has its place by that.
    id = new FrontendId("frontend-%04d".formatted(index));
    fleet = new Fleet(id, NODE, null, world.settings().policy());
  }

  FrontendId id() {
    return id;
  }

  /** A client's request. */
  void accept(SimRequest request) {
    request.arrivedNanos = world.now();
    live.add(request);
    apply(request, new Event.Accepted(world.now()));
  }

  void report(LoadReport load) {
    fleet.report(load, world.now());
  }

  /** What an engine's prefix cache has gained and lost. */
  void prefixes(ToFrontend.PrefixChange change) {
    fleet.prefixes(change);
  }

  void view(ClusterView newer) {
    long now = world.now();
    for (Incarnation gone : fleet.take(newer, now)) {
      for (SimRequest request : List.copyOf(live)) {
        Target at = request.stream.target();
        if (at != null && at.incarnation().equals(gone)) {
          apply(request, new Event.EngineGone(now, gone));
        }
      }
    }
    for (SimRequest request : List.copyOf(unplaced)) {
      apply(request, new Event.Tick(now, false, false));
    }
    for (ClusterView.Engine stranger : fleet.strangers(now)) {
      world.send(() -> world.engine(stranger.rank().value()).prefixes(this));
    }
  }

  /** What one step of an engine brought. */
  void tokens(EngineAt from, List<ToFrontend.Delta> deltas) {
    for (ToFrontend.Delta delta : deltas) {
      SimRequest request = world.request(delta.request());
      if (delta.attempt() == request.stream.attempt()) {
        request.cachedTokens += delta.cachedTokens();
      }
      apply(
          request,
          new Event.Tokens(
              world.now(),
              from.incarnation(),
              delta.attempt(),
              delta.offset(),
              delta.ids(),
              delta.finish(),
              delta.stopId(),
              List.of(),
              List.of()));
    }
  }

  /** A busy engine offers some of its requests to another. */
  void offered(ToFrontend.Offer offer) {
    Target to = new Target(offer.to().rank(), offer.to().incarnation(), offer.to().epoch());
    boolean serves = fleet.mayTake(offer.to());
    for (ToFrontend.Attempt attempt : offer.requests()) {
      SimRequest request = world.request(attempt.request());
      if (request.ended) {
        abort(offer.from().rank().value(), request, attempt.attempt());
      } else if (serves) {
        apply(
            request,
            new Event.Offered(world.now(), offer.from().incarnation(), attempt.attempt(), to));
      } else {
        decline(offer.from().rank().value(), request, attempt.attempt());
      }
    }
  }

  void refused(ToFrontend.Refusal refusal) {
    apply(
        world.request(refusal.request()),
        new Event.Refused(world.now(), refusal.attempt(), refusal.status(), refusal.reason()));
  }

  private void apply(SimRequest request, Event event) {
    if (request.ended) {
      return;
    }
    for (Effect effect : request.stream.on(event)) {
      perform(request, effect);
    }
    if (request.stream.target() == null) {
      leave(request);
    }
    if (request.ended && live.remove(request)) {
      leave(request);
      unplaced.remove(request);
      if (request.stream.count() > 0) {
        fleet.outputs(request.stream.count());
      }
    }
  }

  private void perform(SimRequest request, Effect effect) {
    switch (effect) {
      case Effect.Choose(Set<Incarnation> failed) -> choose(request, failed);
      case Effect.Submit submit -> submit(request, submit);
      case Effect.Abort(Target at, int attempt) -> abort(at.rank().value(), request, attempt);
      case Effect.Decline(Target at, int attempt) -> decline(at.rank().value(), request, attempt);
      case Effect.Move _ -> world.countMove();
      case Effect.Deliver _ -> {
        request.firstNanos = request.firstNanos == 0 ? world.now() : request.firstNanos;
        request.lastNanos = world.now();
      }
      case Effect.Finish _ -> end(request, request.stream.count() == request.arrival.output());
      case Effect.Fail _ -> end(request, false);
    }
  }

  private void choose(SimRequest request, Set<Incarnation> failed) {
    long now = world.now();
    int tokens = request.arrival.input() + request.stream.count();
    Query query = new Query(tokens, request.chain, failed, null);
    Optional<Balancer.Choice> choice = fleet.choose(query, now);
    if (choice.isEmpty()) {
      unplaced.add(request);
      apply(request, new Event.NoneServing(now));
      return;
    }
    unplaced.remove(request);
    ClusterView.Engine engine = choice.get().engine();
    request.expectedCached = choice.get().cachedTokens();
    apply(
        request,
        new Event.Assigned(now, new Target(engine.rank(), engine.incarnation(), engine.epoch())));
  }

  private void submit(SimRequest request, Effect.Submit submit) {
    Target to = submit.target();
    leave(request);
    int tokens = request.arrival.input() + submit.delivered().size();
    request.sequence = fleet.send(to.incarnation(), tokens, request.expectedCached);
    request.sentTo = to.incarnation();
    ToEngine.Submit message =
        new ToEngine.Submit(
            request.id,
            submit.attempt(),
            to.epoch(),
            request.sequence,
            request.prompt(),
            submit.delivered(),
            Sampling.greedy(request.arrival.output()));
    world.send(() -> world.engine(to.rank().value()).receive(message));
  }

  private void leave(SimRequest request) {
    Incarnation engine = request.sentTo;
    if (engine != null) {
      fleet.left(engine, request.sequence);
      request.sentTo = null;
    }
  }

  private void abort(int rank, SimRequest request, int attempt) {
    world.send(() -> world.engine(rank).abort(request.id, attempt));
  }

  private void decline(int rank, SimRequest request, int attempt) {
    world.send(() -> world.engine(rank).declined(request.id, attempt));
  }

  private void end(SimRequest request, boolean completed) {
    request.ended = true;
    request.completed = completed;
    world.countEnd();
  }
}
