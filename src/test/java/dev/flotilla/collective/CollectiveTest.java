package dev.flotilla.collective;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.collective.TestGroup.Way;
import dev.flotilla.model.CollectiveException;
import dev.flotilla.model.CollectiveException.Kind;
import dev.flotilla.model.Parcel;
import dev.flotilla.protocol.Generation;
import dev.flotilla.protocol.Rank;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Both implementations of the port against a plain sequential reference, and their failures. */
class CollectiveTest {
  private static final long LONG_MS = 20_000;
  private static final long SHORT_MS = 250;

  /** What {@code from} gives {@code to} in one round: sizes and contents depend on these alone. */
  private static Parcel parcel(int round, int from, int to) {
    RandomGenerator random =
        RandomGeneratorFactory.of("L64X128MixRandom").create(round * 10_007L + from * 101L + to);
    boolean great = round % 7 == 3 && from == 0;
    int numbers = random.nextInt(40);
    int values = random.nextInt(4) == 0 ? 0 : random.nextInt(great ? 2_000_000 : 5_000);
    Parcel parcel = new Parcel().reset(numbers, values);
    Arrays.setAll(parcel.numbers(), i -> random.nextInt());
    for (int i = 0; i < values; i++) {
      parcel.values()[i] = Float.intBitsToFloat(i * 31 + from * 7 + to + round);
    }
    return parcel;
  }

