package dev.flotilla.scheduler;

import static dev.flotilla.scheduler.Requests.finish;
import static dev.flotilla.scheduler.Requests.prompt;
import static dev.flotilla.scheduler.Requests.request;
import static dev.flotilla.scheduler.Requests.step;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.model.Batch;
import dev.flotilla.protocol.PrefixHash;
import dev.flotilla.protocol.PrefixHasher;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.ToFrontend.Delta;
import dev.flotilla.protocol.TokenIds;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PrefixCacheTest {
  private static final int EOS = 99;

  private static Scheduler scheduler(int blocks) {
    return new Scheduler(
        new SchedulerLimits(8, 100, 8, 200, blocks, 4, TokenIds.of(EOS)).withPrefixCaching(true));
  }

  @Test
  void computesOnlyWhatNobodyHasComputed() {
    Scheduler scheduler = scheduler(50);
    scheduler.submit(request(1, prompt(10), 2));
    assertEquals(0, finish(scheduler, 5).getFirst().cachedTokens());
    scheduler.submit(request(2, prompt(11), 2));
    Batch batch = scheduler.schedule();
    assertEquals(8, batch.items().getFirst().start(), "two full blocks are there");
    assertEquals(TokenIds.of(9, 10, 11), batch.items().getFirst().tokens());
    List<Delta> deltas = scheduler.update(batch, Requests.draw(batch, 5));
    assertEquals(8, deltas.getFirst().cachedTokens());
    assertEquals(0, finish(scheduler, 5).getFirst().cachedTokens(), "told once");
    assertEquals(21, scheduler.totals().prefixQueries());
    assertEquals(8, scheduler.totals().prefixHits());
    assertEquals(21, scheduler.totals().promptTokens());
    assertEquals(4, scheduler.totals().generationTokens());
  }

  @Test
  void alwaysComputesTheLastTokenOfAPrompt() {
    Scheduler scheduler = scheduler(50);
    scheduler.submit(request(1, prompt(8), 1));
    finish(scheduler, 5);
    scheduler.submit(request(2, prompt(8), 1));
    assertEquals(4, scheduler.schedule().items().getFirst().tokens().size());
  }

  @Test
  void findsWhatWasGeneratedToo() {
    Scheduler scheduler = scheduler(50);
    scheduler.submit(request(1, prompt(6), 3));
    finish(scheduler, 5);
    scheduler.submit(request(2, prompt(6).concat(TokenIds.of(5, 5, 7)), 1));
    assertEquals(8, finish(scheduler, 5).getFirst().cachedTokens());
  }

  @Test
  void sharesNothingAcrossSalts() {
    Scheduler scheduler = scheduler(50);
    for (int i = 0; i < 4; i++) {
      scheduler.submit(request(i, prompt(9), Sampling.greedy(1), 0, i % 2 == 0 ? "" : "a"));
      assertEquals(i < 2 ? 0 : 8, finish(scheduler, 5).getFirst().cachedTokens());
    }
  }

  @Test
  void computesEveryPositionOfAPromptWhoseLogprobsAreWanted() {
    Scheduler scheduler = scheduler(50);
    scheduler.submit(request(1, prompt(9), 1));
    finish(scheduler, 5);
    long queries = scheduler.totals().prefixQueries();
    scheduler.submit(request(2, prompt(9), Sampling.greedy(1).withLogprobs(-1, 0), 0, ""));
    assertEquals(9, scheduler.schedule().items().getFirst().tokens().size());
    assertEquals(queries, scheduler.totals().prefixQueries(), "it was not looked for");
  }

  @Test
  void sharesBlocksWhileTheyAreUsed() {
    Scheduler scheduler = scheduler(4);
    scheduler.submit(request(1, prompt(9), 4));
    step(scheduler, 5);
    scheduler.submit(request(2, prompt(9), 4));
    step(scheduler, 6);
    assertEquals(2, scheduler.counters().running(), "alone each needs three of four blocks");
    assertEquals(4, scheduler.counters().blocksUsed());
    assertEquals(2, scheduler.pool().owners(scheduler.running().getFirst().block(0)));
    finish(scheduler, 5);
    assertEquals(0, scheduler.counters().blocksUsed());
  }

  @Test
  void evictsWhatWasUsedLeastRecentlyAndFromItsEnd() {
    Scheduler scheduler = scheduler(6);
    TokenIds first = prompt(9);
    TokenIds second = TokenIds.of(50, 51, 52, 53, 54, 55, 56, 57, 58);
    scheduler.submit(request(1, first, 1));
    finish(scheduler, 5);
    scheduler.submit(request(2, second, 1));
    finish(scheduler, 5);
    scheduler.submit(request(3, first, 1));
    assertEquals(8, finish(scheduler, 5).getFirst().cachedTokens(), "used again");
    // Two blocks are plain and four are named; this one takes three, so one name goes.
    scheduler.submit(request(4, TokenIds.of(80, 81, 82, 83, 84, 85, 86, 87, 88), 1));
    finish(scheduler, 5);
    scheduler.submit(request(5, first, 1));
    assertEquals(8, finish(scheduler, 5).getFirst().cachedTokens(), "it was not the oldest");
    scheduler.submit(request(6, second, 1));
    assertEquals(4, finish(scheduler, 5).getFirst().cachedTokens(), "its end was evicted");
  }

  @Test
  void resetsOnlyWhileNothingIsUsedUnlessItMayPreempt() {
    Scheduler scheduler = scheduler(50);
    scheduler.submit(request(1, prompt(9), 3));
    step(scheduler, 5);
    assertFalse(scheduler.resetPrefixCache(false));
    assertTrue(scheduler.resetPrefixCache(true));
    assertEquals(1, scheduler.counters().waiting());
    assertEquals(Set.of(), scheduler.prefixes().blocks());
    assertEquals(2, finish(scheduler, 5).size(), "it goes on where it was");
    assertTrue(scheduler.resetPrefixCache(false));
    scheduler.submit(request(2, prompt(9), 1));
    assertEquals(0, finish(scheduler, 5).getFirst().cachedTokens());
  }

  @Test
  void isOffIfTheLimitsSaySo() {
    Scheduler scheduler =
        new Scheduler(new SchedulerLimits(8, 100, 8, 200, 50, 4, TokenIds.of(EOS)));
    for (int i = 0; i < 2; i++) {
      scheduler.submit(request(i, prompt(9), 1));
      assertEquals(0, finish(scheduler, 5).getFirst().cachedTokens());
    }
    assertEquals(0, scheduler.totals().prefixQueries());
  }

  @Test
  void eventsTellWhatTheCacheHolds() {
    Scheduler scheduler = scheduler(5);
    Set<PrefixHash> told = new HashSet<>();
    long seen = 0;
    for (int i = 0; i < 20; i++) {
      int start = i * i % 7 * 10;
      scheduler.submit(
          request(i, TokenIds.of(start, start, start, start, i, i, i, i, start), i % 4 + 1));
      finish(scheduler, 5);
      if (i == 12) {
        assertTrue(scheduler.resetPrefixCache(false));
      }
      for (PrefixEvent event : scheduler.prefixEvents(seen)) {
        assertEquals(++seen, event.number());
        switch (event.kind()) {
          case ADDED -> assertTrue(told.add(event.hash()));
          case EVICTED -> assertTrue(told.remove(event.hash()));
          case CLEARED -> told.clear();
        }
      }
      assertEquals(new PrefixContents(seen, told), scheduler.prefixes());
    }
    assertTrue(seen > 40, "too little happened");
  }

  @Test
  void forgetsOldEventsAndShowsIt() {
    PrefixEvents events = new PrefixEvents();
    for (int i = 0; i < PrefixEvents.COUNT_MAX + 5; i++) {
      events.add(PrefixEvent.Kind.ADDED, new PrefixHash(0, i));
    }
    assertEquals(PrefixEvents.COUNT_MAX, events.after(0).size());
    assertEquals(6, events.after(0).getFirst().number());
    assertEquals(3, events.after(events.last() - 3).size());
  }

  @Test
  void hashesAreTheSameEverywhereAndDependOnAllThatGoesBefore() {
    PrefixHasher hasher = new PrefixHasher();
    int[] tokens = {1, 2, 3, 4, 5, 6, 7, 8};
    PrefixHash first = hasher.next(hasher.root(""), tokens, 0, 4);
    assertEquals(first, new PrefixHasher().next(new PrefixHasher().root(""), tokens, 0, 4));
    assertNotEquals(first, hasher.next(hasher.root("a"), tokens, 0, 4));
    assertNotEquals(hasher.next(first, tokens, 4, 4), hasher.next(hasher.root(""), tokens, 4, 4));
  }
}
