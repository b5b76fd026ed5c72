package dev.flotilla.engine;

import dev.flotilla.collective.Entrance;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.EngineAt;
import dev.flotilla.protocol.EngineFacts;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * One rank's port, on an event loop beside the worker that steps: owns the rank's bus addresses,
 * performs its {@link EngineLife}, acknowledges receipt at once and reports the load, whether a
 * step is under way or not. All sends of the rank leave from here: a clustered send from a busy
 * worker would wait until the worker rests.
 *
 * <p>Deployed as a child of {@link EngineVerticle}, so that it is stopped first, while the worker
 * can still end what runs.
 */
final class EnginePortVerticle extends VerticleBase {
  private static final Logger LOG = LoggerFactory.getLogger(EnginePortVerticle.class);

  private static final long STATS_MS = 10_000;

  private static final long UNDEPLOY_RETRY_MS = 10;

  /** A step is over by then, or the worker hangs. */
  private static final long STOP_MS = 10_000;

  private final Identity identity;
  private final EngineFacts facts;
  private final Inbox inbox;
  private final Outbox outbox;
  private final LoadGauge gauge;
  private final EngineUtilities utilities;
  private final boolean logStats;
  private final StatsLine statsLine = new StatsLine(System.nanoTime());
  private final String parent;
  private final PrefixFeed prefixFeed = new PrefixFeed();
  private final OwnEpochs epochs = new OwnEpochs();
  private final Promise<Void> ended = Promise.promise();
  private @Nullable Bus bus;
  private @Nullable CoordinatorPort coordinator;
  private @Nullable FrontendPort frontends;
  private @Nullable OfferPort offers;
  private @Nullable EngineCore core;
  private @Nullable GroupPort group; // Null in a rank that steps alone.
  private @Nullable ReportPort reports;
  private @Nullable PrefixPort prefixes;
  private @Nullable PausePort pauses;
  private EngineLife life;
  private boolean taking = true;

  /**
   * A port.
   *
   * @param queueMax most submits between two steps
   * @param logStats whether to log load and throughput each ten seconds
   * @param wakeLoop starts the worker's step loop
   * @param parent undeployed when the engine's life ends
   */
  EnginePortVerticle(
      Identity identity,
      EngineFacts facts,
      int queueMax,
      boolean logStats,
      Runnable wakeLoop,
      String parent) {
    this.identity = identity;
    this.logStats = logStats;
    this.facts = facts;
    this.parent = parent;
    inbox = new Inbox(queueMax, wakeLoop);
    outbox = new Outbox(() -> context.runOnContext(ignored -> look()));
    gauge = new LoadGauge(facts.kvBlocks());
    utilities =
        new EngineUtilities(
            inbox,
            () -> gauge.withTotals(gaugeReport()),
            work -> context.runOnContext(ignored -> work.run()));
    life = EngineLife.start(identity.incarnation(), identity.rank(), identity.handshakeMs(), 0);
  }

  Inbox inbox() {
    return inbox;
  }

  Outbox outbox() {
    return outbox;
  }

  PrefixFeed prefixFeed() {
    return prefixFeed;
  }

  /** The loop that it speaks for; comes before the start. */
  void serve(EngineCore loop) {
    core = loop;
  }

  /** The rank steps together with others, whom it meets there; comes before the start. */
  LockstepLoop.Voice join(Entrance entrance) {
    GroupPort member = new GroupPort(entrance, inbox, () -> life, this::coordinator, () -> context);
    group = member;
    return member;
  }

  @Override
  public Future<?> start() {
    bus = Bus.of(vertx);
    coordinator = new CoordinatorPort(bus, identity);
    frontends = new FrontendPort(bus, identity, () -> life);
    offers = new OfferPort(vertx, bus(), inbox, Objects.requireNonNull(core));
    Pacer.Later later = (ms, action) -> vertx.setTimer(ms, ignored -> action.run());
    ReportPort reporting = new ReportPort(bus(), coordinator(), gauge, this::gaugeReport, later);
    reports = reporting;
    prefixes =
        new PrefixPort(
            bus(),
            identity,
            prefixFeed,
            reporting,
            () -> new PrefixPort.Place(Objects.requireNonNull(life.rank()), life.epoch()),
            new PrefixPort.Loop(inbox, work -> context.runOnContext(ignored -> work.run())),
            later);
    life =
        EngineLife.start(identity.incarnation(), identity.rank(), identity.handshakeMs(), nowMs());
    pauses = new PausePort(vertx, coordinator(), inbox, life);
    return bus()
        .consume(Addresses.candidate(identity.incarnation()), this::receive)
        .compose(ignored -> bus().consume(Addresses.ALL_ENGINES, this::receive))
        .onSuccess(
            ignored -> {
              if (logStats) {
                vertx.setPeriodic(STATS_MS, timer -> whenConnected(statsLine::log));
              }
              Runnable tick = () -> on(new EngineLife.Event.Tick(nowMs()));
              new LifeClockPort(vertx, () -> life, tick).start();
            });
  }

