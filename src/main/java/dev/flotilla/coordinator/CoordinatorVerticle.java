package dev.flotilla.coordinator;

import dev.flotilla.config.Balancing;
import dev.flotilla.config.Config;
import dev.flotilla.config.CoordinatorConfig;
import dev.flotilla.config.LoadBalancing;
import dev.flotilla.config.PlacingConfig;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.GroupPlan;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.StatusJson;
import dev.flotilla.protocol.Term;
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
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The shell of {@link Membership} and {@link ViewPublisher}: feeds them messages and time, sends
 * what they want sent, logs each move with its reason. Event loop; one leads per cluster, the
 * others stand by ({@link Leadership}), and one that hears of a higher term stands by again.
 * Settings: {@link CoordinatorConfig}.
 */
public final class CoordinatorVerticle extends VerticleBase {
  private static final Logger LOG = LoggerFactory.getLogger(CoordinatorVerticle.class);

  /** How often those who stand by are told that this one leads. */
  private static final long CLAIM_MS = 250;

  private final FrontendId self = new FrontendId("coordinator-" + UUID.randomUUID());
  private @Nullable Chooser chooser;
  private final List<Bus.Subscription> subscriptions = new ArrayList<>();
  private final List<MessageConsumer<Object>> services = new ArrayList<>();
  private @Nullable Bus bus;
  private @Nullable StandbyPort standby;
  private @Nullable CoordinatorConfig config;
  private @Nullable Membership membership; // Null while standing by.
  private @Nullable ViewPublisher publisher;
  private @Nullable HandOvers handOvers; // Null where nothing moves.
  private @Nullable ScalingPort scaling; // As long as it leads.
  private WavePort waves = WavePort.NONE; // Without effect where ranks step alone.
  private @Nullable PausingPort pausing; // As long as it leads.
  private ClusterView view = ClusterView.EMPTY;
  private Future<Void> registered = Future.succeededFuture();
  private StepSnapshot snapshot = StepSnapshot.NONE;
  private boolean stepwise; // Counts are published as of one step of all ranks.
  private boolean changed;
  private final Pace pace = new Pace();
  private long timer = -1;
  private long claimTimer = -1;

  /** Made by Vert.x. */
  public CoordinatorVerticle() {}

  @Override
  public Future<?> start() {
    CoordinatorConfig settings = Config.parse(config().encode(), CoordinatorConfig.DEFAULT);
    config = settings;
    bus = Bus.of(vertx);
    standby = new StandbyPort(vertx, bus, settings.candidacy(), new Succeeding());
    return standby().start().compose(ignored -> registered);
  }

  @Override
  public Future<?> stop() {
    return Future.join(withdraw(), standby().stop());
  }

  /** What those who stand by hear. */
  private final class Succeeding implements StandbyPort.Owner {
    @Override
    public void lead(Term term, StandbyPort.Inheritance inheritance, String reason) {
      LOG.info("this node's coordinator leads term {}: {}", term, reason);
      registered = CoordinatorVerticle.this.lead(term, inheritance);
    }

    @Override
    public void claimed(Term term) {
      if (membership != null) {
        step(new Membership.Event.Claimed(term));
      }
    }

    @Override
    public void left(NodeId node) {
      told(new ToCoordinator.NodeLeft(node));
    }
  }

