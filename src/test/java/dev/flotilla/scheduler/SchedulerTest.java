package dev.flotilla.scheduler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.model.Batch;
import dev.flotilla.model.StepResult;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend.Delta;
import dev.flotilla.protocol.TokenIds;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SchedulerTest {
  private static final FrontendId FRONTEND = new FrontendId("f");
  private static final int EOS = 99;

  private static RequestId id(long counter) {
    return new RequestId(FRONTEND, counter);
  }

  private static TokenIds prompt(int length) {
    return TokenIds.of(IntStream.rangeClosed(1, length).toArray());
  }

  private static ToEngine.Submit request(long counter, int length, Sampling sampling) {
    return attempt(counter, 0, prompt(length), TokenIds.EMPTY, sampling);
  }

  private static ToEngine.Submit request(long counter, int length, int maxTokens) {
    return request(counter, length, Sampling.greedy(maxTokens));
  }

  private static ToEngine.Submit attempt(
      long counter, int attempt, TokenIds prompt, TokenIds delivered, Sampling sampling) {
    return new ToEngine.Submit(
        id(counter), attempt, new Epoch(1, 1), counter, prompt, delivered, sampling);
  }

  private static Scheduler scheduler(int seqs, int budget, int waiting, int length, int blocks) {
    return new Scheduler(
        new SchedulerLimits(seqs, budget, waiting, length, blocks, 4, TokenIds.of(EOS)));
  }

  private static StepResult draw(Batch batch, int token) {
    return new StepResult(
        batch.items().stream()
            .map(i -> new StepResult.Item(i.sampling() == null ? -1 : token, null, List.of()))
            .toList());
  }

  private static List<Delta> step(Scheduler scheduler, int token) {
    Batch batch = scheduler.schedule();
    return scheduler.update(batch, draw(batch, token));
  }

  private static List<Delta> runAll(Scheduler scheduler, int token) {
    List<Delta> all = new ArrayList<>();
    for (int i = 0; !scheduler.idle(); i++) {
      assertTrue(i < 1000, "the scheduler never comes to rest");
      all.addAll(step(scheduler, token));
    }
    return all;
  }

  private static List<Integer> sizes(Batch batch) {
    return batch.items().stream().map(i -> i.tokens().size()).toList();
  }

  @Test
  void splitsAPromptThatExceedsTheBudget() {
    Scheduler scheduler = scheduler(8, 6, 8, 100, 100);
    scheduler.submit(request(1, 10, 1));
    Batch first = scheduler.schedule();
    assertEquals(List.of(6), sizes(first));
    assertNull(first.items().getFirst().sampling(), "nothing is drawn while the prompt goes on");
    assertEquals(7, first.items().getFirst().nextToken());
    assertEquals(List.of(), scheduler.update(first, draw(first, 5)));
    assertEquals(new Counters(0, 1, 4, 6, 3, 0), scheduler.counters());
    Batch second = scheduler.schedule();
    assertEquals(6, second.items().getFirst().start());
    assertEquals(-1, second.items().getFirst().nextToken());
    List<Delta> deltas = scheduler.update(second, draw(second, 5));
    assertEquals(FinishReason.LENGTH, deltas.getFirst().finish());
    assertEquals(new Counters(0, 0, 0, 0, 0, 0), scheduler.counters());
  }

  @Test
  void decodesBeforeItPrefills() {
    Scheduler scheduler = scheduler(8, 6, 8, 100, 100);
    scheduler.submit(request(1, 2, 9));
    scheduler.submit(request(2, 3, 9));
    step(scheduler, 5);
    scheduler.submit(request(3, 10, 9));
    assertEquals(List.of(1, 1, 4), sizes(scheduler.schedule()));
  }

  @Test
  void admitsNoMoreSequencesThanItsLimits() {
    Scheduler scheduler = scheduler(2, 100, 8, 100, 100);
    for (int i = 1; i <= 3; i++) {
      scheduler.submit(request(i, 2, 9));
    }
    assertEquals(2, scheduler.schedule().items().size());
    assertEquals(1, scheduler.counters().waiting());
  }

  @Test
  void stopsAtEosUnlessIgnored() {
    Scheduler scheduler = scheduler(8, 50, 8, 100, 100);
    scheduler.submit(request(1, 2, 3));
    Sampling deaf = Sampling.greedy(3).toBuilder().ignoreEos(true).build();
    scheduler.submit(request(2, 2, deaf));
    List<Delta> deltas = step(scheduler, EOS);
    assertEquals(FinishReason.STOP, deltas.get(0).finish());
    assertEquals(-1, deltas.get(0).stopId());
    assertEquals(TokenIds.of(EOS), deltas.get(0).ids());
    assertNull(deltas.get(1).finish());
  }

  @Test
  void stopsAtAStopIdOnlyAfterMinTokens() {
    Scheduler scheduler = scheduler(8, 50, 8, 100, 100);
    Sampling sampling = Sampling.greedy(9).toBuilder().minTokens(2).stopIds(TokenIds.of(7)).build();
    scheduler.submit(request(1, 2, sampling));
    assertNull(step(scheduler, 7).getFirst().finish());
    Delta second = step(scheduler, 7).getFirst();
    assertEquals(FinishReason.STOP, second.finish());
    assertEquals(7, second.stopId());
    assertEquals(1, second.offset());
  }

  @Test
  void endsAtTheLongestSequence() {
    Scheduler scheduler = scheduler(8, 50, 8, 5, 100);
    scheduler.submit(request(1, 3, 50));
    List<Delta> deltas = runAll(scheduler, 5);
    assertEquals(2, deltas.size());
    assertEquals(FinishReason.LENGTH, deltas.getLast().finish());
  }

  @Test
  void refusesWhatCanNeverFit() {
    Scheduler scheduler = scheduler(8, 50, 8, 100, 3);
    var refused = assertInstanceOf(Admission.Refused.class, scheduler.submit(request(1, 10, 4)));
    assertEquals(400, refused.status());
    assertTrue(refused.reason().contains("the KV cache holds 12"), refused.reason());
    assertInstanceOf(Admission.Accepted.class, scheduler.submit(request(2, 10, 3)));
    assertInstanceOf(Admission.Refused.class, scheduler.submit(request(3, 100, 1)));
    assertInstanceOf(Admission.Refused.class, scheduler.submit(request(4, 0, 1)));
  }

  @Test
  void refusesWith429WhenTheQueueIsFull() {
    Scheduler scheduler = scheduler(8, 50, 1, 100, 100);
    scheduler.submit(request(1, 2, 2));
    var refused = assertInstanceOf(Admission.Refused.class, scheduler.submit(request(2, 2, 2)));
    assertEquals(429, refused.status());
    step(scheduler, 5);
    assertInstanceOf(
        Admission.Accepted.class, scheduler.submit(request(2, 2, 2)), "a refusal is not for ever");
  }

  @Test
  void preemptsTheYoungestWhenBlocksRunOut() {
    Scheduler scheduler = scheduler(8, 50, 8, 100, 4);
    scheduler.submit(request(1, 4, 8));
    scheduler.submit(request(2, 4, 8));
    step(scheduler, 5);
    assertEquals(2, scheduler.counters().running());
    List<Delta> rest = new ArrayList<>();
    while (scheduler.counters().preemptions() == 0) {
      rest.addAll(step(scheduler, 5));
    }
    assertEquals(1, scheduler.counters().waiting());
    assertEquals(id(1), scheduler.running().getFirst().request);
    assertEquals(
        Objects.requireNonNull(scheduler.waiting().first()).length(),
        scheduler.counters().queuedTokens(),
        "what was computed has to be computed again");
    rest.addAll(runAll(scheduler, 5));
    assertEquals(2, rest.stream().filter(d -> d.finish() != null).count());
    assertEquals(14, rest.size(), "no token is drawn twice");
  }

  @Test
  void keepsTheBlocksOfAnAbortedRequestUntilItsBatchIsUpdated() {
    Scheduler scheduler = scheduler(8, 50, 8, 100, 100);
    scheduler.submit(request(1, 4, 8));
    Batch batch = scheduler.schedule();
    assertTrue(scheduler.abort(id(1), 0));
    assertEquals(1, scheduler.counters().blocksUsed());
    assertEquals(0, scheduler.counters().running());
    assertEquals(List.of(), scheduler.update(batch, draw(batch, 5)));
    assertEquals(Counters.NONE, scheduler.counters());
  }

  @Test
  void knowsAttemptsAfterTheirEnd() {
    Scheduler scheduler = scheduler(8, 50, 8, 100, 100);
    scheduler.submit(request(1, 2, 1));
    assertInstanceOf(Admission.Repeated.class, scheduler.submit(request(1, 2, 1)));
    runAll(scheduler, 5);
    assertInstanceOf(Admission.Repeated.class, scheduler.submit(request(1, 2, 1)));
    var second = attempt(1, 2, prompt(2), TokenIds.EMPTY, Sampling.greedy(3));
    assertInstanceOf(Admission.Accepted.class, scheduler.submit(second));
    var late = attempt(1, 1, prompt(2), TokenIds.EMPTY, Sampling.greedy(3));
    assertInstanceOf(Admission.Outdated.class, scheduler.submit(late));
    assertFalse(scheduler.abort(id(1), 1), "an abort reaches no later attempt");
    assertTrue(scheduler.abort(id(1), 2));
  }

  @Test
  void ignoresASubmitThatComesAfterItsAbort() {
    Scheduler scheduler = scheduler(8, 50, 8, 100, 100);
    scheduler.abort(id(1), 0);
    assertInstanceOf(Admission.Repeated.class, scheduler.submit(request(1, 2, 1)));
    assertTrue(scheduler.idle());
  }

  @Test
  void aHigherAttemptReplacesARunningOne() {
    Scheduler scheduler = scheduler(8, 50, 8, 100, 100);
    scheduler.submit(request(1, 2, 9));
    Batch batch = scheduler.schedule();
    scheduler.submit(attempt(1, 1, prompt(2), TokenIds.EMPTY, Sampling.greedy(1)));
    assertEquals(List.of(), scheduler.update(batch, draw(batch, 5)));
    List<Delta> deltas = runAll(scheduler, 5);
    assertEquals(1, deltas.size());
    assertEquals(1, deltas.getFirst().attempt());
  }

  @Test
  void countsDeliveredTokensAsOutput() {
    Scheduler scheduler = scheduler(8, 50, 8, 100, 100);
    TokenIds delivered = TokenIds.of(5, 6);
    scheduler.submit(attempt(1, 1, prompt(2), delivered, Sampling.greedy(3)));
    Batch batch = scheduler.schedule();
    assertEquals(TokenIds.of(1, 2, 5, 6), batch.items().getFirst().tokens());
    Delta only = scheduler.update(batch, draw(batch, 8)).getFirst();
    assertEquals(2, only.offset());
    assertEquals(FinishReason.LENGTH, only.finish());
    var complete =
        assertInstanceOf(
            Admission.Complete.class,
            scheduler.submit(attempt(2, 1, prompt(2), delivered, Sampling.greedy(2))));
    assertEquals(2, complete.delta().offset());
    assertEquals(FinishReason.LENGTH, complete.delta().finish());
  }

  @Test
  void givesAllPromptLogprobsWithTheFirstDelta() {
    Scheduler scheduler = scheduler(8, 3, 8, 100, 100);
    KvMemory memory = new KvMemory(100, 4, 50);
    scheduler.submit(request(1, 8, Sampling.greedy(2).withLogprobs(0, 0)));
    List<Delta> deltas = new ArrayList<>();
    while (!scheduler.idle()) {
      Batch batch = scheduler.schedule();
      deltas.addAll(scheduler.update(batch, memory.execute(batch)));
    }
    assertEquals(
        List.of(2, 3, 4, 5, 6, 7, 8),
        deltas.getFirst().promptLogprobs().stream().map(l -> l.chosen().token()).toList());
    assertEquals(1, deltas.getFirst().logprobs().size());
    assertEquals(List.of(), deltas.get(1).promptLogprobs());
  }

  @Test
  void endsEverythingOfAFrontendThatIsGone() {
    Scheduler scheduler = scheduler(8, 50, 8, 100, 100);
    scheduler.submit(request(1, 2, 9));
    scheduler.submit(request(2, 2, 9));
    step(scheduler, 5);
    assertEquals(2, scheduler.abort(FRONTEND));
    assertTrue(scheduler.idle());
    assertEquals(0, scheduler.counters().blocksUsed());
  }

  @Test
  void abortAllEndsEachWithADelta() {
    Scheduler scheduler = scheduler(1, 50, 8, 100, 100);
    scheduler.submit(request(1, 2, 9));
    scheduler.submit(request(2, 2, 9));
    step(scheduler, 5);
    List<Delta> deltas = scheduler.abortAll(FinishReason.ABORT);
    assertEquals(2, deltas.size());
    assertTrue(deltas.stream().allMatch(d -> d.finish() == FinishReason.ABORT));
    assertTrue(scheduler.idle());
  }

  @Test
  void refusesAResultOfAnotherBatch() {
    Scheduler scheduler = scheduler(8, 50, 8, 100, 100);
    scheduler.submit(request(1, 2, 9));
    Batch batch = scheduler.schedule();
    assertThrows(IllegalStateException.class, scheduler::schedule);
    assertThrows(
        IllegalStateException.class, () -> scheduler.update(batch, new StepResult(List.of())));
    assertThrows(IllegalStateException.class, () -> scheduler.update(batch, draw(batch, -1)));
    assertEquals(1, scheduler.update(batch, draw(batch, 5)).size());
  }

  @Test
  void poolRefusesWhatNobodyOwns() {
    BlockPool pool = new BlockPool(1, new PrefixEvents());
    int block = pool.allocate();
    assertThrows(IllegalStateException.class, pool::allocate);
    pool.free(block);
    assertThrows(IllegalStateException.class, () -> pool.free(block));
  }
}
