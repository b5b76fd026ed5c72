package dev.flotilla.scheduler;

import dev.flotilla.config.SchedulingPolicy;
import dev.flotilla.model.Batch;
import dev.flotilla.model.StepResult;
import dev.flotilla.protocol.EngineTotals;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Machine;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Decides what each step of one rank computes: continuous batching with a token budget. A step
 * takes one token of every decoding sequence first, then goes on with unfinished prompts in the
 * order of the queue, then admits waiting requests in that order, the last of them in a chunk if
 * the budget ends. A request is admitted when the blocks of all its known tokens are free or found
 * in the prefix cache, and gets further blocks as it grows; when none is left the last in order
 * gives its back and computes everything again later, as far as the cache does not hold it.
 *
 * <p>The order is that of arrival. Under {@link SchedulingPolicy#PRIORITY} a level of priority is
 * worth five seconds of waiting, so that two requests keep their order for ever and none is
 * overtaken without end. The first in order that runs is in every batch and never gives way: it
 * ends, and so does everything.
 *
 * <p>A deterministic mutable object, for speed; used by one thread. {@link #tick} says what time it
 * is. The steps are {@link #schedule()}, the executor, {@link #update}; requests may come and be
 * aborted in between, while blocks of a batch under way are freed by its update only.
 *
 * <p>Source: the scheduler of vLLM v1 (continuous batching of Orca, OSDI'22; chunked prefill of
 * Sarathi, OSDI'24). It differs in allocating a prompt's blocks at once, so that a prompt that is
 * half computed never waits for blocks, and in ageing priorities.
 */
public final class Scheduler implements Machine {
  private final SchedulerLimits limits;
  private final PrefixEvents events = new PrefixEvents();
  private final BlockPool pool;
  final PrefixCache cache;
  private final Tally tally = new Tally();
  private final Elapsed now = new Elapsed();
  private final Waiting waiting = new Waiting(now);
  private final List<Sequence> running = new ArrayList<>(); // in order
  private final Map<RequestId, Sequence> live = new HashMap<>();
  private final EndedRequests endedRequests = new EndedRequests();
  final Flight flight = new Flight(); // its aborted ones are in running until update
  private long lastId;
  private long queuedTokens;
  private long residentTokens;
  private @Nullable Sequence blockedHead; // that found too few blocks,
  private int blockedFree; // namely so many

  /** With nothing to do. */
  public Scheduler(SchedulerLimits limits) {
    this.limits = limits;
    pool = new BlockPool(limits.blocks(), events);
    cache = new PrefixCache(pool, limits);
  }

  /** It is now so late, by a clock of any origin; everything from here on happens at that time. */
  public void tick(long clockNanos) {
    now.tick(clockNanos);
  }

  /** Takes a request that comes just now. */
  public Admission submit(ToEngine.Submit submit) {
    return submit(submit, 0);
  }

  /** Takes a request that came so long ago, unless limits forbid; idempotent by attempt. */
  public Admission submit(ToEngine.Submit submit, long waitedNanos) {
    Sequence known = live.get(submit.request());
    int attempt = known == null ? endedRequests.attempt(submit.request()) : known.attempt;
    if (submit.attempt() == attempt) {
      return new Admission.Repeated();
    }
    if (submit.attempt() < attempt) {
      return new Admission.Outdated();
    }
    if (known != null) {
      drop(known);
    }
    Admission.Refused refused = limits.refusal(submit, waiting.size());
    if (refused != null) {
      return refused;
    }
    long arrived = now.nanos() - waitedNanos;
    long order = limits.order(submit.priority(), arrived);
    Sequence sequence = new Sequence(++lastId, submit, order, arrived);
    if (limits.reached(sequence)) {
      endedRequests.add(submit.request(), submit.attempt());
      return new Admission.Complete(sequence.bareEnd(FinishReason.LENGTH, now.nanos()));
    }
    live.put(submit.request(), sequence);
    waiting.add(sequence);
    queuedTokens += sequence.queued();
    return new Admission.Accepted();
  }

  /**
   * Cancels all attempts up to the given one; no delta follows. An attempt that has not come yet is
   * cancelled too.
   *
   * @return whether one lived
   */
  public boolean abort(RequestId request, int attempt) {
    Sequence known = live.get(request);
    if (known != null && known.attempt > attempt) {
      return false;
    }
    if (known != null) {
      drop(known);
    }
    endedRequests.add(request, attempt);
    return known != null;
  }

  /** Cancels everything of a front-end that is gone; says how many requests that were. */
  public int abort(FrontendId frontend) {
    List<Sequence> its = new ArrayList<>(live.values());
    its.removeIf(sequence -> !sequence.request.frontend().equals(frontend));
    its.forEach(this::drop);
    return its.size();
  }

  /** Ends everything with a delta each, for that reason. */
  public List<ToFrontend.Delta> abortAll(FinishReason reason) {
    List<ToFrontend.Delta> deltas = new ArrayList<>();
    for (Sequence sequence : List.copyOf(live.values())) {
      deltas.add(sequence.bareEnd(reason, now.nanos()));
      drop(sequence);
    }
    return deltas;
  }

  /** The requests that live, with their attempts. */
  public Map<RequestId, Integer> live() {
    Map<RequestId, Integer> attempts = new HashMap<>();
    live.forEach((request, sequence) -> attempts.put(request, sequence.attempt));
    return attempts;
  }

  /** The next step, unless the scheduler rests. A batch must be updated before. */
  public Batch schedule() {
    if (flight.underWay()) {
      throw new IllegalStateException("schedule() while a batch is under way; update() it first");
    }
    long preempted = tally.preemptions();
    decode();
    int budget = prefill(limits.prefillBudget(flight.size()));
    if (preempted == tally.preemptions()) {
      admit(budget);
    }
    return flight.leave();
  }

  /** Takes the result of the batch under way; returns what it brought, in the batch's order. */
  public List<ToFrontend.Delta> update(Batch batch, StepResult result) {
    if (batch.isEmpty() && !flight.underWay()) {
      return List.of();
    }
    flight.requireResultOf(batch, result);
    List<ToFrontend.Delta> deltas = new ArrayList<>(flight.size());
    boolean anyEnded = flight.aborted() > 0;
    for (int i = 0; i < flight.size(); i++) {
      Sequence sequence = flight.sequences().get(i);
      if (!sequence.ended()) {
        ToFrontend.Delta delta = advance(sequence, batch.items().get(i), result.items().get(i));
        if (delta != null) {
          deltas.add(delta);
        }
      }
      if (sequence.ended()) {
        release(sequence);
        anyEnded = true;
      }
    }
    flight.land();
    tally.step();
    if (anyEnded) {
      running.removeIf(Sequence::ended);
    }
    return deltas;
  }

  /** What is held now. */
  public Counters counters() {
    return new Counters(
        waiting.size(),
        running.size() - flight.aborted(),
        queuedTokens,
        residentTokens,
        pool.used(),
        tally.preemptions(),
        resting());
  }

  /** What was done since the start. */
  public EngineTotals totals() {
    return tally.totals();
  }

  /** Whether there is nothing to do. */
  public boolean idle() {
    return waiting.isEmpty() && running.isEmpty();
  }

  /** Whether a step would compute nothing now: what is there, if anything, is held or paused. */
  public boolean resting() {
    return waiting.pace() == Pace.NOTHING || (running.isEmpty() && waiting.first() == null);
  }

  /**
   * Forgets all cached prefixes, as vLLM does: only while no block is in use.
   *
   * @param preemptRunning makes what runs give its blocks back and compute everything again
   * @return whether it was done
   */
  public boolean resetPrefixCache(boolean preemptRunning) {
    if (preemptRunning && !flight.underWay()) {
      while (!running.isEmpty()) {
        preempt(running.removeLast());
      }
    }
    return pool.forgetNames();
  }

  /**
   * What has changed in the prefix cache since the given number. If the first event is not the next
   * one, too much has happened, and {@link #prefixes()} says all.
   */
  public List<PrefixEvent> prefixEvents(long after) {
    return events.after(after);
  }

  /** All blocks that the prefix cache holds. */
  public PrefixContents prefixes() {
    return new PrefixContents(events.last(), pool.names());
  }

  BlockPool pool() {
    return pool;
  }

  List<Sequence> running() {
    return running;
  }

  Waiting waiting() {
    return waiting;
  }

  private void decode() {
    for (int i = 0; i < running.size(); i++) {
      Sequence sequence = running.get(i);
      if (sequence.remaining() == 1 && grow(sequence)) {
        flight.add(sequence, 1);
      }
    }
  }

  private int prefill(int budget) {
    int left = budget;
    for (int i = 0; i < running.size() && left > 0; i++) {
      Sequence sequence = running.get(i);
      if (sequence.remaining() > 1) {
        int count = limits.chunk(left, sequence.remaining());
        flight.add(sequence, count);
        left -= count;
      }
    }
    return left;
  }

  private void admit(int budget) {
    int left = budget;
    while (left > 0 && running.size() < limits.runningMax()) {
      Sequence head = waiting.first();
      if (head == null || !allocate(head)) {
        return;
      }
      waiting.remove(head);
      running.add(-1 - Collections.binarySearch(running, head), head);
      if (head.start(now.nanos()) && cache.serves(head)) {
        tally.looked(head.length(), head.computed());
      }
      int count = limits.chunk(left, head.remaining());
      flight.add(head, count);
      left -= count;
    }
  }

  /** Gives a waiting request the blocks of all its known tokens; false if there are too few. */
  @SuppressWarnings("ReferenceEquality") // the very sequence is meant
  private boolean allocate(Sequence head) {
    // Looking for a long prefix in every step that cannot take it would cost more than the step.
    if (head == blockedHead && pool.free() <= blockedFree) {
      return false;
    }
    int hits = cache.hits(head);
    int needed = limits.blocksFor(head.length()) - hits;
    // Without some spare blocks a prompt would be admitted only to be preempted a few steps on.
    int spare = Math.min(running.size(), limits.blocks() / 100);
    if (needed + cache.ownerless(head, hits) + spare > pool.free()) {
      blockedHead = head;
      blockedFree = pool.free();
      return false;
    }
    blockedHead = null;
    queuedTokens -= head.queued();
    cache.share(head, hits);
    queuedTokens += head.queued();
    residentTokens += head.computed();
    for (int i = 0; i < needed; i++) {
      head.addBlock(pool.allocate());
    }
    return true;
  }

  /** Makes room for all known tokens; false if the sequence had to give way itself. */
  private boolean grow(Sequence sequence) {
    int needed = limits.blocksFor(sequence.length());
    while (sequence.blockCount() < needed) {
      if (pool.free() == 0) {
        Sequence youngest = running.removeLast();
        preempt(youngest);
        if (youngest == sequence) {
          return false;
        }
      } else {
        sequence.addBlock(pool.allocate());
      }
    }
    return true;
  }

  private void preempt(Sequence sequence) {
    queuedTokens -= sequence.queued();
    release(sequence);
    sequence.forgetComputed();
    queuedTokens += sequence.queued();
    waiting.add(sequence);
    tally.preempted();
  }

  private ToFrontend.@Nullable Delta advance(
      Sequence sequence, Batch.Item item, StepResult.Item result) {
    int count = item.tokens().size();
    queuedTokens -= sequence.queued();
    sequence.advance(count);
    queuedTokens += sequence.queued();
    residentTokens += count;
    cache.nameFilled(sequence);
    sequence.collectPromptLogprobs(result.promptLogprobs());
    if (item.sampling() == null) {
      return null;
    }
    int token = result.token();
    sequence.append(token);
    tally.generated();
    if (sequence.firstToken(now.nanos())) {
      tally.prompt(sequence.promptLength);
    }
    boolean mayStop = sequence.outputs() >= sequence.sampling.minTokens();
    boolean stopId = mayStop && sequence.sampling.stopIds().contains(token);
    boolean eos = mayStop && !sequence.sampling.ignoreEos() && limits.eos().contains(token);
    FinishReason finish =
        stopId || eos ? FinishReason.STOP : limits.reached(sequence) ? FinishReason.LENGTH : null;
    if (finish != null) {
      drop(sequence);
    }
    return sequence.delta(finish, stopId && !eos ? token : -1, result.logprobs(), now.nanos());
  }

  /** Ends a sequence; its blocks stay until the batch that it may be in is updated. */
  private void drop(Sequence sequence) {
    live.remove(sequence.request);
    endedRequests.add(sequence.request, sequence.attempt);
    queuedTokens -= sequence.queued();
    sequence.end();
    if (flight.carries(sequence)) {
      flight.abort();
    } else if (!waiting.remove(sequence)) {
      release(sequence);
      running.remove(sequence);
    }
  }

  void release(Sequence sequence) {
    residentTokens -= sequence.computed();
    sequence.release(pool);
  }
}
