package dev.flotilla.simulation.load;

import dev.flotilla.balancer.HandOver;
import dev.flotilla.config.LoadBalancing;
import dev.flotilla.engine.StepMeter;
import dev.flotilla.executor.scripted.ScriptedExecutor;
import dev.flotilla.model.Batch;
import dev.flotilla.model.StepResult;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.protocol.TokenIds;
import dev.flotilla.scheduler.Admission;
import dev.flotilla.scheduler.Backlog;
import dev.flotilla.scheduler.Counters;
import dev.flotilla.scheduler.PrefixEvent;
import dev.flotilla.scheduler.Scheduler;
import dev.flotilla.scheduler.SchedulerLimits;
import dev.flotilla.scheduler.Unstarted;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One rank: the real scheduler and meter, with steps that take what the cost model says. */
final class SimEngine {
  private static final StepResult.Item DRAWN = new StepResult.Item(7, null, List.of());
  private static final StepResult.Item NOT_DRAWN = new StepResult.Item(-1, null, List.of());

  private final SimFleet fleet;
  private final int rank;
  private final Incarnation incarnation;
  private final Epoch epoch;
  private final int blocks;
  private final double factor;
  private final Scheduler scheduler;
  private final StepMeter meter = new StepMeter();
  private final Map<FrontendId, Long> received = new LinkedHashMap<>();
  private @Nullable List<LoadReport.Ack> acks;
  private @Nullable Batch flight;
  private boolean dead;
  private long sequence;
  private long steps;
  private long toldEvents;
  private long startedNanos;
  private long ownNanos;

  SimEngine(SimFleet fleet, int rank) {
    this.fleet = fleet;
    this.rank = rank;
    incarnation = new Incarnation("engine-" + rank);
    epoch = new Epoch(1, rank + 1);
    SimSettings settings = fleet.settings();
    factor = settings.factor(rank);
    SimSettings.EngineModel model = settings.engine();
    blocks = model.kvTokens() / model.blockTokens();
    scheduler =
        new Scheduler(
            new SchedulerLimits(
                    model.maxNumSeqs(),
                    model.maxNumBatchedTokens(),
                    Integer.MAX_VALUE,
                    Integer.MAX_VALUE,
                    blocks,
                    model.blockTokens(),
                    TokenIds.EMPTY)
                .withPrefixCaching(model.prefixCaching()));
  }

  int rank() {
    return rank;
  }

  Incarnation incarnation() {
    return incarnation;
  }

  Epoch epoch() {
    return epoch;
  }

  boolean dead() {
    return dead;
  }

  void die() {
    dead = true;
    flight = null;
  }

  Counters counters() {
    return scheduler.counters();
  }

  boolean idle() {
    return scheduler.idle();
  }

  /** Work from a front-end, or from another engine: then its number is 0. */
  void receive(ToEngine.Submit submit) {
    if (dead) {
      return;
    }
    FrontendId frontend = submit.request().frontend();
    if (submit.sequence() > received.getOrDefault(frontend, 0L)) {
      received.put(frontend, submit.sequence());
      acks = null;
    }
    if (scheduler.submit(submit) instanceof Admission.Refused) {
      SimRequest request = fleet.request(submit.request());
      fleet.send(() -> request.frontend.refused(request, submit.attempt()));
    }
    fleet.reporter(rank).received(frontend);
    fleet.wake(this);
  }

  /** Schedules the next step; gives what it will take, in nanoseconds. */
  long begin() {
    Batch batch = scheduler.schedule();
    flight = batch;
    fleet.reporter(rank).boundary();
    meter.start(batch, fleet.now());
    fleet.reporter(rank).stepping();
    double ms = ScriptedExecutor.stepMs(fleet.settings().engine().cost(), batch);
    ownNanos = Math.round(ms * factor * 1e6);
    startedNanos = fleet.now();
    return ownNanos;
  }

  /** The step is over. */
  void end() {
    Batch batch = flight;
    if (dead || batch == null) {
      return;
    }
    flight = null;
    steps++;
    List<StepResult.Item> drawn = new ArrayList<>(batch.items().size());
    for (int i = 0; i < batch.items().size(); i++) {
      drawn.add(batch.items().get(i).sampling() == null ? NOT_DRAWN : DRAWN);
    }
    List<ToFrontend.Delta> deltas = scheduler.update(batch, new StepResult(drawn));
    meter.end(fleet.now(), fleet.now() - startedNanos - ownNanos);
    tellPrefixes();
    fleet.reporter(rank).stepped();
    deliver(deltas);
  }

  private void tellPrefixes() {
    List<PrefixEvent> events = scheduler.prefixEvents(toldEvents);
    if (!events.isEmpty()) {
      toldEvents = events.getLast().number();
      if (fleet.settings().policy() == LoadBalancing.FLOTILLA) {
        fleet.send(() -> fleet.frontends().forEach(f -> f.prefixes(incarnation, events)));
      }
    }
  }

  private void deliver(List<ToFrontend.Delta> deltas) {
    if (deltas.isEmpty()) {
      return;
    }
    Map<SimFrontend, List<ToFrontend.Delta>> perFrontend = new LinkedHashMap<>();
    for (ToFrontend.Delta delta : deltas) {
      SimFrontend owner = fleet.request(delta.request()).frontend;
      perFrontend.computeIfAbsent(owner, ignored -> new ArrayList<>()).add(delta);
    }
    perFrontend.forEach((owner, its) -> fleet.send(() -> owner.tokens(rank, its)));
  }

  /** Hands over what is worth it. */
  void handOver(HandOver order) {
    if (dead) {
      return;
    }
    List<Unstarted> tail = Unstarted.of(scheduler);
    List<HandOver.Movable> movable = new ArrayList<>(tail.size());
    for (Unstarted request : tail) {
      ToEngine.Submit submit = request.submit();
      movable.add(
          new HandOver.Movable(
              submit.prompt().size() + submit.delivered().size(),
              request.cachedTokens(),
              submit.attempt()));
    }
    for (int index : order.pick(movable, meter.cost()).reversed()) {
      move(tail.get(index).submit(), order);
    }
    fleet.reporter(rank).moved();
  }

  private void move(ToEngine.Submit submit, HandOver order) {
    scheduler.abort(submit.request(), submit.attempt());
    int attempt = submit.attempt() + 1;
    SimRequest request = fleet.request(submit.request());
    SimEngine other = fleet.engine(order.to().value());
    ToEngine.Submit again =
        new ToEngine.Submit(
            submit.request(),
            attempt,
            other.epoch,
            0,
            submit.prompt(),
            submit.delivered(),
            submit.sampling());
    fleet.send(() -> request.frontend.moved(request, attempt, other.rank));
    fleet.send(() -> other.receive(again));
  }

  /** The load now, under the next number. */
  LoadReport report() {
    Counters counters = scheduler.counters();
    return new LoadReport(
        new Rank(rank),
        incarnation,
        epoch,
        ++sequence,
        counters.waiting(),
        counters.running(),
        counters.queuedTokens(),
        counters.residentTokens(),
        counters.blocksUsed(),
        blocks,
        steps,
        0,
        flight != null,
        0,
        acks(),
        null,
        meter.work(Backlog.of(scheduler), fleet.now()));
  }

  private List<LoadReport.Ack> acks() {
    List<LoadReport.Ack> known = acks;
    if (known == null) {
      known = new ArrayList<>(received.size());
      for (Map.Entry<FrontendId, Long> entry : received.entrySet()) {
        known.add(new LoadReport.Ack(entry.getKey(), entry.getValue()));
      }
      acks = known;
    }
    return known;
  }
}