  private static void assertSame(Parcel expected, Parcel actual, String where) {
    assertEquals(expected.numberCount(), actual.numberCount(), where);
    assertEquals(expected.valueCount(), actual.valueCount(), where);
    assertTrue(
        Arrays.equals(
            expected.numbers(),
            0,
            expected.numberCount(),
            actual.numbers(),
            0,
            expected.numberCount()),
        where);
    for (int i = 0; i < expected.valueCount(); i++) {
      if (Float.floatToRawIntBits(expected.values()[i])
          != Float.floatToRawIntBits(actual.values()[i])) {
        throw new AssertionError("%s: activation %d differs".formatted(where, i));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void givesEachMemberWhatTheOthersMeantForIt_whateverTheSizes(Way way) {
    for (int size : new int[] {1, 2, 3, 8}) {
      try (TestGroup group = new TestGroup(way, size, LONG_MS)) {
        group.run(
            collective -> {
              for (int round = 0; round < 12; round++) {
                Parcel[] outgoing = new Parcel[size];
                for (int to = 0; to < size; to++) {
                  outgoing[to] = parcel(round, collective.own(), to);
                }
                Parcel[] incoming = collective.exchange(round, outgoing);
                for (int from = 0; from < size; from++) {
                  String where = "round %d, %d to %d".formatted(round, from, collective.own());
                  assertSame(parcel(round, from, collective.own()), incoming[from], where);
                }
              }
              return collective.exchanges();
            });
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void sumsAreThoseOfAPlainLoop(Way way) {
    int size = 4;
    try (TestGroup group = new TestGroup(way, size, LONG_MS)) {
      List<List<int[]>> sums =
          group.run(
              collective -> {
                List<int[]> mine = new ArrayList<>();
                for (int round = 0; round < 200; round++) {
                  mine.add(collective.sum(round * collective.own(), 1, -collective.own()));
                }
                return mine;
              });
      for (List<int[]> mine : sums) {
        for (int round = 0; round < 200; round++) {
          assertArrayEquals(new int[] {round * (1 + 2 + 3), 4, -6}, mine.get(round));
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void namesTheMemberThatStallsPastTheDeadline_toAllWhoWait(Way way) {
    try (TestGroup group = new TestGroup(way, 4, SHORT_MS)) {
      List<Future<int[]>> waiting = new ArrayList<>();
      long start = System.nanoTime();
      for (int rank : new int[] {0, 1, 3}) {
        waiting.add(group.start(rank, collective -> collective.sum(1)));
      }
      for (Future<int[]> future : waiting) {
        CollectiveException failure =
            assertThrows(CollectiveException.class, () -> TestGroup.result(future));
        assertEquals(Kind.STALLED, failure.kind(), failure.getMessage());
        assertEquals(List.of(new Rank(2)), failure.missing(), failure.getMessage());
      }
      long tookMs = (System.nanoTime() - start) / 1_000_000;
      assertTrue(tookMs >= SHORT_MS && tookMs < SHORT_MS + 5_000, "took " + tookMs + " ms");
      assertThrows(CollectiveException.class, () -> group.members().get(0).sum(1));
      // Over sockets the late one still finds the others' parcels; the next exchange tells it.
      assertThrows(
          CollectiveException.class,
          () -> {
            group.members().get(2).sum(1);
            group.members().get(2).sum(1);
          });
    }
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void namesTheMemberThatDies_atOnce(Way way) {
    try (TestGroup group = new TestGroup(way, 3, LONG_MS)) {
      assertEquals(3, group.run(collective -> collective.sum(1)[0]).getFirst());
      long start = System.nanoTime();
      Future<int[]> zero = group.start(0, collective -> collective.sum(1));
      Future<int[]> two = group.start(2, collective -> collective.sum(1));
      group.members().get(1).close();
      for (Future<int[]> future : List.of(zero, two)) {
        CollectiveException failure =
            assertThrows(CollectiveException.class, () -> TestGroup.result(future));
        assertEquals(Kind.GONE, failure.kind(), failure.getMessage());
        assertEquals(List.of(new Rank(1)), failure.missing(), failure.getMessage());
      }
      assertTrue(System.nanoTime() - start < LONG_MS * 1_000_000 / 2, "waited for the deadline");
      CollectiveException own =
          assertThrows(CollectiveException.class, () -> group.members().get(1).sum(1));
      assertTrue(own.kind() == Kind.CLOSED || own.kind() == Kind.GONE, own.getMessage());
    }
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void refusesAMemberThatComesToAnotherExchange(Way way) {
    try (TestGroup group = new TestGroup(way, 2, LONG_MS)) {
      Parcel[] nothing = {new Parcel(), new Parcel()};
      Future<Parcel[]> zero = group.start(0, collective -> collective.exchange(4, nothing));
      Future<Parcel[]> one = group.start(1, collective -> collective.exchange(5, nothing));
      for (Future<Parcel[]> future : List.of(zero, one)) {
        CollectiveException failure =
            assertThrows(CollectiveException.class, () -> TestGroup.result(future));
        assertEquals(Kind.OUT_OF_STEP, failure.kind(), failure.getMessage());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void refusesAMemberOfAnotherGeneration(Way way) {
    try (TestGroup group = new TestGroup(way, 2, SHORT_MS)) {
      Generation next = new Generation(8, group.generation().members());
      if (way == Way.MEMORY) {
        SharedGroup fresh = new SharedGroup(group.generation(), SHORT_MS);
        CollectiveException failure =
            assertThrows(CollectiveException.class, () -> fresh.join(next, new Rank(1)));
        assertEquals(Kind.WRONG_GENERATION, failure.kind());
        return;
      }
      List<Callable<Kind>> both = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        int rank = i;
        both.add(
            () -> {
              Generation mine = rank == 0 ? group.generation() : next;
              CollectiveException failure =
                  assertThrows(
                      CollectiveException.class,
                      () ->
                          SocketCollective.connect(
                              group.doors().get(rank), mine, new Rank(rank), SHORT_MS, SHORT_MS));
              assertEquals(List.of(new Rank(1 - rank)), failure.missing());
              return failure.kind();
            });
      }
      assertEquals(List.of(Kind.WRONG_GENERATION, Kind.WRONG_GENERATION), group.all(both));
    }
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void aMemberThatLeavesAfterAnExchangeDoesNotUndoIt(Way way) {
    for (int round = 0; round < 20; round++) {
      try (TestGroup group = new TestGroup(way, 3, LONG_MS)) {
        List<Integer> sums =
            group.run(
                collective -> {
                  int sum = collective.sum(collective.own())[0];
                  collective.close();
                  return sum;
                });
        assertEquals(List.of(3, 3, 3), sums);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void waitsWithoutSpinning(Way way) {
    try (TestGroup group = new TestGroup(way, 2, LONG_MS)) {
      Future<Long> zero =
          group.start(
              0,
              collective -> {
                long before = cpuNanos();
                collective.sum(1);
                return cpuNanos() - before;
              });
      long until = System.nanoTime() + 300_000_000;
      while (System.nanoTime() < until) {
        LockSupport.parkNanos(10_000_000);
      }
      Future<Integer> one = group.start(1, collective -> collective.sum(1)[0]);
      assertEquals(2, TestGroup.result(one));
      long usedMs = TestGroup.result(zero) / 1_000_000;
      assertTrue(usedMs < 100, "waiting for 300 ms used " + usedMs + " ms of processor time");
    }
  }

  private static long cpuNanos() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }
}
