package dev.flotilla.coordinator;

import dev.flotilla.balancer.Balancer;
import dev.flotilla.balancer.Client;
import dev.flotilla.balancer.Ledger;
import dev.flotilla.balancer.Query;
import dev.flotilla.config.Balancing;
import dev.flotilla.config.Config;
import dev.flotilla.config.CoordinatorConfig;
import dev.flotilla.config.LoadBalancing;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.StatusJson;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The shell of {@link Membership} and {@link ViewPublisher}: feeds them messages and time, sends
 * what they want sent, logs each move with its reason. Event loop; one leads per cluster, and it
 * stops leading when another claims a higher term. Settings: {@link CoordinatorConfig}.
 */
public final class CoordinatorVerticle extends VerticleBase {
  private static final Logger LOG = LoggerFactory.getLogger(CoordinatorVerticle.class);
  private static final int FIRST_TERM = 1;

  /** Longer prompts than any model takes; keeps scores within what a JSON number holds. */
  private static final int PROMPT_TOKENS_MAX = 100_000_000;

  private final Ledger ledger = new Ledger(new FrontendId("coordinator"));
  private final Balancer balancer = new Balancer(LoadBalancing.FLOTILLA, Client.ALONE, ledger);
  private final List<Bus.Subscription> subscriptions = new ArrayList<>();
  private final List<MessageConsumer<Object>> services = new ArrayList<>();
  private @Nullable Bus bus;
  private @Nullable Membership membership;
  private @Nullable ViewPublisher publisher;
  private final HandOvers handOvers = new HandOvers();
  private ClusterView view = ClusterView.EMPTY;
  private boolean rebalance;
  private long timer = -1;

  /** Made by Vert.x. */
  public CoordinatorVerticle() {}

  @Override
  public Future<?> start() {
    CoordinatorConfig config = Config.parse(config().encode(), CoordinatorConfig.DEFAULT);
    rebalance = config.rebalance() && config.balancing() == Balancing.INTERNAL;
    bus = Bus.of(vertx);
    membership =
        Membership.start(Membership.Limits.of(config, bus.node()), FIRST_TERM, System.nanoTime());
    publisher =
        ViewPublisher.start(
            config.publishMinMs() * 1_000_000,
            config.publishMaxMs() * 1_000_000,
            System.currentTimeMillis(),
            System.nanoTime());
    timer = vertx.setPeriodic(Math.max(1, config.publishMinMs() / 2), ignored -> tick());
    services.add(vertx.eventBus().consumer(Addresses.STATUS, this::status));
    services.add(vertx.eventBus().consumer(Addresses.ROUTE, this::route));
    return subscribe(bus.consume(Addresses.COORDINATOR, this::told))
        .compose(ignored -> subscribe(bus().consume(Addresses.HANDSHAKE, this::told)))
        .compose(ignored -> subscribe(bus().consume(Addresses.ALL_ENGINES, this::overheard)))
        .compose(ignored -> Future.all(services.stream().map(s -> s.completion()).toList()))
        .onSuccess(ignored -> lead(config));
  }

  @Override
  public Future<?> stop() {
    return withdraw();
  }

  private void lead(CoordinatorConfig config) {
    LOG.info(
        "coordinator on node {} awaits {} engines, term {}",
        bus().node(),
        config.dataParallelSize(),
        FIRST_TERM);
    bus().publish(Addresses.ALL_ENGINES, new ToEngine.WhoIsThere(FIRST_TERM));
  }

  private Future<Void> subscribe(Future<Bus.Subscription> registration) {
    return registration.map(
        subscription -> {
          subscriptions.add(subscription);
          return null;
        });
  }

  private Future<?> withdraw() {
    vertx.cancelTimer(timer);
    List<Future<Void>> ends = new ArrayList<>();
    subscriptions.forEach(s -> ends.add(s.unregister()));
    services.forEach(s -> ends.add(s.unregister()));
    subscriptions.clear();
    services.clear();
    return Future.join(ends)
        .onFailure(e -> LOG.warn("coordinator could not leave the bus: {}", e.getMessage()));
  }