  /** Says goodbye, ends what runs, and waits until that has been said. */
  @Override
  public Future<?> stop() {
    on(new EngineLife.Event.Stop());
    inbox.offer(new Inbox.Command.Stop());
    if (group != null) {
      group.close();
    }
    long timer =
        vertx.setTimer(
            STOP_MS,
            ignored -> {
              LOG.error("{} stops without its last tokens: a step takes too long", name());
              ended.tryComplete();
            });
    return ended.future().onComplete(ignored -> vertx.cancelTimer(timer));
  }

  private void receive(ToEngine message) {
    switch (message) {
      case ToEngine.Submit submit -> submit(submit);
      case ToEngine.Abort(var request, int attempt) -> abort(request, attempt);
      case ToEngine.Init init -> {
        reports().admitted(init);
        on(new EngineLife.Event.Init(init, nowMs()));
      }
      case ToEngine.Welcome welcome -> on(new EngineLife.Event.Welcome(welcome));
      case ToEngine.Refused refused -> on(new EngineLife.Event.Refused(refused));
      case ToEngine.WhoIsThere(var term) -> on(new EngineLife.Event.WhoIsThere(term, nowMs()));
      case ToEngine.Ping(var from, long nonce) -> frontends().pong(from, nonce);
      case ToEngine.Pong(var from, long _) -> on(new EngineLife.Event.Pong(from, nowMs()));
      case ToEngine.PrefixSnapshot(var from) when life.connected() -> prefixes().asked(from);
      case ToEngine.PrefixSnapshot _ -> {} // Asked again in a second.
      case ToEngine.Utility utility ->
          utilities.call(
              utility, !taking, (result, failed) -> frontends().answer(utility, result, failed));
      case ToEngine.HandOver order -> Objects.requireNonNull(offers).order(order, life);
      case ToEngine.GroupOrder order when group != null -> group.ordered(order);
      case ToEngine.GroupOrder _ -> {} // Meant for others: it steps alone.
      case ToEngine.Pacing order -> Objects.requireNonNull(pauses).ordered(order, life);
      case ToEngine.Decline decline -> Objects.requireNonNull(offers).declined(decline);
      case ToEngine.Drain drain -> {
        on(new EngineLife.Event.Drain(drain, nowMs()));
        tellIdle();
      }
    }
  }

  private void submit(ToEngine.Submit submit) {
    FrontendId frontend = submit.request().frontend();
    gauge.received(frontend, submit.sequence());
    if (!taking) {
      refuse(submit, 503, "is draining: it takes nothing new");
    } else if (!epochs.contains(submit.epoch())) {
      refuse(submit, 503, "was never in epoch " + submit.epoch());
    } else if (inbox.offer(new Inbox.Command.Submit(submit, System.nanoTime()))) {
      gauge.queued(Inbox.tokens(submit));
    } else {
      refuse(submit, 429, "has a full inbox; try again later");
    }
    reports().received(frontend);
  }

  private void refuse(ToEngine.Submit submit, int status, String reason) {
    frontends()
        .refuse(
            new Outcome.Refused(
                submit.request(), submit.attempt(), status, "%s %s".formatted(name(), reason)));
  }

  private void abort(RequestId request, int attempt) {
    if (!Objects.requireNonNull(offers).aborted(request, attempt)) {
      LOG.warn("{} has a full inbox and goes on with {}, which was aborted", name(), request);
    }
  }

  /** Takes what the step loop has to say; called once for all of it. */
  private void look() {
    Snapshot latest = outbox.look();
    reports().stepped(gauge.update(latest));
    for (Outcome outcome = outbox.poll(); outcome != null; outcome = outbox.poll()) {
      publish(outcome);
    }
    reports().settled();
    Objects.requireNonNull(pauses).look(latest);
    prefixes().look();
    tellIdle();
  }

  private void publish(Outcome outcome) {
    gauge.update(outcome.snapshot());
    List<Future<?>> sends = new ArrayList<>();
    outcome.refusals().forEach(frontends()::refuse);
    outcome.deltas().forEach((owner, deltas) -> sends.add(sendTokens(owner, deltas)));
    String broken = outcome.broken();
    if (broken != null) {
      on(new EngineLife.Event.Broken(broken));
    }
    if (outcome.last()) {
      Future.join(sends).onComplete(ignored -> ended.tryComplete());
    }
  }

