package dev.flotilla.simulation.load;

import dev.flotilla.config.LoadBalancing;
import dev.flotilla.engine.Offers;
import dev.flotilla.engine.PrefixFeed;
import dev.flotilla.engine.StepMeter;
import dev.flotilla.executor.scripted.ScriptedExecutor;
import dev.flotilla.model.Batch;
import dev.flotilla.model.StepResult;
import dev.flotilla.protocol.EngineAt;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.protocol.TokenIds;
import dev.flotilla.scheduler.Admission;
import dev.flotilla.scheduler.Backlog;
import dev.flotilla.scheduler.Counters;
import dev.flotilla.scheduler.Scheduler;
import dev.flotilla.scheduler.SchedulerLimits;
import dev.flotilla.scheduler.Unstarted;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One rank: the real scheduler, meter and offers, with steps that take what the cost model says.
 */
final class SimEngine {
  private static final StepResult.Item DRAWN = new StepResult.Item(7, null, List.of());
  private static final StepResult.Item NOT_DRAWN = new StepResult.Item(-1, null, List.of());

  private final SimFleet fleet;
  private final int rank;
  private final Incarnation incarnation;
  private Epoch epoch = Epoch.NONE;
  private final int blocks;
  private final double factor;
  private final Scheduler scheduler;
  private final StepMeter meter = new StepMeter();
  private final Offers offers = new Offers();
  private final PrefixFeed prefixFeed = new PrefixFeed();
  private final Map<FrontendId, Long> received = new LinkedHashMap<>();
  private @Nullable List<LoadReport.Ack> acks;
  private @Nullable Batch flight;
  private boolean dead;
  private long sequence;
  private long steps;
  private long lastStepNanos;
  private long startedNanos;
  private long ownNanos;

  SimEngine(SimFleet fleet, int rank) {
    this.fleet = fleet;
    this.rank = rank;
    incarnation = new Incarnation("engine-" + rank);
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

  /** It is a member from now on. */
  void admitted(Epoch given) {
    epoch = given;
  }

  private EngineAt self() {
    return new EngineAt(fleet.rank(rank), incarnation, epoch);
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

  /** Whether a step would compute nothing now. */
  boolean resting() {
    scheduler.tick(fleet.now());
    return scheduler.resting();
  }

  /** Work from a front-end. */
  void receive(ToEngine.Submit submit) {
    if (dead) {
      return;
    }
    FrontendId frontend = submit.request().frontend();
    if (submit.sequence() > received.getOrDefault(frontend, 0L)) {
      received.put(frontend, submit.sequence());
      acks = null;
    }
    scheduler.tick(fleet.now());
    SimFrontend owner = fleet.frontend(frontend);
    if (scheduler.submit(submit) instanceof Admission.Refused(int status, String reason)) {
      ToFrontend.Refusal refusal =
          new ToFrontend.Refusal(
              submit.request(), submit.attempt(), fleet.rank(rank), epoch, status, reason);
      fleet.send(() -> owner.refused(refusal));
    }
    fleet.reporter(rank).received(frontend);
    fleet.wake(this);
  }

  /** Schedules the next step; gives what it will take, in nanoseconds. */
  long begin() {
    scheduler.tick(fleet.now());
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
    lastStepNanos = fleet.now();
    List<StepResult.Item> drawn = new ArrayList<>(batch.items().size());
    for (int i = 0; i < batch.items().size(); i++) {
      drawn.add(batch.items().get(i).sampling() == null ? NOT_DRAWN : DRAWN);
    }
    scheduler.tick(fleet.now());
    List<ToFrontend.Delta> deltas = scheduler.update(batch, new StepResult(drawn));
    meter.end(fleet.now(), fleet.now() - startedNanos - ownNanos);
    tellPrefixes();
    fleet.reporter(rank).stepped();
    deliver(deltas);
  }

  private void tellPrefixes() {
    if (fleet.settings().policy() != LoadBalancing.FLOTILLA) {
      return;
    }
    prefixFeed.follow(scheduler);
    ToFrontend.PrefixChange change = prefixFeed.take(fleet.rank(rank), incarnation, epoch);
    if (change != null) {
      fleet.send(() -> fleet.frontends().forEach(f -> f.prefixes(change)));
    }
  }

  /** A front-end wants to know all that the prefix cache holds. */
  void prefixes(SimFrontend asking) {
    if (!dead) {
      PrefixFeed.snapshot(scheduler.prefixes(), fleet.rank(rank), incarnation, epoch)
          .forEach(piece -> fleet.send(() -> asking.prefixes(piece)));
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
    EngineAt self = self();
    perFrontend.forEach((owner, its) -> fleet.send(() -> owner.tokens(self, its)));
  }

  /** Offers to another engine what is worth it, and keeps it from starting for a moment. */
  void handOver(ToEngine.HandOver order) {
    if (dead) {
      return;
    }
    scheduler.tick(fleet.now());
    Map<FrontendId, ToFrontend.Offer> made = offers.make(order, self(), scheduler, meter.cost());
    made.forEach((owner, offer) -> fleet.send(() -> fleet.frontend(owner).offered(offer)));
    if (!made.isEmpty()) {
      fleet.plan(fleet.now() + (ToFrontend.Offer.HELD_MS + 1) * 1_000_000, () -> fleet.wake(this));
    }
  }

  /** An attempt is not wanted here any more. */
  void abort(RequestId request, int attempt) {
    if (!dead) {
      scheduler.tick(fleet.now());
      scheduler.abort(request, attempt);
      fleet.reporter(rank).moved();
      fleet.wake(this);
    }
  }

  /** An offer was not taken up. */
  void declined(RequestId request, int attempt) {
    if (!dead) {
      Unstarted.release(scheduler, request, attempt);
      fleet.wake(this);
    }
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
        lastStepAgeMs(),
        acks(),
        null,
        meter.work(Backlog.of(scheduler), fleet.now()));
  }

  private long lastStepAgeMs() {
    if (flight != null) {
      return 0;
    }
    return steps == 0 ? -1 : (fleet.now() - lastStepNanos) / 1_000_000;
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
