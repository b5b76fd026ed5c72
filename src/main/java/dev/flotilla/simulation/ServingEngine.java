package dev.flotilla.simulation;

import dev.flotilla.engine.EngineLife;
import dev.flotilla.engine.LoadGauge;
import dev.flotilla.engine.Offers;
import dev.flotilla.engine.OwnEpochs;
import dev.flotilla.engine.Snapshot;
import dev.flotilla.engine.StepMeter;
import dev.flotilla.executor.scripted.ScriptedTokens;
import dev.flotilla.model.Batch;
import dev.flotilla.model.StepResult;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.EngineAt;
import dev.flotilla.protocol.EngineTotals;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.protocol.TokenIds;
import dev.flotilla.scheduler.Admission;
import dev.flotilla.scheduler.Backlog;
import dev.flotilla.scheduler.Counters;
import dev.flotilla.scheduler.Scheduler;
import dev.flotilla.scheduler.SchedulerLimits;
import dev.flotilla.scheduler.Unstarted;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * An engine that computes: the real life cycle, scheduler, gauge and offers, in the order in which
 * the real port and step loop use them. Its tokens are those of the scripted executor, so that a
 * resumption at the wrong place shows in the tokens.
 */
final class ServingEngine extends SimulatedEngine {
  private static final long MS = 1_000_000;

  /**
   * Of so many steps one tells its load with its tokens; the others' have no room in the budget.
   */
  private static final int RIDES_EVERY = 3;

  /** One engine's size and speed. */
  record Shape(int seqs, int blocks, int queue, int stepMs) {}

  private final ServingSimulation world;
  private final SimulatedNetwork network;
  private final VirtualTime time;
  private final RandomGenerator random;
  private final Seams seams;
  private final Shape shape;
  private final EngineWitness witness;
  private final Scheduler scheduler;
  private final StepMeter meter = new StepMeter();
  private final LoadGauge gauge;
  private final OwnEpochs epochs = new OwnEpochs();
  private final Offers offers = new Offers();
  private final Deque<ToEngine> inbox = new ArrayDeque<>();
  private final Deque<Long> receipts = new ArrayDeque<>();
  private final Map<Long, Long> states = new HashMap<>(); // of the scripted tokens, by sequence
  private @Nullable Batch flight;
  private List<ToFrontend.Delta> deltas = new ArrayList<>();
  private boolean taking = true;
  private boolean awake;
  private int inboxSubmits;
  private long heldUntil;
  private long version;
  private long takenSubmits;
  private long takenTokens;
  private double takenSquares;
  private long steps;
  private long lastStepNanos;
  private long hangNanos;

  ServingEngine(String name, @Nullable Rank wanted, Shape shape, ServingSimulation world) {
    super(name, wanted, world.time, world.network, world.random);
    this.world = world;
    this.shape = shape;
    witness = new EngineWitness(world, name);
    network = world.network;
    time = world.time;
    random = world.random;
    seams = world.seams;
    gauge = new LoadGauge(shape.blocks());
    scheduler =
        new Scheduler(
            new SchedulerLimits(
                shape.seqs(),
                ServingSimulation.BATCH_TOKENS,
                shape.queue(),
                ServingSimulation.MODEL_LEN,
                shape.blocks(),
                ServingSimulation.BLOCK_TOKENS,
                TokenIds.EMPTY));
  }

  Counters counters() {
    return scheduler.counters();
  }

  /** Whether nothing waits, runs or lies in the inbox. */
  boolean idle() {
    return inbox.isEmpty() && flight == null && scheduler.idle();
  }

  int inboxSubmits() {
    return inboxSubmits;
  }

  int queueMax() {
    return shape.queue();
  }

  @Override
  void moved(EngineLife next) {
    epochs.add(next.epoch());
    world.checks.adopted(this, next.epoch());
    taking &= next.stage() != EngineLife.Stage.DRAINING && next.stage() != EngineLife.Stage.STOPPED;
  }

  @Override
  void work(ToEngine message) {
    switch (message) {
      case ToEngine.Submit submit -> submit(submit);
      case ToEngine.Abort abort -> {
        inbox.add(abort);
        attend();
      }
      case ToEngine.Decline decline -> {
        inbox.add(decline);
        attend();
      }
      case ToEngine.HandOver order -> handOver(order);
      case ToEngine.Ping ping ->
          network.send(
              this,
              Addresses.frontend(ping.from()),
              new ToFrontend.Pong(rank(), incarnation(), ping.nonce()));
      default -> throw new IllegalStateException("nobody sends this here: " + message);
    }
  }

  private void submit(ToEngine.Submit submit) {
    gauge.received(submit.request().frontend(), submit.sequence());
    if (!taking) {
      refuse(submit, 503, "takes nothing new");
    } else if (!seams.isOwn(epochs, submit.epoch())) {
      refuse(submit, 503, "was never in epoch " + submit.epoch());
    } else if (inboxSubmits >= shape.queue()) {
      refuse(submit, 429, "has a full inbox");
    } else {
      world.checks.taken(this, submit);
      inbox.add(submit);
      receipts.add(time.now());
      inboxSubmits++;
      gauge.queued(tokens(submit));
    }
    tell(submit.request().frontend(), new ToFrontend.Load(loadNow()));
    reportLoad();
    attend();
  }

  private static int tokens(ToEngine.Submit submit) {
    return submit.prompt().size() + submit.delivered().size();
  }

  private void refuse(ToEngine.Submit submit, int status, String reason) {
    tell(
        submit.request().frontend(),
        new ToFrontend.Refusal(
            submit.request(), submit.attempt(), rank(), life().epoch(), status, reason));
  }

  /** As the port does it: even in the middle of a step while something is held. */
  private void attend() {
    if (flight == null) {
      wake();
    } else if (time.now() < heldUntil) {
      takeInbox();
      publish();
    }
  }

