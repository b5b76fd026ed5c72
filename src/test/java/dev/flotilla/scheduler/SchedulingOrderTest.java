package dev.flotilla.scheduler;

import static dev.flotilla.scheduler.Requests.draw;
import static dev.flotilla.scheduler.Requests.finish;
import static dev.flotilla.scheduler.Requests.id;
import static dev.flotilla.scheduler.Requests.prompt;
import static dev.flotilla.scheduler.Requests.request;
import static dev.flotilla.scheduler.Requests.step;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.config.SchedulingPolicy;
import dev.flotilla.model.Batch;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.ToFrontend.Delta;
import dev.flotilla.protocol.ToFrontend.Timing;
import dev.flotilla.protocol.TokenIds;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class SchedulingOrderTest {
  private static final long SECOND = 1_000_000_000L;

  private static SchedulerLimits limits(int seqs, int budget, int blocks) {
    return new SchedulerLimits(seqs, budget, 100, 200, blocks, 4, TokenIds.of(99));
  }

  private static Scheduler byPriority(int seqs, int blocks) {
    return new Scheduler(limits(seqs, 100, blocks).withPolicy(SchedulingPolicy.PRIORITY));
  }

  private static void submit(Scheduler scheduler, int counter, int priority, int maxTokens) {
    scheduler.submit(request(counter, prompt(4), Sampling.greedy(maxTokens), priority, ""));
  }

  private static List<Long> ends(List<Delta> deltas) {
    return deltas.stream().filter(d -> d.finish() != null).map(d -> d.request().counter()).toList();
  }

  @Test
  void smallerPrioritiesComeFirstAndEqualOnesInOrderOfArrival() {
    Scheduler scheduler = byPriority(1, 50);
    int[] priorities = {3, 0, -7, 3, 0};
    for (int i = 0; i < priorities.length; i++) {
      submit(scheduler, i, priorities[i], 2);
    }
    assertEquals(List.of(2L, 1L, 4L, 0L, 3L), ends(finish(scheduler, 5)));
  }

  @Test
  void prioritiesMeanNothingUnlessTheyAreAskedFor() {
    Scheduler scheduler = new Scheduler(limits(1, 100, 50));
    submit(scheduler, 1, 3, 2);
    submit(scheduler, 2, -3, 2);
    assertEquals(List.of(1L, 2L), ends(finish(scheduler, 5)));
  }

  @Test
  void fiveSecondsOfWaitingAreWorthALevel() {
    Scheduler scheduler = byPriority(1, 50);
    scheduler.tick(0);
    submit(scheduler, 1, 2, 1);
    scheduler.tick(9 * SECOND);
    submit(scheduler, 2, 0, 1);
    scheduler.tick(11 * SECOND);
    submit(scheduler, 3, 0, 1);
    assertEquals(List.of(2L, 1L, 3L), ends(finish(scheduler, 5)));
  }

  @Test
  void nobodyWaitsForEverBehindAFloodOfHigherPriority() {
    Scheduler scheduler = byPriority(1, 50);
    submit(scheduler, 0, 4, 1);
    int steps = 0;
    boolean ended = false;
    for (; !ended; steps++) {
      scheduler.tick(steps * SECOND);
      submit(scheduler, 1 + steps, 0, 1);
      ended = ends(step(scheduler, 5)).contains(0L);
      assertTrue(steps < 100, "starved");
    }
    assertEquals(21, steps, "it comes after the 20 of the first four times five seconds");
  }

  @Test
  void theLowestPriorityGivesWayWhenBlocksRunOut() {
    Scheduler scheduler = byPriority(8, 4);
    submit(scheduler, 1, 5, 8);
    step(scheduler, 5);
    submit(scheduler, 2, 0, 8);
    while (scheduler.counters().preemptions() == 0) {
      step(scheduler, 5);
    }
    assertEquals(id(2), scheduler.running().getFirst().request);
    assertEquals(
        id(1), Objects.requireNonNull(scheduler.waiting().first()).request, "though it came first");
    assertEquals(List.of(2L, 1L), ends(finish(scheduler, 5)));
  }

  @Test
  void aLongPromptGetsNoMoreOfAStepThanTheThreshold() {
    Scheduler scheduler = new Scheduler(limits(8, 20, 100).withLongPrefillTokenThreshold(6));
    scheduler.submit(request(1, prompt(15), 2));
    scheduler.submit(request(2, prompt(10), 2));
    scheduler.submit(request(3, prompt(3), 2));
    assertEquals(List.of(6, 6, 3), sizes(take(scheduler)));
    assertEquals(List.of(1, 6, 4), sizes(take(scheduler)), "decodes first");
    assertEquals(List.of(1, 3), sizes(take(scheduler)));
  }

  @Test
  void promptsGetNoMoreBesideStreamsThanTheirShare() {
    Scheduler scheduler = new Scheduler(limits(32, 64, 200).withMaxPrefillPerDecode(1));
    scheduler.submit(request(0, prompt(30), 9));
    assertEquals(List.of(30), sizes(take(scheduler)), "nobody decodes");
    scheduler.submit(request(1, prompt(30), 9));
    scheduler.submit(request(2, prompt(30), 9));
    assertEquals(List.of(1, 8), sizes(take(scheduler)), "at least eight");
    assertEquals(List.of(1, 8), sizes(take(scheduler)));
    for (int i = 10; i < 22; i++) {
      scheduler.submit(request(i, prompt(1), 60));
    }
    while (scheduler.counters().queuedTokens() > 0) {
      take(scheduler);
    }
    scheduler.submit(request(30, prompt(100), 9));
    List<Integer> last = sizes(take(scheduler));
    assertTrue(last.size() > 12);
    assertEquals(last.size() - 1, last.getLast(), "as many as decode");
  }

  @Test
  void aBudgetBelowTheSequencesIsSharedByAsManyAsItHolds() {
    Scheduler scheduler = new Scheduler(limits(8, 3, 100));
    for (int i = 0; i < 6; i++) {
      scheduler.submit(request(i, prompt(2), 4));
    }
    int ended = 0;
    for (int i = 0; !scheduler.idle(); i++) {
      assertTrue(i < 100);
      Batch batch = scheduler.schedule();
      assertTrue(batch.tokens() <= 3);
      ended += ends(scheduler.update(batch, draw(batch, 5))).size();
    }
    assertEquals(6, ended);
  }

  @Test
  void tellsWhereTheTimeWent() {
    Scheduler scheduler = new Scheduler(limits(1, 4, 100));
    scheduler.tick(-5 * SECOND);
    scheduler.submit(request(1, prompt(6), 3), SECOND);
    scheduler.submit(request(2, prompt(2), 1), 0);
    scheduler.tick(-3 * SECOND);
    step(scheduler, 5); // the prompt's first four tokens
    step(scheduler, 5);
    scheduler.tick(0);
    step(scheduler, 5);
    scheduler.tick(4 * SECOND);
    Timing timing = Objects.requireNonNull(step(scheduler, 5).getFirst().timing());
    assertEquals(new Timing(3 * SECOND, 0, 7 * SECOND), timing);
    assertEquals(7 * SECOND, timing.prefill() + timing.decode());
    Delta unstarted = scheduler.abortAll(FinishReason.ABORT).getFirst();
    assertEquals(new Timing(9 * SECOND, 0, 0), unstarted.timing());
  }

  @Test
  void countsStepsByWhatTheyBring() {
    Scheduler scheduler = new Scheduler(limits(8, 6, 100));
    scheduler.submit(request(1, prompt(10), 2));
    finish(scheduler, 5);
    // Nothing, then ten tokens of the prompt and the first drawn, then one.
    assertEquals(List.of(2L, 0L, 1L), scheduler.totals().iterationTokens().subList(0, 3));
    assertEquals(12, scheduler.totals().iterationTokensSum());
  }

  private static Batch take(Scheduler scheduler) {
    Batch batch = scheduler.schedule();
    scheduler.update(batch, draw(batch, 5));
    return batch;
  }

  private static List<Integer> sizes(Batch batch) {
    return batch.items().stream().map(item -> item.tokens().size()).toList();
  }
}
