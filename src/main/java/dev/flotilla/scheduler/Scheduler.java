package dev.flotilla.scheduler;

import dev.flotilla.model.Batch;
import dev.flotilla.model.StepResult;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Logprobs;
import dev.flotilla.protocol.Machine;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Decides what each step of one rank computes: continuous batching with a token budget, first come
 * first served. A step takes one token of every decoding sequence first, then goes on with
 * unfinished prompts in order of arrival, then admits waiting requests, the last of them in a chunk
 * if the budget ends. A request is admitted when the blocks of all its known tokens are free, and
 * gets further blocks as it grows; when none is left the youngest running one gives its back and
 * computes everything again later. The oldest request is therefore in every batch, and nothing
 * starves.
 *
 * <p>A deterministic mutable object, for speed; used by one thread. The steps are {@link
 * #schedule()}, the executor, {@link #update}; requests may come and be aborted in between, while
 * blocks of a batch under way are freed by its update only.
 *
 * <p>Source: the scheduler of vLLM v1 (continuous batching of Orca, OSDI'22; chunked prefill of
 * Sarathi, OSDI'24). It differs in allocating a prompt's blocks at once, so that a prompt that is
 * half computed never waits for blocks.
 */
public final class Scheduler implements Machine {
  private final SchedulerLimits limits;
  private final BlockPool pool;
  private final Deque<Sequence> waiting = new ArrayDeque<>(); // in order of arrival
  private final List<Sequence> running = new ArrayList<>(); // in order of arrival
  private final Map<RequestId, Sequence> live = new HashMap<>();
  private final EndedRequests endedRequests = new EndedRequests();
  private final List<Sequence> flying = new ArrayList<>(); // those of the batch, in its order
  private @Nullable Batch flight;
  private int abortedInFlight; // still in running until update
  private long lastId;
  private long queuedTokens;
  private long residentTokens;
  private long preemptions;

  /** With nothing to do. */
  public Scheduler(SchedulerLimits limits) {
    this.limits = limits;
    pool = new BlockPool(limits.blocks());
  }

  /** Takes a request, unless its limits or ours forbid; idempotent by (request, attempt). */
  public Admission submit(ToEngine.Submit submit) {
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
    Admission.Refused refused = refusal(submit);
    if (refused != null) {
      return refused;
    }
    Sequence sequence = new Sequence(++lastId, submit);
    if (atLimit(sequence)) {
      endedRequests.add(submit.request(), submit.attempt());
      return new Admission.Complete(sequence.bareEnd(FinishReason.LENGTH));
    }
    live.put(submit.request(), sequence);
    waiting.addLast(sequence);
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
    if (known == null) {
      endedRequests.add(request, attempt);
      return false;
    }
    drop(known);
    endedRequests.add(request, attempt);
    return true;
  }

  /** Cancels everything of a front-end that is gone; says how many requests that were. */
  public int abort(FrontendId frontend) {
    List<Sequence> its =
        live.values().stream().filter(s -> s.request.frontend().equals(frontend)).toList();
    its.forEach(this::drop);
    return its.size();
  }

  /** Ends everything with a delta each. */
  public List<ToFrontend.Delta> abortAll() {
    List<ToFrontend.Delta> deltas = new ArrayList<>();
    for (Sequence sequence : List.copyOf(live.values())) {
      deltas.add(sequence.bareEnd(FinishReason.ABORT));
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

  /** The next step; empty only if there is nothing to do. A batch must be updated before. */
  public Batch schedule() {
    if (flight != null) {
      throw new IllegalStateException("schedule() while a batch is under way; update() it first");
    }
    List<Batch.Item> items = new ArrayList<>(running.size() + 8);
    long preempted = preemptions;
    decode(items);
    int budget = prefill(items, limits.maxNumBatchedTokens() - items.size());
    if (preempted == preemptions) {
      admit(items, budget);
    }
    Batch batch = new Batch(items);
    flight = items.isEmpty() ? null : batch;
    return batch;
  }

  /** Takes the result of the batch under way; returns what it brought, in the batch's order. */
  public List<ToFrontend.Delta> update(Batch batch, StepResult result) {
    if (batch.isEmpty() && flight == null) {
      return List.of();
    }
    requireResultOf(batch, result);
    List<ToFrontend.Delta> deltas = new ArrayList<>(flying.size());
    boolean anyEnded = abortedInFlight > 0;
    for (int i = 0; i < flying.size(); i++) {
      Sequence sequence = flying.get(i);
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
    flight = null;
    flying.clear();
    abortedInFlight = 0;
    if (anyEnded) {
      running.removeIf(Sequence::ended);
    }
    return deltas;
  }

  /** What is held now. */
  public Counters counters() {
    return new Counters(
        waiting.size(),
        running.size() - abortedInFlight,
        queuedTokens,
        residentTokens,
        pool.used(),
        preemptions);
  }

  /** What is still to be computed. */
  public Backlog backlog() {
    return Backlog.of(running, waiting);
  }

  /** The waiting requests of which nothing was ever computed here, the last to run first. */
  public List<Unstarted> unstarted() {
    List<Unstarted> all = new ArrayList<>();
    for (Sequence sequence : waiting.reversed()) {
      if (sequence.untouched()) {
        all.add(new Unstarted(sequence.submit, 0));
      }
    }
    return all;
  }

  /** Whether there is nothing to do. */
  public boolean idle() {
    return waiting.isEmpty() && running.isEmpty();
  }

  BlockPool pool() {
    return pool;
  }

  List<Sequence> running() {
    return running;
  }

  Deque<Sequence> waiting() {
    return waiting;
  }

  private Admission.@Nullable Refused refusal(ToEngine.Submit submit) {
    int known = submit.prompt().size() + submit.delivered().size();
    int room = limits.maxModelLen() - 1;
    if (submit.prompt().isEmpty()) {
      return new Admission.Refused(400, "the prompt must hold at least one token");
    }
    if (submit.prompt().size() > room || known > limits.maxModelLen()) {
      return new Admission.Refused(
          400,
          "the prompt has %d tokens, but max_model_len %d leaves room for %d"
              .formatted(submit.prompt().size(), limits.maxModelLen(), room));
    }
    // The last token is drawn but never computed, so its keys and values need no room.
    long longest =
        Math.min(
                limits.maxModelLen(), (long) submit.prompt().size() + submit.sampling().maxTokens())
            - 1;
    long needed = (longest + limits.blockSize() - 1) / limits.blockSize();
    if (needed > limits.blocks()) {
      return new Admission.Refused(
          400,
          "the request may grow to %d tokens, but the KV cache holds %d; send a shorter prompt or a smaller max_tokens"
              .formatted(longest + 1, (long) limits.blocks() * limits.blockSize()));
    }
    if (waiting.size() >= limits.maxNumWaiting()) {
      return new Admission.Refused(
          429,
          "%d requests wait already, as many as max-num-queued-reqs allows; try again later"
              .formatted(waiting.size()));
    }
    return null;
  }

  private boolean atLimit(Sequence sequence) {
    return sequence.outputs() >= sequence.sampling.maxTokens()
        || sequence.length() >= limits.maxModelLen();
  }

  private void decode(List<Batch.Item> items) {
    for (int i = 0; i < running.size(); i++) {
      Sequence sequence = running.get(i);
      if (sequence.remaining() == 1 && grow(sequence)) {
        fly(items, sequence, 1);
      }
    }
  }

  private int prefill(List<Batch.Item> items, int budget) {
    int left = budget;
    for (int i = 0; i < running.size() && left > 0; i++) {
      Sequence sequence = running.get(i);
      if (sequence.remaining() > 1) {
        int count = Math.min(left, sequence.remaining());
        fly(items, sequence, count);
        left -= count;
      }
    }
    return left;
  }

  private void admit(List<Batch.Item> items, int budget) {
    int left = budget;
    while (left > 0 && running.size() < limits.runningMax() && !waiting.isEmpty()) {
      Sequence head = waiting.getFirst();
      int needed = limits.blocksFor(head.length());
      // Without some spare blocks a prompt would be admitted only to be preempted a few steps on.
      int spare = Math.min(running.size(), limits.blocks() / 100);
      if (needed + spare > pool.free()) {
        return;
      }
      waiting.removeFirst();
      for (int i = 0; i < needed; i++) {
        head.addBlock(pool.allocate());
      }
      running.add(head);
      int count = Math.min(left, head.remaining());
      fly(items, head, count);
      left -= count;
    }
  }

  private void fly(List<Batch.Item> items, Sequence sequence, int count) {
    items.add(sequence.item(count));
    flying.add(sequence);
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
    waiting.addFirst(sequence);
    preemptions++;
  }

  private ToFrontend.@Nullable Delta advance(
      Sequence sequence, Batch.Item item, StepResult.Item result) {
    int count = item.tokens().size();
    queuedTokens -= sequence.queued();
    sequence.advance(count);
    queuedTokens += sequence.queued();
    residentTokens += count;
    sequence.collectPromptLogprobs(result.promptLogprobs());
    if (item.sampling() == null) {
      return null;
    }
    int token = result.token();
    sequence.append(token);
    boolean mayStop = sequence.outputs() >= sequence.sampling.minTokens();
    boolean stopId = mayStop && sequence.sampling.stopIds().contains(token);
    boolean eos = mayStop && !sequence.sampling.ignoreEos() && limits.eos().contains(token);
    FinishReason finish =
        stopId || eos ? FinishReason.STOP : atLimit(sequence) ? FinishReason.LENGTH : null;
    if (finish != null) {
      drop(sequence);
    }
    Logprobs logprobs = sequence.sampling.logprobs() < 0 ? null : result.logprobs();
    return sequence.delta(
        finish, stopId && !eos ? token : -1, logprobs == null ? List.of() : List.of(logprobs));
  }

  /** Throws before anything has moved, so that all requests can still be told. */
  @SuppressWarnings("ReferenceEquality") // the very batch is meant, and comparing values is slow
  private void requireResultOf(Batch batch, StepResult result) {
    if (batch != flight || result.items().size() != flying.size()) {
      throw new IllegalStateException(
          "a result of %d items for a batch of %d that is %s"
              .formatted(
                  result.items().size(),
                  batch.items().size(),
                  batch == flight ? "under way" : "not under way"));
    }
    for (int i = 0; i < flying.size(); i++) {
      if (batch.items().get(i).sampling() != null && result.items().get(i).token() < 0) {
        throw new IllegalStateException("the executor drew no token for " + flying.get(i));
      }
    }
  }

  /** Ends a sequence; its blocks stay until the batch that it may be in is updated. */
  private void drop(Sequence sequence) {
    live.remove(sequence.request);
    endedRequests.add(sequence.request, sequence.attempt);
    queuedTokens -= sequence.queued();
    sequence.end();
    if (flight != null && flying.contains(sequence)) {
      abortedInFlight++;
    } else if (!waiting.remove(sequence)) {
      release(sequence);
      running.remove(sequence);
    }
  }

  private void release(Sequence sequence) {
    residentTokens -= sequence.computed();
    sequence.release(pool);
  }
}