  private void wake() {
    if (!awake) {
      awake = true;
      network.plan(this, time.now() + random.nextLong(MS / 5), "wakes", this::step);
    }
  }

  private void handOver(ToEngine.HandOver order) {
    if (flight != null) {
      takeInbox();
    }
    scheduler.tick(time.now());
    EngineAt self = new EngineAt(rank(), incarnation(), life().epoch());
    Map<FrontendId, ToFrontend.Offer> made =
        seams.offer(offers, order, self, scheduler, meter.cost());
    made.forEach(
        (owner, offer) -> {
          world.checks.offered(this, order, offer);
          witness.offered(offer);
          tell(owner, offer);
        });
    if (!made.isEmpty()) {
      world.checks.obeyed(this, order);
      heldUntil = time.now() + ToFrontend.Offer.HELD_MS * MS;
      network.plan(this, heldUntil + MS, "holds no more", this::attend);
    }
  }

  @Override
  void leave() {
    deltas.addAll(scheduler.abortAll(FinishReason.ERROR));
    flush();
    super.leave();
  }

  private void takeInbox() {
    scheduler.tick(time.now());
    for (ToEngine command = inbox.poll(); command != null; command = inbox.poll()) {
      switch (command) {
        case ToEngine.Submit submit -> take(submit, time.now() - receipts.remove());
        case ToEngine.Abort abort -> {
          witness.aborted(abort);
          seams.abort(scheduler, abort);
        }
        case ToEngine.Decline decline -> {
          witness.declined(decline);
          Unstarted.release(scheduler, decline.request(), decline.attempt());
        }
        default -> throw new IllegalStateException("no command: " + command);
      }
    }
  }

  private void take(ToEngine.Submit submit, long waited) {
    inboxSubmits--;
    takenSubmits++;
    takenTokens += tokens(submit);
    takenSquares += (double) tokens(submit) * tokens(submit);
    switch (seams.submit(scheduler, submit, waited)) {
      case Admission.Refused(int status, String reason) -> refuse(submit, status, reason);
      case Admission.Complete(var delta) -> deltas.add(delta);
      case Admission.Accepted _, Admission.Repeated _, Admission.Outdated _ -> {}
    }
  }

  private void step() {
    awake = false;
    if (flight != null) {
      return;
    }
    takeInbox();
    if (scheduler.resting()) {
      flush();
      return;
    }
    Batch batch = scheduler.schedule();
    flight = batch;
    meter.start(batch, time.now());
    flush();
    long nanos = shape.stepMs() * MS * (8 + random.nextInt(5)) / 10;
    network.plan(this, time.now() + nanos + hangNanos, "has stepped", this::stepped);
    hangNanos = 0;
  }

  /** The next step takes so much longer. */
  void hang(long nanos) {
    hangNanos = nanos;
  }

  private void stepped() {
    Batch batch = flight;
    if (batch == null) {
      return;
    }
    flight = null;
    lastStepNanos = time.now();
    scheduler.tick(time.now());
    meter.end(time.now(), 0);
    deltas.addAll(seams.update(scheduler, batch, compute(batch)));
    steps++;
    flush();
    wake();
  }

  private long known(long sequence) {
    return Objects.requireNonNull(states.get(sequence), "a sequence goes on that never began");
  }

  private StepResult compute(Batch batch) {
    List<StepResult.Item> items = new ArrayList<>(batch.items().size());
    for (Batch.Item item : batch.items()) {
      long state = item.start() == 0 ? ScriptedTokens.START : known(item.sequence());
      for (int i = 0; i < item.tokens().size(); i++) {
        state = ScriptedTokens.next(state, item.tokens().get(i));
      }
      states.put(item.sequence(), state);
      int token = item.sampling() == null ? -1 : ServingSimulation.TOKENS.draw(state);
      items.add(new StepResult.Item(token, null, List.of()));
    }
    return new StepResult(items);
  }

  private void flush() {
    publish();
    if (deltas.isEmpty()) {
      return;
    }
    Map<FrontendId, List<ToFrontend.Delta>> owners = new LinkedHashMap<>();
    for (ToFrontend.Delta delta : deltas) {
      witness.computed(delta);
      owners.computeIfAbsent(delta.request().frontend(), _ -> new ArrayList<>()).add(delta);
    }
    deltas = new ArrayList<>();
    EngineAt from = new EngineAt(rank(), incarnation(), life().epoch());
    LoadReport load = steps % RIDES_EVERY == 0 ? loadNow() : null;
    owners.forEach(
        (owner, its) ->
            network.send(
                this,
                Addresses.frontend(owner),
                new ToFrontend.Tokens(from, load, its),
                () -> scheduler.abort(owner)));
  }

  /** The gauge learns what the loop does now, and so does the coordinator. */
  private void publish() {
    gauge.update(
        new Snapshot(
            ++version,
            scheduler.counters(),
            EngineTotals.NONE,
            takenSubmits,
            takenTokens,
            steps,
            flight != null,
            lastStepNanos,
            takenSquares,
            meter.work(Backlog.of(scheduler), time.now()),
            time.now(),
            0,
            null));
    reportLoad();
  }

  private void reportLoad() {
    if (life().connected()) {
      network.send(this, Addresses.COORDINATOR, new ToCoordinator.Load(loadNow()));
    }
  }

  @Override
  LoadReport report() {
    gauge.renew(); // A sign of life has a number of its own, as the real port's has.
    return loadNow();
  }

  private LoadReport loadNow() {
    return gauge.report(rank(), incarnation(), life().epoch(), time.now());
  }

  private void tell(FrontendId frontend, ToFrontend message) {
    network.send(this, Addresses.frontend(frontend), message);
  }
}
