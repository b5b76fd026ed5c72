package dev.flotilla.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.Scenario;
import dev.flotilla.config.Config;
import dev.flotilla.config.EngineConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** The engines of a node with processes that do what the test says, in virtual time. */
class SupervisorTest {
  private final List<FakeProcess> started = new ArrayList<>();
  private final List<String> told = new ArrayList<>();
  private final TreeMap<Long, List<Runnable>> timers = new TreeMap<>();
  private long now;

  private static final class FakeProcess implements EngineProcess {
    final String name;
    final CompletableFuture<Void> started = new CompletableFuture<>();
    final CompletableFuture<EngineEnd> ended = new CompletableFuture<>();
    boolean stopped;
    boolean deaf;

    FakeProcess(String name) {
      this.name = name;
    }

    void exit(int code) {
      EngineEnd end = new EngineEnd(name, code, "");
      started.completeExceptionally(new Ended(end));
      ended.complete(end);
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public CompletionStage<Void> started() {
      return started;
    }

    @Override
    public CompletionStage<EngineEnd> ended() {
      return ended;
    }

    @Override
    public void stop() {
      stopped = true;
      if (!deaf) {
        exit(0);
      }
    }

    @Override
    public void kill() {
      exit(137);
    }
  }

  private final class Told implements Supervisor.Watch {
    @Override
    public void died(EngineProcess engine, EngineEnd end) {
      told.add("died: " + end.sentence());
    }

    @Override
    public void givenUp(EngineConfig engine, String reason) {
      told.add("given up: " + engine.rank() + " " + reason);
    }

    @Override
    public void failed(String sentence) {
      told.add("failed: " + sentence);
    }
  }

  private final class Time implements Supervisor.Timer {
    @Override
    public long nowMs() {
      return now;
    }

    @Override
    public void after(long ms, Runnable action) {
      timers.computeIfAbsent(now + ms, at -> new ArrayList<>()).add(action);
    }
  }

  private void advance(long ms) {
    long end = now + ms;
    while (!timers.isEmpty() && timers.firstKey() <= end) {
      Map.Entry<Long, List<Runnable>> due = timers.pollFirstEntry();
      now = due.getKey();
      due.getValue().forEach(Runnable::run);
    }
    now = end;
  }

  private Supervisor supervisor(EngineFailure onFailure) {
    return new Supervisor(
        (name, index, config) -> {
          FakeProcess process = new FakeProcess(name);
          started.add(process);
          return process;
        },
        new Time(),
        Runnable::run,
        onFailure,
        new Told());
  }

  private static List<EngineConfig> ranks(int count) {
    List<EngineConfig> configs = new ArrayList<>();
    for (int rank = 0; rank < count; rank++) {
      configs.add(
          Config.parse(
              "{\"rank\":%d,\"data-parallel-size\":%d}".formatted(rank, count),
              EngineConfig.DEFAULT));
    }
    return configs;
  }

  private Supervisor allUp(int count, EngineFailure onFailure) {
    Supervisor supervisor = supervisor(onFailure);
    CompletableFuture<Void> up = supervisor.startAll(ranks(count));
    started.forEach(p -> p.started.complete(null));
    assertTrue(up.isDone() && !up.isCompletedExceptionally());
    return supervisor;
  }

  @Test
  void namesEnginesAsTheOriginalDoes() {
    var _ = supervisor(EngineFailure.CONTINUE).startAll(ranks(2));
    var _ = supervisor(EngineFailure.CONTINUE).startAll(ranks(1));
    assertEquals(
        List.of("EngineCore_DP0", "EngineCore_DP1", "EngineCore"),
        started.stream().map(FakeProcess::name).toList());
  }

  @Test
  @Scenario("A11")
  void anEngineThatExitsBeforeItIsReadyEndsTheLaunchByNameAndCode() {
    Supervisor supervisor = supervisor(EngineFailure.STOP);
    CompletableFuture<Void> up = supervisor.startAll(ranks(3));
    started.get(0).started.complete(null);
    started.get(1).exit(3);
    CompletionException e = assertThrows(CompletionException.class, up::join);
    assertTrue(
        String.valueOf(e.getMessage()).contains("EngineCore_DP1 ended with exit code 3"),
        e::getMessage);
    assertTrue(started.stream().allMatch(p -> p.ended.isDone()), "the others are terminated");
    assertEquals(2, told.size(), told::toString);
    assertEquals("EngineCore_DP1", supervisor.firstEnd().join().name());
    assertEquals(3, supervisor.finished().get("EngineCore_DP1"));
  }

