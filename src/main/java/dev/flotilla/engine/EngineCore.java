package dev.flotilla.engine;

import dev.flotilla.grammar.GrammarException;
import dev.flotilla.grammar.GrammarMasks;
import dev.flotilla.model.Batch;
import dev.flotilla.model.CollectiveException;
import dev.flotilla.model.Executor;
import dev.flotilla.model.StepResult;
import dev.flotilla.protocol.EngineAt;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.scheduler.Admission;
import dev.flotilla.scheduler.Recall;
import dev.flotilla.scheduler.Scheduler;
import dev.flotilla.scheduler.Unstarted;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One data-parallel rank's steps: takes the inbox, schedules, executes, updates, hands the tokens
 * to the outbox. Knows no bus. Used by one thread at a time, but for {@link #handOver} and {@link
 * #attend}, which the port may call at any time.
 */
final class EngineCore {
  private static final Logger LOG = LoggerFactory.getLogger(EngineCore.class);
  private static final Batch NOTHING = new Batch(List.of());

  private enum State {
    RUNNING,
    BROKEN,
    STOPPED
  }

  private final Scheduler scheduler;
  private final Executor executor;
  private final @Nullable GrammarMasks masks;
  private final Inbox inbox;
  private final Outbox outbox;
  private final PrefixFeed prefixes;
  private final StepMeter meter = new StepMeter();
  private final LoopTally tally = new LoopTally();
  private final @Nullable LockstepLoop group;

  private final LockstepLoop.Steps own = new OwnSteps();
  private final Turn turn = new Turn(this::errand);
  private final PendingOrder order = new PendingOrder();

  private State state = State.RUNNING;
  private boolean stepping;
  private Inbox.Command.@Nullable Regroup called;
  private final Replies replies = new Replies();
  private String brokenReason = "";

  /**
   * A loop at rest.
   *
   * @param group of a rank that steps together with others; null: it steps alone
   */
  EngineCore(
      Scheduler scheduler,
      Executor executor,
      @Nullable GrammarMasks masks,
      Inbox inbox,
      Outbox outbox,
      PrefixFeed prefixes,
      @Nullable LockstepLoop group) {
    this.scheduler = scheduler;
    this.executor = executor;
    this.masks = masks;
    this.inbox = inbox;
    this.outbox = outbox;
    this.prefixes = prefixes;
    this.group = group;
  }

  /**
   * Takes what has come and computes one step.
   *
   * @return whether there is more to do at once; if not, the inbox wakes the loop
   */
  boolean step() throws InterruptedException {
    turn.begin();
    try {
      scheduler.tick(System.nanoTime());
      if (takeInbox()) {
        stop();
        return false;
      }
    } finally {
      turn.end();
    }
    compute();
    turn.begin();
    try {
      flush();
      return more() || !inbox.sleep();
    } finally {
      turn.end();
    }
  }

  /** Whether to step on at once. In a group the others decide with: work waits for its wave. */
  private boolean more() {
    return state == State.RUNNING && (group == null ? !scheduler.resting() : group.running());
  }

  private void compute() throws InterruptedException {
    if (group == null) {
      computeBatch();
    } else if (state == State.RUNNING) {
      try {
        regroup(group);
        group.turn(own);
      } catch (CollectiveException failure) {
        group.failed(failure); // The requests stay, and go on with the next generation.
      } catch (RuntimeException | Error failure) {
        guardedBreakDown(failure);
      }
    }
  }

  /** Out of turn, since it may have to wait for weights and for others. */
  private void regroup(LockstepLoop its) {
    Inbox.Command.Regroup next = called;
    called = null;
    if (next != null) {
      its.regroup(next.generation(), next.wave());
    }
  }

  private final class OwnSteps implements LockstepLoop.Steps {
    @Override
    public boolean work() {
      turn.begin();
      try {
        return !scheduler.resting();
      } finally {
        turn.end();
      }
    }

    @Override
    public void step() throws InterruptedException {
      boolean computed = computeBatch();
      if (state != State.RUNNING) {
        throw new IllegalStateException(brokenReason); // The group must not go on with this rank.
      }
      if (!computed) {
        dummy(); // What there was has just been put aside for another engine; the others step.
      }
    }

    @Override
    public void dummy() {
      executor.execute(NOTHING);
      tally.stepped(System.nanoTime());
    }
  }

  private boolean computeBatch() throws InterruptedException {
    Batch batch;
    turn.begin();
    try {
      batch = start();
    } finally {
      turn.end();
    }
    if (batch == null) {
      return false;
    }
    long waited = executor.waitedNanos();
    StepResult result = execute(batch);
    turn.begin();
    try {
      stepping = false;
      if (result != null) {
        update(batch, result, executor.waitedNanos() - waited);
        prefixes.follow(scheduler);
      }
    } finally {
      turn.end();
    }
    return true;
  }

  private @Nullable Batch start() throws InterruptedException {
    if (state != State.RUNNING || scheduler.resting()) {
      return null;
    }
    Batch batch;
    try {
      batch = scheduler.schedule();
    } catch (RuntimeException | Error failure) {
      breakDown(failure);
      return null;
    }
    meter.start(batch, System.nanoTime());
    stepping = true;
    if (replies.isEmpty()) {
      outbox.publish(snapshot(true));
    } else {
      outbox.publish(outcome(true, false));
    }
    return batch;
  }

  private @Nullable StepResult execute(Batch batch) {
    try {
      return executor.execute(masks == null ? batch : masks.masked(batch));
    } catch (CollectiveException failure) {
      recall();
      throw failure;
    } catch (RuntimeException | Error failure) {
      guardedBreakDown(failure);
      return null;
    }
  }

  /** The step is to be taken again; keys and values that it has written will be the same. */
  private void recall() {
    turn.begin();
    try {
      stepping = false;
      meter.drop();
      Recall.from(scheduler);
    } finally {
      turn.end();
    }
  }

  private void guardedBreakDown(Throwable failure) {
    turn.begin();
    try {
      if (state == State.RUNNING) {
        breakDown(failure);
      }
    } finally {
      turn.end();
    }
  }

  private void update(Batch batch, StepResult result, long waitedNanos) {
    long now = System.nanoTime();
    meter.end(now, waitedNanos);
    scheduler.tick(now);
    try {
      replies.add(scheduler.update(batch, result));
      tally.stepped(now);
    } catch (RuntimeException | Error failure) {
      breakDown(failure);
    }
  }

  /**
   * The coordinator wants requests moved; the newest order counts. Safe to be called by the port
   * while the loop runs, and does not wait for it.
   *
   * @param self this engine, as it is known now
   * @param tell hears of the offers, on any thread
   */
  void handOver(
      ToEngine.HandOver wanted, EngineAt self, Consumer<Map<FrontendId, ToFrontend.Offer>> tell) {
    order.set(wanted, self, tell);
    turn.ask();
  }

  /** Takes what has come even while a step is computed, as far as that is quick. */
  void attend() {
    turn.ask();
  }

  private void errand() {
    if (stepping && state == State.RUNNING) {
      scheduler.tick(System.nanoTime());
      for (var next = inbox.peek(); next != null && next.quick(); next = inbox.peek()) {
        take(Objects.requireNonNull(inbox.poll()));
      }
    }
    if (state == State.RUNNING) {
      order.perform(scheduler, meter.cost());
    }
    if (stepping && state == State.RUNNING) {
      outbox.publish(snapshot(true));
    }
  }

  /**
   * Hands over what the step brought, and tells the state that it left; unless the next step begins
   * at once: then its state goes with these tokens, and one message says both. In a group it does
   * not: the others are asked first.
   */
  private void flush() throws InterruptedException {
    if (group == null && more() && inbox.isEmpty() && !replies.refuses()) {
      return;
    }
    if (replies.isEmpty() && state == State.RUNNING) {
      outbox.publish(snapshot(inWave()));
    } else {
      outbox.publish(outcome(inWave(), false));
    }
  }

  /** A rank whose group still runs is at work between two steps too, and must not leave it. */
  private boolean inWave() {
    return state == State.RUNNING && group != null && group.running();
  }

  private boolean takeInbox() {
    while (called == null) { // What comes after a new generation is meant for it.
      Inbox.Command command = inbox.poll();
      if (command == null || take(command)) {
        return command != null;
      }
    }
    return false;
  }

  /** Does as it is told; says whether that is to stop. */
  private boolean take(Inbox.Command command) {
    switch (command) {
      case Inbox.Command.Submit(var submit, long received) -> submit(submit, received);
      case Inbox.Command.Abort(var request, int attempt) -> scheduler.abort(request, attempt);
      case Inbox.Command.AbortFrontend(var frontend) -> scheduler.abort(frontend);
      case Inbox.Command.Release(var request, int attempt) ->
          Unstarted.release(scheduler, request, attempt);
      case Inbox.Command.Call(var work) -> replies.add(work.apply(scheduler));
      case Inbox.Command.Regroup next -> called = state == State.RUNNING ? next : null;
      case Inbox.Command.StartWave(long of, long wave) -> {
        if (group != null) {
          group.startWave(of, wave);
        }
      }
      case Inbox.Command.Stop _ -> {
        return true;
      }
    }
    return false;
  }

  private void submit(ToEngine.Submit submit, long receivedNanos) {
    tally.took(submit);
    if (state != State.RUNNING) {
      replies.refuse(submit.request(), submit.attempt(), 503, brokenReason);
      return;
    }
    try {
      if (masks != null) {
        masks.prepare(submit.sampling());
      }
    } catch (GrammarException e) {
      replies.refuse(submit.request(), submit.attempt(), 400, String.valueOf(e.getMessage()));
      return;
    }
    switch (scheduler.submit(submit, System.nanoTime() - receivedNanos)) {
      case Admission.Refused(int status, String reason) ->
          replies.refuse(submit.request(), submit.attempt(), status, reason);
      case Admission.Complete(var delta) -> replies.add(delta);
      case Admission.Accepted _, Admission.Repeated _, Admission.Outdated _ -> {}
    }
  }

  private void stop() throws InterruptedException {
    if (state == State.RUNNING) {
      replies.add(scheduler.abortAll(FinishReason.ERROR)); // Another may go on with them.
    }
    state = State.STOPPED;
    outbox.publish(outcome(false, true));
  }

  /** A bug: every request is told, and the port makes the rank go. */
  private void breakDown(Throwable failure) {
    LOG.error("a step failed; the engine stops", failure);
    state = State.BROKEN;
    brokenReason = "the engine failed in a step (" + failure + "); send the request again";
    scheduler
        .live()
        .forEach((request, attempt) -> replies.refuse(request, attempt, 503, brokenReason));
  }

  private Outcome outcome(boolean stepping, boolean last) {
    return replies.take(snapshot(stepping), state == State.BROKEN ? brokenReason : null, last);
  }

  private Snapshot snapshot(boolean stepping) {
    return tally.snapshot(
        scheduler,
        state == State.RUNNING,
        stepping,
        meter,
        group == null ? 0 : group.state().wave(),
        group == null ? null : group.load(executor.waitedNanos()));
  }
}