  private Future<Void> lead(Term term, StandbyPort.Inheritance inheritance) {
    long now = System.nanoTime();
    CoordinatorConfig own = Objects.requireNonNull(config);
    GroupPlan plan = inheritance.plan();
    Membership.Limits limits = Membership.Limits.of(own, bus().node()).with(plan, bus().node());
    CoordinatorConfig settings = plan == null ? own : own.under(plan.policy());
    stepwise = settings.policy().bySnapshots() && limits.expected().lockstep();
    snapshot = StepSnapshot.NONE;
    chooser = new Chooser(settings.policy(), self);
    boolean moves = limits.expected().balancing() == Balancing.INTERNAL;
    handOvers = moves && settings.policy() == LoadBalancing.FLOTILLA ? new HandOvers() : null;
    membership = Membership.start(limits, term, now).after(inheritance.last(), inheritance.nodes());
    publisher =
        ViewPublisher.start(
            settings.publishMinMs() * 1_000_000,
            settings.publishMaxMs() * 1_000_000,
            System.currentTimeMillis(),
            now);
    ScalingPort growth =
        new ScalingPort(
            bus(),
            inheritance.plan() == null
                ? settings.placing()
                : Config.parse(inheritance.plan().placing(), PlacingConfig.DEFAULT),
            limits.dataParallelSize(),
            term,
            settings.publishMinMs(),
            this::admit);
    scaling = growth;
    waves = WavePort.of(bus(), limits, settings, term);
    services.addAll(growth.serve(vertx));
    PausingPort pauses = new PausingPort(bus(), term, inheritance.last(), this::changed);
    pausing = pauses;
    services.addAll(pauses.serve(vertx));
    timer = vertx.setPeriodic(Math.max(1, settings.publishMinMs() / 2), ignored -> tick());
    claimTimer = vertx.setPeriodic(CLAIM_MS, ignored -> claim());
    claim();
    services.add(vertx.eventBus().consumer(Addresses.STATUS, this::status));
    RoutePort route = new RoutePort(() -> membership == null ? null : fresh(), chooser());
    services.add(vertx.eventBus().consumer(Addresses.ROUTE, route::asked));
    return subscribe(bus().consume(Addresses.COORDINATOR, this::told))
        .compose(ignored -> subscribe(bus().consume(Addresses.HANDSHAKE, this::told)))
        .compose(ignored -> subscribe(bus().consume(Addresses.frontend(self), this::followed)))
        .compose(ignored -> Future.all(services.stream().map(s -> s.completion()).toList()))
        .onFailure(e -> LOG.error("term {} cannot be led: {}", term, e.getMessage()))
        .onSuccess(ignored -> ask(limits))
        .mapEmpty();
  }

  /** Only now can everybody answer. */
  private void ask(Membership.Limits limits) {
    if (membership != null) {
      LOG.info(
          "coordinator awaits {} engines, term {}", limits.dataParallelSize(), membership.term());
      bus().publish(Addresses.ALL_ENGINES, new ToEngine.WhoIsThere(membership.term()));
    }
  }

  private void claim() {
    if (membership != null) {
      GroupPlan plan = membership.limits().plan();
      standby().publish(membership.term(), scaling == null ? plan : scaling.plan(plan));
    }
  }

  private Future<Void> subscribe(Future<Bus.Subscription> registration) {
    Term leading = Objects.requireNonNull(membership).term();
    return registration.compose(
        subscription -> {
          if (membership == null || membership.term().compareTo(leading) < 0) {
            return subscription.unregister(); // It has stepped down meanwhile.
          }
          subscriptions.add(subscription);
          return Future.succeededFuture();
        });
  }

  private Future<?> withdraw() {
    vertx.cancelTimer(timer);
    vertx.cancelTimer(claimTimer);
    membership = null;
    waves = WavePort.NONE;
    if (scaling != null) {
      scaling.stop();
      scaling = null;
    }
    if (pausing != null) {
      pausing.stop();
      pausing = null;
    }
    List<Future<Void>> ends = new ArrayList<>();
    subscriptions.forEach(s -> ends.add(s.unregister()));
    services.forEach(s -> ends.add(s.unregister()));
    subscriptions.clear();
    services.clear();
    return Future.join(ends)
        .onFailure(e -> LOG.warn("coordinator could not leave the bus: {}", e.getMessage()));
  }

  private void told(ToCoordinator message) {
    if (membership == null) {
      return; // It came late, for the leader that this one was.
    }
    if (message instanceof ToCoordinator.Choose question) {
      choose(question);
      return;
    }
    long now = System.nanoTime();
    if (message instanceof ToCoordinator.Load(var load)) {
      chooser().report(load, now);
      if (stepwise) {
        snapshot = snapshot.reported(load, fresh().engines());
      }
    } else {
      pace.stir();
    }
    step(new Membership.Event.Told(now, message));
    waves.told(message, membership, now);
    boolean moves = pausing == null || !pausing.paused();
    if (moves && message instanceof ToCoordinator.Load(var load) && handOvers != null) {
      handOvers.on(load, view, now).ifPresent(this::perform);
    }
    if (scaling != null && pausing != null) {
      scaling.told(message, this::fresh);
      pausing.told(message);
    }
  }

  /** Engines count the coordinator among those that follow them, once it has asked. */
  private void followed(ToFrontend message) {
    if (message instanceof ToFrontend.PrefixChange change) {
      chooser().prefixes(change);
    }
  }

  private void choose(ToCoordinator.Choose question) {
    ToFrontend.Chosen chosen = chooser().choose(fresh(), question, System.nanoTime());
    bus()
        .send(Addresses.frontend(question.from()), chosen)
        .onFailure(e -> LOG.debug("{} is gone: {}", question.from(), e.getMessage()));
    follow();
  }

