package dev.flotilla.collective;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.collective.TestGroup.Way;
import dev.flotilla.model.Collective;
import dev.flotilla.model.CollectiveException;
import dev.flotilla.protocol.Generation;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Rank;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The ways of ranks from one generation into the next, in one JVM's memory and over sockets. */
class EntranceTest {
  private static final long JOIN_MS = 20_000;
  private static final long DEADLINE_MS = 20_000;

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final List<Incarnation> ranks = new ArrayList<>();
  private final List<Entrance> entrances = new ArrayList<>();

  private void open(Way way, int count) {
    for (int i = 0; i < count; i++) {
      Incarnation self = new Incarnation(UUID.randomUUID().toString());
      ranks.add(self);
      entrances.add(Entrance.open(self, "127.0.0.1", JOIN_MS, DEADLINE_MS));
      if (way == Way.SOCKETS) {
        LocalGroups.remove(self); // As if each lived in a JVM of its own.
      }
    }
  }

  private Generation generation(long number, int... members) {
    List<Generation.Member> list = new ArrayList<>();
    for (int member : members) {
      list.add(
          new Generation.Member(
              new Rank(member), ranks.get(member), entrances.get(member).endpoint()));
    }
    return new Generation(number, list);
  }

  /** Calls it at the members only, and has them join. */
  private List<Future<Collective>> join(Generation generation) {
    List<Future<Collective>> joins = new ArrayList<>();
    for (Generation.Member member : generation.members()) {
      Entrance entrance = entrances.get(member.rank().value());
      assertTrue(entrance.called(generation));
      joins.add(threads.submit(() -> entrance.join(generation)));
    }
    return joins;
  }

  private static CollectiveException failure(Future<?> of) {
    return assertThrows(CollectiveException.class, () -> TestGroup.result(of));
  }

  @AfterEach
  void close() {
    entrances.forEach(Entrance::close);
    threads.shutdownNow();
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void aNewerGenerationEndsAnExchangeOfTheOldOneAtOnce_andTheNextOneWorks(Way way)
      throws Exception {
    open(way, 3);
    List<Future<Collective>> first = join(generation(1, 0, 1, 2));
    Collective zero = TestGroup.result(first.get(0));
    TestGroup.result(first.get(1));
    TestGroup.result(first.get(2));
    assertEquals(way == Way.SOCKETS, zero instanceof SocketCollective);
    CountDownLatch waits = new CountDownLatch(1);
    Future<?> waiting =
        threads.submit(
            () -> {
              waits.countDown();
              return zero.sum(1);
            });
    assertTrue(waits.await(10, TimeUnit.SECONDS));
    long start = System.nanoTime();
    List<Future<Collective>> next = join(generation(2, 0, 2));
    assertInstanceOf(CollectiveException.class, failure(waiting));
    assertTrue(System.nanoTime() - start < DEADLINE_MS * 500_000, "long before the deadline");
    List<Future<int[]>> sums = new ArrayList<>();
    for (Future<Collective> one : next) {
      sums.add(threads.submit(() -> TestGroup.result(one).sum(21)));
    }
    for (Future<int[]> sum : sums) {
      assertEquals(42, TestGroup.result(sum)[0]);
    }
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void aNewerGenerationEndsTheWaitForTheMembersOfTheOldOne(Way way) {
    open(way, 3);
    Generation first = generation(1, 0, 1, 2);
    for (int i = 0; i < 2; i++) {
      assertTrue(entrances.get(i).called(first));
    }
    Future<Collective> one = threads.submit(() -> entrances.get(0).join(first));
    Future<Collective> two = threads.submit(() -> entrances.get(1).join(first));
    List<Future<Collective>> next = join(generation(2, 0, 1));
    failure(one);
    failure(two);
    next.forEach(TestGroup::result);
    assertFalse(entrances.get(0).called(first), "an older one has no effect");
    assertEquals(2, entrances.get(0).newest());
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void closingOneFailsThoseWhoWaitForItAtOnce(Way way) {
    open(way, 2);
    List<Future<Collective>> first = join(generation(1, 0, 1));
    Collective zero = TestGroup.result(first.get(0));
    TestGroup.result(first.get(1));
    Future<?> waiting = threads.submit(() -> zero.sum(1));
    entrances.get(1).close();
    assertEquals(List.of(new Rank(1)), failure(waiting).missing());
    assertFalse(entrances.get(1).called(generation(2, 0)));
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void noMemberOfTheListIsToldSo(Way way) {
    open(way, 2);
    Generation other = generation(1, 0);
    assertEquals(-1, entrances.get(1).indexIn(other));
    assertThrows(CollectiveException.class, () -> entrances.get(1).join(other));
  }
}
