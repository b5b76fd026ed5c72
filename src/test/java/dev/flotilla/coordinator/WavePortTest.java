package dev.flotilla.coordinator;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.Endpoint;
import dev.flotilla.protocol.EngineFacts;
import dev.flotilla.protocol.EngineWork;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.Generation;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.LockstepLoad;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A coordinator of a lockstep group over a real bus. */
class WavePortTest {
  private static final String HASH = "c0ffee";
  private static final EngineFacts FACTS =
      new EngineFacts("m", "scripted", 64, 16, 4096, 256, 2048, "0", 1, HASH);

  private final Vertx vertx = Vertx.vertx();
  private final Bus bus = Bus.of(vertx);

  /** An engine that does what it is told, and reports it. */
  private final class Member {
    private final Rank rank;
    private final Incarnation incarnation;
    private final List<ToEngine> told = new CopyOnWriteArrayList<>();
    private final AtomicLong sequence = new AtomicLong();
    private volatile @Nullable Epoch epoch;
    private volatile @Nullable Generation generation;
    private volatile long wave;
    private volatile boolean running;
    private volatile boolean dead;

    Member(int number, String name) throws Exception {
      rank = new Rank(number);
      incarnation = new Incarnation(name);
      join(bus.consume(Addresses.candidate(incarnation), this::receive));
      join(bus.consume(Addresses.engine(rank, incarnation), this::receive));
      vertx.setPeriodic(1, 50, ignored -> live());
    }

    private void live() {
      Epoch given = epoch;
      if (dead) {
        return;
      }
      if (given == null) {
        bus.send(
            Addresses.HANDSHAKE,
            new ToCoordinator.Hello(
                incarnation,
                rank,
                new NodeId("n"),
                true,
                false,
                HASH,
                Epoch.NONE,
                Term.NONE,
                new Endpoint("127.0.0.1", 5_000 + rank.value())));
        return;
      }
      if (told.stream().noneMatch(ToEngine.Welcome.class::isInstance)) {
        bus.send(
            Addresses.HANDSHAKE, new ToCoordinator.Ready(rank, incarnation, given, FACTS, null));
      }
      report(given);
    }

    private void report(Epoch under) {
      Generation of = generation;
      bus.send(
          Addresses.COORDINATOR,
          new ToCoordinator.Load(
              new LoadReport(
                  rank,
                  incarnation,
                  under,
                  sequence.incrementAndGet(),
                  0,
                  0,
                  0,
                  0,
                  0,
                  64,
                  sequence.get(),
                  wave,
                  running,
                  0,
                  List.of(),
                  null,
                  EngineWork.guessed(0, 0, 0),
                  new LockstepLoad(of == null ? 0 : of.number(), running, 0, 0))));
    }

    private void receive(ToEngine message) {
      told.add(message);
      switch (message) {
        case ToEngine.Init init -> epoch = init.epoch();
        case ToEngine.Regroup regroup -> {
          generation = regroup.generation();
          wave = regroup.wave();
          running = false;
        }
        case ToEngine.StartWave start -> {
          wave = start.wave();
          running = true;
        }
        default -> {}
      }
    }

    void want() {
      bus.send(
          Addresses.COORDINATOR,
          new ToCoordinator.WantWave(rank, incarnation, generation().number(), wave));
    }

    void complete() {
      running = false;
      wave++;
    }

    void die() {
      dead = true;
      bus.send(Addresses.COORDINATOR, new ToCoordinator.Leaving(rank, incarnation, "killed"));
    }

    Generation generation() {
      Generation of = generation;
      assertNotNull(of);
      return of;
    }

    boolean in(int size) {
      Generation of = generation;
      return of != null && of.size() == size;
    }
  }

  private static <T> T join(io.vertx.core.Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  @BeforeEach
  void start() throws Exception {
    join(
        vertx.deployVerticle(
            CoordinatorVerticle.class.getName(),
            new DeploymentOptions()
                .setConfig(
                    new JsonObject()
                        .put("data-parallel-size", 2)
                        .put("lockstep", true)
                        .put("config-hash", HASH))));
  }

  @AfterEach
  void stop() throws Exception {
    join(vertx.close());
  }

  @Test
  void aGroupIsFormedRunsItsWavesAndGoesOnWithoutARankUntilThatComesBack() throws Exception {
    Member zero = new Member(0, "0a");
    Member one = new Member(1, "1a");
    await().atMost(Duration.ofSeconds(40)).until(() -> zero.in(2) && one.in(2));
    assertEquals(zero.generation(), one.generation());
    assertEquals(
        List.of(new Endpoint("127.0.0.1", 5_000), new Endpoint("127.0.0.1", 5_001)),
        zero.generation().members().stream().map(Generation.Member::endpoint).toList());

    await("the coordinator knows that both have come")
        .atMost(Duration.ofSeconds(40))
        .pollInterval(Duration.ofMillis(20))
        .until(
            () -> {
              one.want();
              return zero.running && one.running;
            });
    zero.complete();
    one.complete();
    await()
        .atMost(Duration.ofSeconds(40))
        .pollInterval(Duration.ofMillis(20))
        .until(
            () -> {
              zero.want();
              return zero.running && one.running && zero.wave == 1;
            });

    long former = zero.generation().number();
    one.die();
    await().atMost(Duration.ofSeconds(40)).until(() -> zero.in(1));
    assertTrue(zero.generation().number() > former);
    assertEquals(2, zero.wave, "the wave that ran is closed");

    Member again = new Member(1, "1b");
    await().atMost(Duration.ofSeconds(40)).until(() -> zero.in(2) && again.in(2));
    assertEquals(zero.generation(), again.generation());
    ToEngine.Init init =
        again.told.stream()
            .filter(ToEngine.Init.class::isInstance)
            .map(ToEngine.Init.class::cast)
            .findFirst()
            .orElseThrow();
    Generation told = init.generation();
    assertNotNull(told);
    assertEquals(1, told.size(), "Init says how the group is without it");
  }
}
