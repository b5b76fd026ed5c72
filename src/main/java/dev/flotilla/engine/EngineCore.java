package dev.flotilla.engine;

import dev.flotilla.grammar.GrammarException;
import dev.flotilla.grammar.GrammarMasks;
import dev.flotilla.model.Batch;
import dev.flotilla.model.Executor;
import dev.flotilla.model.StepResult;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.scheduler.Admission;
import dev.flotilla.scheduler.Backlog;
import dev.flotilla.scheduler.Counters;
import dev.flotilla.scheduler.PrefixEvent;
import dev.flotilla.scheduler.Scheduler;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One data-parallel rank's steps: takes the inbox, schedules, executes, updates, hands the tokens
 * to the outbox. Knows no bus; used by one thread at a time.
 */
final class EngineCore {
  private static final Logger LOG = LoggerFactory.getLogger(EngineCore.class);

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

  private State state = State.RUNNING;
  private List<ToFrontend.Delta> deltas = new ArrayList<>();
  private List<Outcome.Refused> refusals = new ArrayList<>();
  private String brokenReason = "";
  private long version;
  private long takenSubmits;
  private long takenTokens;
  private double takenSquares;
  private long steps;
  private long lastStepNanos;
  private long toldPrefixes;

  EngineCore(
      Scheduler scheduler,
      Executor executor,
      @Nullable GrammarMasks masks,
      Inbox inbox,
      Outbox outbox,
      PrefixFeed prefixes) {
    this.scheduler = scheduler;
    this.executor = executor;
    this.masks = masks;
    this.inbox = inbox;
    this.outbox = outbox;
    this.prefixes = prefixes;
  }

  /**
   * Takes what has come and computes one step.
   *
   * @return whether there is more to do at once; if not, the inbox wakes the loop
   */
  boolean step() throws InterruptedException {
    scheduler.tick(System.nanoTime());
    boolean stop = takeInbox();
    if (stop) {
      stop();
      return false;
    }
    if (state == State.RUNNING) {
      try {
        compute();
      } catch (RuntimeException | Error failure) {
        breakDown(failure);
      }
    }
    tellPrefixes();
    flush();
    return (state == State.RUNNING && !scheduler.idle()) || !inbox.sleep();
  }

  private void compute() throws InterruptedException {
    if (scheduler.idle()) {
      return;
    }
    Batch batch = scheduler.schedule();
    meter.start(batch, System.nanoTime());
    if (deltas.isEmpty() && refusals.isEmpty()) {
      outbox.publish(snapshot(true));
    } else {
      outbox.publish(outcome(true, false));
    }
    StepResult result = executor.execute(masks == null ? batch : masks.masked(batch));
    lastStepNanos = System.nanoTime();
    meter.end(lastStepNanos, 0);
    scheduler.tick(lastStepNanos);
    deltas.addAll(scheduler.update(batch, result));
    steps++;
  }

  private void tellPrefixes() {
    List<PrefixEvent> events = scheduler.prefixEvents(toldPrefixes);
    if (!events.isEmpty()) {
      toldPrefixes = events.getLast().number();
      prefixes.add(events);
    }
  }

  /**
   * Hands over what the step brought, and tells the state that it left; unless the next step begins
   * at once: then its state goes with these tokens, and one message says both.
   */
  private void flush() throws InterruptedException {
    if (state == State.RUNNING && !scheduler.idle() && inbox.isEmpty() && refusals.isEmpty()) {
      return;
    }
    if (deltas.isEmpty() && refusals.isEmpty() && state == State.RUNNING) {
      outbox.publish(snapshot(false));
    } else {
      outbox.publish(outcome(false, false));
    }
  }

  private boolean takeInbox() {
    for (Inbox.Command command = inbox.poll(); command != null; command = inbox.poll()) {
      switch (command) {
        case Inbox.Command.Submit(var submit, long received) -> submit(submit, received);
        case Inbox.Command.Abort(var request, int attempt) -> scheduler.abort(request, attempt);
        case Inbox.Command.AbortFrontend(var frontend) -> scheduler.abort(frontend);
        case Inbox.Command.Call(var work) -> work.accept(scheduler);
        case Inbox.Command.Stop _ -> {
          return true;
        }
      }
    }
    return false;
  }

  private void submit(ToEngine.Submit submit, long receivedNanos) {
    takenSubmits++;
    int tokens = Inbox.tokens(submit);
    takenTokens += tokens;
    takenSquares += (double) tokens * tokens;
    if (state != State.RUNNING) {
      refuse(submit.request(), submit.attempt(), 503, brokenReason);
      return;
    }
    try {
      if (masks != null) {
        masks.prepare(submit.sampling());
      }
    } catch (GrammarException e) {
      refuse(submit.request(), submit.attempt(), 400, String.valueOf(e.getMessage()));
      return;
    }
    switch (scheduler.submit(submit, System.nanoTime() - receivedNanos)) {
      case Admission.Refused(int status, String reason) ->
          refuse(submit.request(), submit.attempt(), status, reason);
      case Admission.Complete(var delta) -> deltas.add(delta);
      case Admission.Accepted _, Admission.Repeated _, Admission.Outdated _ -> {}
    }
  }

  private void refuse(RequestId request, int attempt, int status, String reason) {
    refusals.add(new Outcome.Refused(request, attempt, status, reason));
  }

  private void stop() throws InterruptedException {
    if (state == State.RUNNING) {
      deltas.addAll(scheduler.abortAll());
    }
    state = State.STOPPED;
    outbox.publish(outcome(false, true));
  }

  /** A bug: every request is told, and the port makes the rank go. */
  private void breakDown(Throwable failure) {
    LOG.error("a step failed; the engine stops", failure);
    state = State.BROKEN;
    brokenReason = "the engine failed in a step (" + failure + "); send the request again";
    scheduler.live().forEach((request, attempt) -> refuse(request, attempt, 503, brokenReason));
  }

  private Outcome outcome(boolean stepping, boolean last) {
    Map<FrontendId, List<ToFrontend.Delta>> perFrontend = new LinkedHashMap<>();
    for (ToFrontend.Delta delta : deltas) {
      perFrontend
          .computeIfAbsent(delta.request().frontend(), ignored -> new ArrayList<>())
          .add(delta);
    }
    Outcome outcome =
        new Outcome(
            snapshot(stepping),
            perFrontend,
            refusals,
            state == State.BROKEN ? brokenReason : null,
            last);
    deltas = new ArrayList<>();
    refusals = new ArrayList<>();
    return outcome;
  }

  private Snapshot snapshot(boolean stepping) {
    // A broken loop holds nothing any more, whatever its scheduler still says.
    Counters counters = state == State.RUNNING ? scheduler.counters() : Counters.NONE;
    Backlog backlog = state == State.RUNNING ? Backlog.of(scheduler) : Backlog.NONE;
    long now = System.nanoTime();
    return new Snapshot(
        ++version,
        counters,
        scheduler.totals(),
        takenSubmits,
        takenTokens,
        steps,
        stepping,
        lastStepNanos,
        takenSquares,
        meter.work(backlog, now),
        now);
  }
}
