package dev.flotilla.simulation;

import dev.flotilla.balancer.Balancer;
import dev.flotilla.balancer.PrefixChain;
import dev.flotilla.balancer.Query;
import dev.flotilla.frontend.Fleet;
import dev.flotilla.frontend.RequestStream;
import dev.flotilla.frontend.StreamSteps.Effect;
import dev.flotilla.frontend.StreamSteps.Event;
import dev.flotilla.frontend.StreamSteps.Target;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A front-end that serves: the real fleet, ledger, balancer and streams, with what the real shell
 * does between them and the bus.
 */
final class ServingFrontend extends SimulatedNetwork.Actor {
  /**
   * Engines that take any rank may take that of one which was started for it, so that another rank
   * stays empty; a client that wants just that one does not wait for ever.
   */
  private static final long GIVE_UP_NANOS = 20_000_000_000L;

  private static final long MS = 1_000_000;
  private static final long TICK_MS = 100;
  private static final long HELLO_NANOS = 1_000 * MS;

  /** Streams without a sign of life for so long fail. */
  private static final long TIMEOUT_NANOS = 20_000 * MS;

  private final ServingSimulation world;
  private final FrontendId id;
  private final NodeId node;
  private final Fleet fleet;
  private final Map<Long, ServingRequest> live = new LinkedHashMap<>();

  ServingFrontend(String name, ServingSimulation world) {
    super(name);
    this.world = world;
    id = new FrontendId(name);
    node = new NodeId("node-" + name);
    fleet = new Fleet(id, null);
    world.network.consume(Addresses.frontend(id), this);
    world.network.consume(Addresses.ALL_FRONTENDS, this);
    world.network.plan(this, world.time.now(), "hello", this::greet);
    world.network.plan(
        this, world.time.now() + world.random.nextLong(TICK_MS * MS), "tick", this::tick);
  }

  NodeId node() {
    return node;
  }

  FrontendId id() {
    return id;
  }

  Fleet fleet() {
    return fleet;
  }

  Collection<ServingRequest> live() {
    return live.values();
  }

  int streams() {
    return live.size();
  }

  private void greet() {
    hello();
    world.network.plan(this, world.time.now() + HELLO_NANOS, "hello", this::greet);
  }

  private void hello() {
    world.network.send(
        this,
        Addresses.COORDINATOR,
        new ToCoordinator.FrontendHello(id, node, fleet.view().term()));
  }

  /** A client's request; the client waits until the cluster has started. */
  void accept(ServingRequest request) {
    if (request.closed) {
      request.over = true;
      return;
    }
    if (request.only != null && world.time.now() > GIVE_UP_NANOS && !serves(request.only)) {
      request.over = true; // Told 503 again and again: nobody brings that rank.
      request.closed = true;
      return;
    }
    if (!serves(request.only)) {
      world.network.plan(this, world.time.now() + TICK_MS * MS, "request", () -> accept(request));
      return;
    }
    request.stream = new RequestStream(request.maxTokens, TIMEOUT_NANOS);
    live.put(request.id.counter(), request);
    apply(request, new Event.Accepted(world.time.now()));
  }

  private boolean serves(@Nullable Rank only) {
    for (ClusterView.Engine engine : fleet.view().engines()) {
      if (engine.serving() && (only == null || engine.rank().equals(only))) {
        return true;
      }
    }
    return false;
  }

  /** Its client has left. */
  void close(ServingRequest request) {
    request.closed |= request.stream == null;
    if (live.containsKey(request.id.counter())) {
      request.closed = true;
      apply(request, new Event.Closed());
    }
  }

  private void tick() {
    long now = world.time.now();
    lose(fleet.tick(now));
    leave(fleet.stalled(), engine -> new Event.EngineStalled(now, engine));
    for (ServingRequest request : List.copyOf(live.values())) {
      Target at = request.stream().target();
      apply(
          request,
          new Event.Tick(
              now,
              at != null && fleet.acknowledged(at.incarnation(), request.sequence),
              at != null && fleet.idle(at.incarnation(), request.sequence)));
    }
    world.network.plan(this, now + TICK_MS * MS, "tick", this::tick);
  }

  @Override
  void receive(Object message) {
    long now = world.time.now();
    switch ((ToFrontend) message) {
      case ToFrontend.Tokens tokens -> tokens(tokens);
      case ToFrontend.Load load -> {
        world.seams.report(fleet, load.load(), now);
        world.checks.ledger(this);
      }
      case ToFrontend.Refusal refusal ->
          find(refusal.request())
              .ifPresent(
                  request ->
                      apply(
                          request,
                          new Event.Refused(
                              now, refusal.attempt(), refusal.status(), refusal.reason())));
      case ToFrontend.Offer offer -> offered(offer);
      case ToFrontend.View(ClusterView view) -> {
        if (!fleet.view().term().admits(view.term())) {
          hello(); // Its coordinator goes above the term that is followed here.
          return;
        }
        lose(fleet.take(view, now));
        world.checks.viewed(this, fleet.view());
      }
      case ToFrontend.Ping ping ->
          world.network.send(
              this,
              Addresses.engine(ping.rank(), ping.incarnation()),
              new ToEngine.Pong(id, ping.nonce()));
      default -> {}
    }
  }