  /** A stream that has lost a delta cannot go on, so that its engine need not either. */
  private Future<Void> sendTokens(FrontendId frontend, List<ToFrontend.Delta> deltas) {
    Rank rank = Objects.requireNonNull(life.rank(), "tokens before a rank");
    EngineAt from = new EngineAt(rank, identity.incarnation(), life.epoch());
    LoadReport load = reports().riding(frontend);
    return bus()
        .send(Addresses.frontend(frontend), new ToFrontend.Tokens(from, load, deltas))
        .onFailure(
            failure -> {
              LOG.info("{} drops the work of {}: {}", name(), frontend, failure.getMessage());
              inbox.offer(new Inbox.Command.AbortFrontend(frontend));
            });
  }

  private void whenConnected(Consumer<LoadReport> take) {
    if (life.connected()) {
      take.accept(gauge.withTotals(gaugeReport()));
    }
  }

  private LoadReport gaugeReport() {
    return gauge.report(
        Objects.requireNonNull(life.rank()),
        identity.incarnation(),
        life.epoch(),
        System.nanoTime());
  }

  private void tellIdle() {
    if (life.stage() == EngineLife.Stage.DRAINING && gauge.idle()) {
      on(new EngineLife.Event.Idle());
    }
  }

  private void on(EngineLife.Event event) {
    EngineLife.Step step = life.on(event);
    if (step.next().stage() != life.stage()) {
      LOG.info("{}: {} to {} by {}", name(), life.stage(), step.next().stage(), event);
    }
    life = step.next();
    if (reports != null) {
      reports.connected(life.connected());
    }
    epochs.add(life.epoch());
    step.effects().forEach(this::perform);
  }

  private void perform(EngineLife.Effect effect) {
    switch (effect) {
      case EngineLife.Effect.SayHello(var rank, var highest, var seen) ->
          coordinator().hello(rank, highest, seen);
      case EngineLife.Effect.Register(var rank) ->
          bus()
              .consume(Addresses.engine(rank, identity.incarnation()), this::receive)
              .onSuccess(ignored -> on(new EngineLife.Event.Registered(nowMs())))
              .onFailure(
                  failure ->
                      on(
                          new EngineLife.Event.Broken(
                              "its address could not be registered: " + failure.getMessage())));
      case EngineLife.Effect.Warm(var frontends) -> frontends.forEach(frontends()::ping);
      case EngineLife.Effect.SayReady(var rank, var epoch) ->
          coordinator().ready(rank, epoch, facts, life.coordinator());
      case EngineLife.Effect.Beat() -> {
        reports().beat();
        Objects.requireNonNull(pauses).beat(life);
      }
      case EngineLife.Effect.TakeNothingNew() -> taking = false;
      case EngineLife.Effect.Leave(var rank, var reason) -> coordinator().leaving(rank, reason);
      case EngineLife.Effect.Undeploy(var reason) -> undeploy(reason);
    }
  }

  private void undeploy(String reason) {
    LOG.atLevel(reason.startsWith("drained") ? Level.INFO : Level.ERROR)
        .log("{} stops: {}", name(), reason);
    undeploy();
  }

  /**
   * Vert.x refuses as long as the parent is being deployed, which this port is a part of, and if
   * another undeploys it already, which ends the timer.
   */
  private void undeploy() {
    vertx
        .undeploy(parent)
        .onFailure(
            failure -> {
              LOG.debug("{} cannot be undeployed yet: {}", name(), failure.getMessage());
              vertx.setTimer(UNDEPLOY_RETRY_MS, timer -> undeploy());
            });
  }

  private FrontendPort frontends() {
    return Objects.requireNonNull(frontends, "start() comes first");
  }

  private CoordinatorPort coordinator() {
    return Objects.requireNonNull(coordinator, "start() comes first");
  }

  private ReportPort reports() {
    return Objects.requireNonNull(reports, "start() comes first");
  }

  private PrefixPort prefixes() {
    return Objects.requireNonNull(prefixes, "start() comes first");
  }

  private Bus bus() {
    return Objects.requireNonNull(bus, "start() comes first");
  }

  private String name() {
    Rank rank = life.rank();
    return "engine %s (epoch %s)".formatted(rank == null ? "without a rank" : rank, life.epoch());
  }

  private static long nowMs() {
    return System.nanoTime() / 1_000_000;
  }
}
