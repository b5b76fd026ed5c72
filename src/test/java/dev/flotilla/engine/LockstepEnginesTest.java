package dev.flotilla.engine;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.Scenario;
import dev.flotilla.config.Config;
import dev.flotilla.config.EngineConfig;
import dev.flotilla.protocol.Address;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.LockstepLoad;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.protocol.TokenIds;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Engines of one node that step together, by the scripted executor. */
class LockstepEnginesTest {
  private static final Epoch EPOCH = new Epoch(1, 1);
  private static final TokenIds PROMPT = TokenIds.of(10, 11, 12, 13);
  private static final int INTERVAL = 8;
  private static final long DEADLINE_MS = 1_000;

  private final Vertx vertx = Vertx.vertx();
  private final Bus bus = Bus.of(vertx);
  private final FakeFrontend frontend = new FakeFrontend(bus, "front");
  private final FakeCoordinator coordinator = new FakeCoordinator(bus, frontend.id);

  private static EngineConfig config(int rank, int size, double stepMs) {
    return Config.parse(
        """
        {"model": "%s", "rank": %d, "data-parallel-size": %d, "expert-parallel": true,
         "lockstep": {"sync-interval": %d, "timeout-ms": %d}}
        """
            .formatted(
                EngineVerticleTest.model().resolveSibling("tiny-qwen3-moe"),
                rank,
                size,
                INTERVAL,
                DEADLINE_MS),
        EngineVerticleTest.config(stepMs));
  }

  private List<String> deploy(int size, double stepMs) throws Exception {
    long ready = coordinator.heard(ToCoordinator.Ready.class).count();
    List<String> ids = new ArrayList<>();
    for (int rank = 0; rank < size; rank++) {
      ids.add(deploy(rank, size, stepMs));
    }
    await().until(() -> coordinator.heard(ToCoordinator.Ready.class).count() == ready + size);
    return ids;
  }

  private String deploy(int rank, int size, double stepMs) throws Exception {
    EngineConfig config = config(rank, size, stepMs);
    return EngineVerticleTest.get(
        vertx.deployVerticle(new EngineVerticle(), EngineVerticle.options(config, "rank-" + rank)));
  }

  private void start() throws Exception {
    EngineVerticleTest.get(frontend.start());
    EngineVerticleTest.get(coordinator.start());
  }

  /** The last start of a rank. */
  private Address<ToEngine> engine(int rank) {
    ToCoordinator.Ready ready =
        coordinator
            .heard(ToCoordinator.Ready.class)
            .filter(r -> r.rank().equals(new Rank(rank)))
            .reduce((a, b) -> b)
            .orElseThrow();
    return Addresses.engine(ready.rank(), ready.incarnation());
  }

  private LoadReport load(int rank) {
    return coordinator
        .heard(ToCoordinator.Load.class)
        .map(ToCoordinator.Load::load)
        .filter(load -> load.rank().equals(new Rank(rank)))
        .reduce((a, b) -> b)
        .orElseThrow();
  }

  private static LockstepLoad lockstep(LoadReport load) {
    return Objects.requireNonNull(load.lockstep());
  }

  @AfterEach
  void close() throws Exception {
    EngineVerticleTest.get(vertx.close());
  }

  @Test
  @Scenario({"A44", "A45"})
  void aRankWithoutWorkTakesEveryStepOfTheOthers_andAllRestWhenNoneHasWork() throws Exception {
    start();
    coordinator.group(3);
    deploy(3, 0);
    frontend.submit(engine(1), EPOCH, 1, 0, PROMPT, 20);
    await().until(() -> frontend.finish(1) == FinishReason.LENGTH);
    await()
        .until(
            () -> {
              for (int rank = 0; rank < 3; rank++) {
                if (lockstep(load(rank)).running() || load(rank).wave() != 1) {
                  return false;
                }
              }
              return true;
            });
    // The prompt and 20 tokens take 20 steps; the next agreement is at step 24.
    for (int rank = 0; rank < 3; rank++) {
      assertEquals(24, load(rank).step(), "rank " + rank);
      assertEquals(rank == 1 ? 4 : 24, lockstep(load(rank)).dummySteps(), "rank " + rank);
    }
    frontend.submit(engine(0), EPOCH, 2, 0, PROMPT, 1);
    await().until(() -> frontend.finish(2) == FinishReason.LENGTH);
    // A wave whose work is done in its first step ends there, without 31 steps for nothing.
    await().until(() -> load(2).wave() == 2 && !lockstep(load(2)).running());
    assertEquals(25, load(2).step());
  }

  @Test
  void aRankThatLeavesAWaveDelaysTheStreamsOfTheOthers_andIsTakenInAgain() throws Exception {
    start();
    FakeWaves waves = coordinator.group(3);
    List<String> ids = deploy(3, 2);
    frontend.submit(engine(1), EPOCH, 1, 0, PROMPT, 300);
    frontend.submit(engine(2), EPOCH, 2, 0, PROMPT, 300);
    await().until(() -> frontend.tokens(1).size() > 3);
    EngineVerticleTest.get(vertx.undeploy(ids.getFirst()));
    await().until(() -> lockstep(load(1)).generation() == 2);
    deploy(0, 3, 2);
    await().until(() -> waves.generation() == 3 && lockstep(load(0)).generation() == 3);
    await().until(() -> frontend.finish(1) == FinishReason.LENGTH);
    await().until(() -> frontend.finish(2) == FinishReason.LENGTH);
    assertEquals(300, frontend.tokens(1).size());
    assertEquals(frontend.tokens(1), frontend.tokens(2), "the same prompt");
    assertEquals(0, frontend.got(ToFrontend.Refusal.class).count());
    await("all are in the last generation, at rest")
        .until(
            () ->
                List.of(0, 1, 2).stream()
                    .allMatch(
                        rank ->
                            lockstep(load(rank)).generation() == 3
                                && !lockstep(load(rank)).running()));
  }

  @Test
  void aRankThatStandsStillIsLeftOutByTheDeadline_andItsStreamGoesOnWhenItIsBack()
      throws Exception {
    start();
    FakeWaves waves = coordinator.group(2);
    deploy(0, 2, 2);
    Stall stall = new Stall();
    String still =
        EngineVerticleTest.get(
            vertx.deployVerticle(
                new EngineVerticle(c -> stall.over(Executors.open(c))),
                EngineVerticle.options(config(1, 2, 2), "rank-1")));
    await().until(() -> waves.generation() == 1);
    frontend.submit(engine(0), EPOCH, 1, 0, PROMPT, 200);
    frontend.submit(engine(1), EPOCH, 2, 0, PROMPT, 200);
    await().until(() -> frontend.tokens(2).size() > 3);
    stall.begin();
    await().until(() -> frontend.finish(1) == FinishReason.LENGTH);
    assertEquals(2, waves.generation());
    assertTrue(frontend.tokens(2).size() < 200);
    stall.end();
    // It asks for a wave of its generation, which is over; a coordinator takes it in again.
    await().until(() -> lockstep(load(1)).generation() == 1 && !lockstep(load(1)).running());
    waves.admit(new Rank(1));
    await().until(() -> frontend.finish(2) == FinishReason.LENGTH);
    assertEquals(frontend.tokens(1), frontend.tokens(2), "the same prompt");
    EngineVerticleTest.get(vertx.undeploy(still));
  }
}