  private void follow() {
    for (ClusterView.Engine engine : chooser().strangers(view, System.nanoTime())) {
      bus()
          .send(engine.address(), new ToEngine.PrefixSnapshot(self))
          .onFailure(e -> LOG.debug("engine {} was not asked: {}", engine.rank(), e.getMessage()));
    }
  }

  /** The newest that is known, published or not. */
  private ClusterView fresh() {
    return shown(Objects.requireNonNull(publisher).version());
  }

  private ClusterView shown(long version) {
    ClusterView all = Objects.requireNonNull(membership).view(version);
    return scaling == null || pausing == null ? all : pausing.shown(scaling.shown(all));
  }

  /** Time and the engines' states move a change of the group, and that the members. */
  private void scaled() {
    if (membership == null || scaling == null || pausing == null) {
      return;
    }
    ClusterView all = membership.view(0);
    if (scaling.tick(all)) {
      pace.stir();
      advance(new ViewPublisher.Event.Changed(System.nanoTime()));
    }
    waves.tick(membership);
    pausing.tick(all);
  }

  private void admit(int ranks) {
    if (membership != null && ranks != membership.limits().dataParallelSize()) {
      pace.stir();
      step(new Membership.Event.Resized(ranks));
    }
  }

  private Chooser chooser() {
    return Objects.requireNonNull(chooser);
  }

  private void tick() {
    step(new Membership.Event.Tick(System.nanoTime()));
    if (changed) {
      changed = false;
      advance(new ViewPublisher.Event.Changed(System.nanoTime()));
    }
    long now = System.nanoTime();
    if (pace.due(now)) {
      scaled();
    }
    advance(new ViewPublisher.Event.Tick(now));
  }

  private void step(Membership.Event event) {
    if (membership == null) {
      return; // A message for the leader that this one was.
    }
    Term before = membership.term();
    Membership.Step step = membership.on(event);
    membership = step.next();
    if (!membership.term().equals(before)) {
      if (scaling != null && pausing != null) {
        scaling.leads(membership.term());
        waves.leads(membership.term());
        pausing.leads(membership.term());
      }
      claim();
    }
    step.effects().forEach(this::perform);
  }

  private void perform(Membership.Effect effect) {
    pace.stir();
    switch (effect) {
      case Membership.Effect.Send(var to, var message) ->
          bus()
              .send(to, waves.informed(message))
              .onFailure(
                  e ->
                      // The receiver repeats what it needs answered, so nothing is lost for good.
                      LOG.debug("{} not delivered to {}: {}", message, to, e.getMessage()));
      case Membership.Effect.AskAll(Term term) ->
          bus().publish(Addresses.ALL_ENGINES, new ToEngine.WhoIsThere(term));
      case Membership.Effect.Changed() -> changed();
      case Membership.Effect.Moved(String sentence) -> LOG.info(sentence);
      case Membership.Effect.Rejected(var incarnation, var why) ->
          LOG.warn("incarnation {} rejected: {}", incarnation, why.sentence());
      case Membership.Effect.StepDown(String reason) -> {
        LOG.warn("coordinator on node {} stands by again: {}", bus().node(), reason);
        withdraw();
        standby().resigned();
      }
    }
  }

  private void changed() {
    if (stepwise) {
      changed = true; // Until the next tick the other ranks may report the same step.
    } else {
      advance(new ViewPublisher.Event.Changed(System.nanoTime()));
    }
  }

  private void advance(ViewPublisher.Event event) {
    if (membership == null) {
      return;
    }
    ViewPublisher.Step step = Objects.requireNonNull(publisher).on(event);
    publisher = step.next();
    step.publish().ifPresent(this::publish);
  }

  private void publish(long version) {
    view = shown(version);
    if (stepwise) {
      StepSnapshot.Published published = snapshot.published(view.engines());
      snapshot = published.next();
      view = view.withEngines(published.engines());
      changed |= published.more();
    }
    chooser().published(view, System.nanoTime());
    follow();
    bus().publish(Addresses.ALL_FRONTENDS, new ToFrontend.View(view));
    vertx.eventBus().publish(Addresses.STATS, json());
  }

  private JsonObject json() {
    return waves.shownIn(new JsonObject(StatusJson.format(view)));
  }

  private void status(Message<Object> request) {
    if (membership == null) {
      request.fail(503, "this node's coordinator does not lead any more; ask again");
      return;
    }
    view = fresh();
    request.reply(json());
  }

  private StandbyPort standby() {
    return Objects.requireNonNull(standby);
  }

  private Bus bus() {
    return Objects.requireNonNull(bus);
  }
}