  @Test
  void whatCannotBeLoadedIsNotTriedAgainAndItsSentenceIsTheLaunchs() {
    Supervisor supervisor = supervisor(EngineFailure.CONTINUE);
    CompletableFuture<Void> up = supervisor.startAll(ranks(2));
    started.get(0).started.completeExceptionally(new IllegalStateException("no such folder"));
    started.get(0).exit(1);
    CompletionException e = assertThrows(CompletionException.class, up::join);
    assertTrue(String.valueOf(e.getMessage()).endsWith("no such folder"), e::getMessage);
    assertEquals(2, started.size(), "nothing is started again");
    assertTrue(started.get(1).ended.isDone(), "the sibling is stopped");
    assertEquals(List.of("failed: no such folder"), told);
  }

  @Test
  @Scenario("A57")
  void aDeadEngineIsStartedAgainAtOnceThenLaterThenOnTrial() {
    allUp(2, EngineFailure.CONTINUE);
    now = 100_000;
    started.get(1).exit(137);
    assertEquals(3, started.size(), "at once");
    started.get(2).started.complete(null);
    now += 5_000;
    started.get(2).exit(1);
    assertEquals(3, started.size(), "not at once");
    advance(1_000);
    assertEquals(4, started.size(), "a second later");
    started.get(3).exit(1);
    advance(59_999);
    assertEquals(4, started.size(), "the circuit is open");
    assertTrue(told.getLast().startsWith("given up: 1 "), told::toString);
    advance(1);
    assertEquals(5, started.size(), "on trial");
    started.get(4).exit(1);
    advance(119_999);
    assertEquals(5, started.size(), "the trial has failed");
    advance(1);
    assertEquals(6, started.size(), "the next trial comes later");
    assertFalse(started.get(0).ended.isDone(), "the other serves on");
  }

  @Test
  void anOrderClosesTheCircuit() {
    Supervisor supervisor = supervisor(EngineFailure.CONTINUE);
    CompletableFuture<Void> up = supervisor.startAll(ranks(1));
    for (int death = 0; death < RestartPolicy.DEATHS_MAX; death++) {
      started.getLast().exit(1);
      advance(1_000);
    }
    assertEquals(RestartPolicy.DEATHS_MAX, started.size());
    assertTrue(up.isDone(), "a launch with fewer engines may go on");
    supervisor.start(ranks(1).getFirst());
    assertEquals(RestartPolicy.DEATHS_MAX + 1, started.size());
    supervisor.start(ranks(1).getFirst());
    assertEquals(RestartPolicy.DEATHS_MAX + 1, started.size(), "a repeated order is ignored");
  }

  @Test
  void theEndOfOneEndsAllWhenFailuresStop() {
    allUp(3, EngineFailure.STOP);
    started.get(2).exit(139);
    assertEquals(
        "failed: EngineCore_DP2 was killed by SIGSEGV (exit code 139); --on-engine-failure stop ends all",
        told.getLast());
    assertTrue(started.stream().allMatch(p -> p.ended.isDone()));
  }

  @Test
  @Scenario("A78")
  void whatIgnoresItsEndIsKilledAtTheCommonDeadline() {
    Supervisor supervisor = allUp(3, EngineFailure.CONTINUE);
    started.get(1).deaf = true;
    CompletableFuture<Void> stopped = supervisor.stop(2_000);
    assertTrue(started.stream().allMatch(p -> p.stopped));
    advance(1_999);
    assertFalse(stopped.isDone());
    advance(1);
    assertTrue(stopped.isDone());
    assertEquals(137, supervisor.finished().get("EngineCore_DP1"));
    assertTrue(supervisor.stop(2_000).isDone(), "a second call changes nothing");
    assertEquals(List.of(), told, "ends that were wanted are no deaths");
    assertEquals(3, started.size());
  }

  @Test
  void anEngineThatGoesByOrderIsNotStartedAgain() {
    Supervisor supervisor = allUp(2, EngineFailure.CONTINUE);
    Objects.requireNonNull(supervisor.leaving(1)).stop();
    advance(120_000);
    assertEquals(2, started.size());
    assertEquals(List.of(), told);
    supervisor.start(ranks(2).get(1));
    assertEquals(3, started.size());
  }

  @Test
  void readsMemoryNodesAndSharesThemOut() {
    assertEquals(List.of(0, 1, 4), NumaBinding.parse("0-1,4"));
    NumaBinding two = new NumaBinding(List.of(0, 1), "/usr/bin/numactl");
    assertEquals(
        List.of(0, 0, 1, 1),
        List.of(0, 1, 2, 3).stream()
            .map(r -> two.prefix(r, 4).get(1))
            .map(word -> Integer.valueOf(word.substring(word.length() - 1)))
            .toList());
    assertEquals(List.of(), new NumaBinding(List.of(0), "/usr/bin/numactl").prefix(0, 4));
    assertEquals(List.of(), new NumaBinding(List.of(0, 1), null).prefix(0, 4));
  }
}