  private void tokens(ToFrontend.Tokens tokens) {
    long now = world.time.now();
    fleet.spoke(tokens.from().incarnation(), now);
    LoadReport load = tokens.load();
    if (load != null) {
      world.seams.report(fleet, load, now);
    }
    Incarnation from = tokens.from().incarnation();
    for (ToFrontend.Delta delta : tokens.deltas()) {
      Optional<ServingRequest> known = find(delta.request());
      if (delta.finish() == null
          && known.filter(r -> delta.attempt() >= r.stream().attempt()).isEmpty()) {
        send(tokens.from().address(), new ToEngine.Abort(delta.request(), delta.attempt()));
      }
      known.ifPresent(
          request -> {
            request.speaker = new ServingRequest.Speaker(delta.attempt(), from);
            apply(
                request,
                new Event.Tokens(
                    now,
                    from,
                    delta.attempt(),
                    delta.offset(),
                    delta.ids(),
                    delta.finish(),
                    delta.stopId(),
                    List.of(),
                    List.of()));
          });
    }
  }

  private void offered(ToFrontend.Offer offer) {
    boolean known = fleet.mayTake(offer.to());
    for (ToFrontend.Attempt attempt : offer.requests()) {
      ServingRequest request = find(attempt.request()).orElse(null);
      if (request == null) {
        send(offer.from().address(), new ToEngine.Abort(attempt.request(), attempt.attempt()));
      } else if (known && request.only == null) {
        apply(
            request,
            new Event.Offered(
                world.time.now(),
                offer.from().incarnation(),
                attempt.attempt(),
                new Target(offer.to().rank(), offer.to().incarnation(), offer.to().epoch())));
      } else {
        send(offer.from().address(), new ToEngine.Decline(attempt.request(), attempt.attempt()));
      }
    }
  }

  private void lose(Set<Incarnation> gone) {
    leave(gone, engine -> new Event.EngineGone(world.time.now(), engine));
  }

  private void leave(Set<Incarnation> engines, Function<Incarnation, Event> event) {
    for (ServingRequest request : List.copyOf(live.values())) {
      Target at = request.stream().target();
      if (at != null && engines.contains(at.incarnation())) {
        apply(request, event.apply(at.incarnation()));
      }
    }
  }

  private Optional<ServingRequest> find(RequestId request) {
    return request.frontend().equals(id)
        ? Optional.ofNullable(live.get(request.counter()))
        : Optional.empty();
  }

  private void apply(ServingRequest request, Event event) {
    for (Effect effect : world.seams.stream(request.stream(), event)) {
      perform(request, effect);
    }
    if (request.stream().ended()) {
      leave(request);
      live.remove(request.id.counter());
      request.over = true;
      request.overAt = world.time.now();
    } else if (request.stream().target() == null) {
      leave(request);
    }
    world.checks.ledger(this);
  }

  private void perform(ServingRequest request, Effect effect) {
    switch (effect) {
      case Effect.Choose(Set<Incarnation> failed) -> choose(request, failed);
      case Effect.Submit submit -> submit(request, submit);
      case Effect.Abort(Target at, int attempt) ->
          send(
              Addresses.engine(at.rank(), at.incarnation()),
              new ToEngine.Abort(request.id, attempt));
      case Effect.Decline(Target at, int attempt) ->
          send(
              Addresses.engine(at.rank(), at.incarnation()),
              new ToEngine.Decline(request.id, attempt));
      case Effect.Move(Target _, Target to) -> world.checks.moved(request, to);
      case Effect.Deliver deliver -> world.checks.delivered(request, deliver.ids());
      case Effect.Finish _ -> world.checks.finished(request);
      case Effect.Fail(int status, String sentence) ->
          world.checks.failed(request, status, sentence);
    }
  }

  private void choose(ServingRequest request, Set<Incarnation> failed) {
    long now = world.time.now();
    int tokens = request.prompt.size() + request.stream().count();
    Query query = new Query(tokens, PrefixChain.NONE, failed, request.only);
    Optional<ClusterView.Engine> engine = fleet.choose(query, now).map(Balancer.Choice::engine);
    apply(
        request,
        engine.isPresent()
            ? new Event.Assigned(
                now,
                new Target(engine.get().rank(), engine.get().incarnation(), engine.get().epoch()))
            : new Event.NoneServing(now));
  }

  private void submit(ServingRequest request, Effect.Submit submit) {
    Target to = submit.target();
    int tokens = request.prompt.size() + submit.delivered().size();
    leave(request);
    request.sequence = fleet.send(to.incarnation(), tokens, 0);
    request.sentTo = to.incarnation();
    request.sentTokens = tokens;
    world.checks.submitted(request, submit);
    world.network.send(
        this,
        Addresses.engine(to.rank(), to.incarnation()),
        new ToEngine.Submit(
            request.id,
            submit.attempt(),
            to.epoch(),
            request.sequence,
            request.prompt,
            submit.delivered(),
            Sampling.greedy(request.maxTokens)),
        () ->
            apply(
                request,
                new Event.SendFailed(world.time.now(), submit.attempt(), "nobody is there")));
  }

  private void leave(ServingRequest request) {
    Incarnation engine = request.sentTo;
    if (engine != null) {
      fleet.left(engine, request.sequence);
      request.sentTo = null;
    }
  }

  private void send(dev.flotilla.protocol.Address<ToEngine> to, ToEngine message) {
    world.network.send(this, to, message);
  }
}
