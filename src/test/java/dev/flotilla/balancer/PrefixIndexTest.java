package dev.flotilla.balancer;

import static dev.flotilla.balancer.FleetOf.incarnation;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;

/** The index against plain sets, and its numbers. */
class PrefixIndexTest {
  private final PrefixIndex index = new PrefixIndex();

  private int hits(int engine, long... chain) {
    index.look(PrefixChain.of(16, chain));
    return index.hits(incarnation(engine));
  }

  @Test
  void countsBlocksFromTheStartOnly() {
    index.added(incarnation(0), 1, 5);
    index.added(incarnation(0), 2, 7);
    index.added(incarnation(1), 1, 6);
    assertEquals(1, hits(0, 5, 6, 7));
    assertEquals(0, hits(1, 5, 6, 7));
    assertEquals(0, hits(2, 5));
  }

  @Test
  void aGapMakesTheEngineUnknownUntilASnapshot() {
    assertEquals(PrefixIndex.Taken.APPLIED, index.added(incarnation(0), 1, 5));
    assertEquals(PrefixIndex.Taken.OLD, index.evicted(incarnation(0), 1, 5));
    assertEquals(PrefixIndex.Taken.GAP, index.added(incarnation(0), 3, 7));
    assertEquals(0, hits(0, 5));
    assertEquals(PrefixIndex.Taken.GAP, index.added(incarnation(0), 4, 8));
    index.snapshot(incarnation(0), 4, new long[] {5, 6});
    assertEquals(2, hits(0, 5, 6, 8));
    assertEquals(PrefixIndex.Taken.APPLIED, index.added(incarnation(0), 5, 8));
    assertEquals(3, hits(0, 5, 6, 8));
    index.snapshot(incarnation(0), 4, new long[0]);
    assertEquals(3, hits(0, 5, 6, 8));
  }

  @Test
  void clearingNeedsNoSnapshot() {
    index.added(incarnation(0), 1, 5);
    index.added(incarnation(0), 9, 6);
    assertEquals(PrefixIndex.Taken.APPLIED, index.cleared(incarnation(0), 12));
    assertEquals(0, hits(0, 5));
    index.added(incarnation(0), 13, 5);
    assertEquals(1, hits(0, 5));
  }

  @Test
  void whoIsForgottenLeavesNothing() {
    for (int engine = 0; engine < 130; engine++) {
      index.added(incarnation(engine), 1, engine);
    }
    assertEquals(130, index.size());
    assertEquals(1, hits(129, 129));
    for (int engine = 0; engine < 130; engine++) {
      index.forget(incarnation(engine));
    }
    assertEquals(0, index.size());
    index.added(incarnation(500), 1, 3);
    assertEquals(0, hits(500, 129));
  }

  @Test
  void agreesWithPlainSetsOverRandomChanges() {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(11);
    int engines = 70;
    List<Set<Long>> truth = new ArrayList<>();
    long[] numbers = new long[engines];
    for (int i = 0; i < engines; i++) {
      truth.add(new HashSet<>());
    }
    for (int round = 0; round < 60_000; round++) {
      int engine = random.nextInt(engines);
      // Few low bits differ, so that entries crowd and runs must close over holes.
      long hash = random.nextLong(400) << 40;
      if (random.nextInt(5) < 3) {
        index.added(incarnation(engine), ++numbers[engine], hash);
        truth.get(engine).add(hash);
      } else {
        index.evicted(incarnation(engine), ++numbers[engine], hash);
        truth.get(engine).remove(hash);
      }
      if (round % 50 == 0) {
        long[] chain = random.longs(3, 0, 400).map(h -> h << 40).toArray();
        index.look(PrefixChain.of(16, chain));
        for (int i = 0; i < engines; i++) {
          int expected = 0;
          while (expected < chain.length && truth.get(i).contains(chain[expected])) {
            expected++;
          }
          assertEquals(expected, index.hits(incarnation(i)));
        }
      }
    }
    Set<Long> all = new HashSet<>();
    truth.forEach(all::addAll);
    assertEquals(all.size(), index.size());
  }
}
