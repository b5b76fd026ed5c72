package dev.flotilla.scheduler;

import static dev.flotilla.scheduler.Requests.id;
import static dev.flotilla.scheduler.Requests.prompt;
import static dev.flotilla.scheduler.Requests.request;
import static dev.flotilla.scheduler.Requests.step;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.PauseMode;
import dev.flotilla.protocol.ToFrontend.Delta;
import dev.flotilla.protocol.TokenIds;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PaceTest {
  private static final int TOKEN = 5;

  private static Scheduler scheduler(int seqs, int blocks) {
    return new Scheduler(new SchedulerLimits(seqs, 50, 4, 100, blocks, 4, TokenIds.of(99)));
  }

  /** Two requests of three tokens, of which one has begun. */
  private static Scheduler halfBegun() {
    Scheduler scheduler = scheduler(1, 100);
    scheduler.submit(request(1, prompt(4), 3));
    scheduler.submit(request(2, prompt(4), 3));
    step(scheduler, TOKEN);
    assertEquals(1, scheduler.counters().running());
    return scheduler;
  }

  private static List<FinishReason> ends(Scheduler scheduler) {
    return IntStream.range(0, 20)
        .mapToObj(i -> scheduler.resting() ? List.<Delta>of() : step(scheduler, TOKEN))
        .flatMap(List::stream)
        .map(Delta::finish)
        .filter(finish -> finish != null)
        .toList();
  }

  @Test
  void abortEndsWhatRunsAndWhatWaits_andKeepsWhatComesLater() {
    Scheduler scheduler = halfBegun();
    List<Delta> ended = Pace.set(scheduler, PauseMode.ABORT);
    assertEquals(
        List.of(id(1), id(2)),
        ended.stream()
            .map(Delta::request)
            .sorted((a, b) -> Long.compare(a.counter(), b.counter()))
            .toList());
    assertTrue(ended.stream().allMatch(d -> d.finish() == FinishReason.ABORT));
    assertTrue(scheduler.counters().resting());
    assertEquals(0, scheduler.counters().blocksUsed());
    scheduler.submit(request(3, prompt(4), 3));
    assertTrue(scheduler.resting(), "what comes now is queued");
    Pace.set(scheduler, null);
    assertEquals(List.of(FinishReason.LENGTH), ends(scheduler));
  }

  @Test
  void waitLetsWhatHasBegunEndAndBeginsNothing() {
    Scheduler scheduler = halfBegun();
    assertEquals(List.of(), Pace.set(scheduler, PauseMode.WAIT));
    assertFalse(scheduler.resting());
    assertEquals(List.of(FinishReason.LENGTH), ends(scheduler));
    assertTrue(scheduler.counters().resting());
    assertEquals(1, scheduler.counters().waiting());
    Pace.set(scheduler, null);
    assertEquals(List.of(FinishReason.LENGTH), ends(scheduler));
  }

  @Test
  void waitFinishesWhatHasBegunAndWasPreempted() {
    Scheduler scheduler = scheduler(2, 6); // Six blocks of four: too few for both to the end.
    scheduler.submit(request(1, prompt(7), 9));
    scheduler.submit(request(2, TokenIds.of(9, 8, 7, 6, 5, 4, 3), 9));
    step(scheduler, TOKEN);
    step(scheduler, TOKEN);
    assertEquals(2, scheduler.counters().running());
    Pace.set(scheduler, PauseMode.WAIT);
    scheduler.submit(request(3, prompt(2), 2));
    assertEquals(2, ends(scheduler).size());
    assertTrue(scheduler.counters().preemptions() > 0, "one had to give way");
    assertEquals(1, scheduler.counters().waiting());
  }

  @Test
  void keepFreezesAll_whichGoOnWhereTheyWere() {
    Scheduler scheduler = halfBegun();
    Pace.set(scheduler, PauseMode.KEEP);
    assertTrue(scheduler.counters().resting());
    assertEquals(1, scheduler.counters().running());
    assertTrue(scheduler.counters().blocksUsed() > 0);
    Pace.set(scheduler, null);
    Delta next = step(scheduler, TOKEN).getFirst();
    assertEquals(id(1), next.request());
    assertEquals(1, next.offset());
  }

  @Test
  void theQueueKeepsItsBoundWhilePaused() {
    Scheduler scheduler = scheduler(8, 100);
    Pace.set(scheduler, PauseMode.KEEP);
    for (int i = 1; i <= 4; i++) {
      assertEquals(new Admission.Accepted(), scheduler.submit(request(i, prompt(2), 2)));
    }
    assertTrue(
        scheduler.submit(request(5, prompt(2), 2)) instanceof Admission.Refused r
            && r.status() == 429);
  }
}