  private void told(ToCoordinator message) {
    long now = System.nanoTime();
    step(new Membership.Event.Told(now, message));
    if (rebalance && message instanceof ToCoordinator.Load(var load)) {
      handOvers.on(load, view, now).ifPresent(this::perform);
    }
  }

  private void overheard(ToEngine message) {
    if (message instanceof ToEngine.WhoIsThere(int term)) {
      step(new Membership.Event.Claimed(term));
    }
  }

  private void tick() {
    step(new Membership.Event.Tick(System.nanoTime()));
    advance(new ViewPublisher.Event.Tick(System.nanoTime()));
  }

  private void step(Membership.Event event) {
    Membership.Step step = Objects.requireNonNull(membership).on(event);
    membership = step.next();
    step.effects().forEach(this::perform);
  }

  private void perform(Membership.Effect effect) {
    switch (effect) {
      case Membership.Effect.Send(var to, var message) ->
          bus()
              .send(to, message)
              .onFailure(
                  e ->
                      // The receiver repeats what it needs answered, so nothing is lost for good.
                      LOG.debug("{} not delivered to {}: {}", message, to, e.getMessage()));
      case Membership.Effect.AskAll(int term) ->
          bus().publish(Addresses.ALL_ENGINES, new ToEngine.WhoIsThere(term));
      case Membership.Effect.Changed() ->
          advance(new ViewPublisher.Event.Changed(System.nanoTime()));
      case Membership.Effect.Moved(String sentence) -> LOG.info(sentence);
      case Membership.Effect.Rejected(var incarnation, var why) ->
          LOG.warn("incarnation {} rejected: {}", incarnation, why.sentence());
      case Membership.Effect.StepDown(String reason) -> {
        LOG.error("coordinator on node {} steps down: {}", bus().node(), reason);
        withdraw();
      }
    }
  }

  private void advance(ViewPublisher.Event event) {
    ViewPublisher.Step step = Objects.requireNonNull(publisher).on(event);
    publisher = step.next();
    step.publish().ifPresent(this::publish);
  }

  private void publish(long version) {
    view = Objects.requireNonNull(membership).view(version);
    bus().publish(Addresses.ALL_FRONTENDS, new ToFrontend.View(view));
    vertx.eventBus().publish(Addresses.STATS, json());
  }

  private JsonObject json() {
    return new JsonObject(StatusJson.format(view));
  }

  private void status(Message<Object> request) {
    view = Objects.requireNonNull(membership).view(Objects.requireNonNull(publisher).version());
    request.reply(json());
  }

  private void route(Message<Object> request) {
    if (!(request.body() instanceof JsonObject body)
        || !(body.getValue("prompt_tokens") instanceof Number number)
        || number.doubleValue() != number.intValue()
        || number.intValue() < 0
        || number.intValue() > PROMPT_TOKENS_MAX) {
      request.fail(
          400,
          "route expects {\"prompt_tokens\": n} with n from 0 to %d, not %s"
              .formatted(PROMPT_TOKENS_MAX, request.body()));
      return;
    }
    ClusterView fresh =
        Objects.requireNonNull(membership).view(Objects.requireNonNull(publisher).version());
    long now = System.nanoTime();
    ledger.take(fresh, now);
    balancer
        .choose(fresh, Query.of(number.intValue()), now)
        .ifPresentOrElse(
            choice ->
                request.reply(
                    new JsonObject()
                        .put("rank", choice.engine().rank().value())
                        .put("score", choice.score())),
            () ->
                request.fail(
                    503,
                    "no engine is ready: %d of %d are known"
                        .formatted(fresh.engines().size(), fresh.dataParallelSize())));
  }

  private Bus bus() {
    return Objects.requireNonNull(bus);
  }
}
