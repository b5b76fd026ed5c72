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
import dev.flotilla.protocol.PauseMode;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.TokenIds;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Engines, alone and in step, that a coordinator pauses; by the scripted executor. */
class PausedEnginesTest {
  private static final Epoch EPOCH = new Epoch(1, 1);
  private static final TokenIds PROMPT = TokenIds.of(10, 11, 12, 13);

  private final Vertx vertx = Vertx.vertx();
  private final Bus bus = Bus.of(vertx);
  private final FakeFrontend frontend = new FakeFrontend(bus, "front");
  private final FakeCoordinator coordinator = new FakeCoordinator(bus, frontend.id);
  private long number;

  private void deploy(int size, boolean lockstep, double stepMs) throws Exception {
    EngineVerticleTest.get(frontend.start());
    EngineVerticleTest.get(coordinator.start());
    if (lockstep) {
      coordinator.group(size);
    }
    for (int rank = 0; rank < size; rank++) {
      String own =
          lockstep
              ? "{\"model\": \"%s\", \"rank\": %d, \"data-parallel-size\": %d, \"expert-parallel\": true, \"lockstep\": {\"sync-interval\": 8, \"timeout-ms\": 10000}}"
                  .formatted(
                      EngineVerticleTest.model().resolveSibling("tiny-qwen3-moe"), rank, size)
              : "{\"rank\": %d}".formatted(rank);
      EngineConfig config = Config.parse(own, EngineVerticleTest.config(stepMs));
      EngineVerticleTest.get(
          vertx.deployVerticle(
              new EngineVerticle(), EngineVerticle.options(config, "paused-" + rank)));
    }
    await().until(() -> coordinator.heard(ToCoordinator.Ready.class).count() == size);
  }

  private Address<ToEngine> engine(int rank) {
    ToCoordinator.Ready ready =
        coordinator
            .heard(ToCoordinator.Ready.class)
            .filter(r -> r.rank().equals(new Rank(rank)))
            .findFirst()
            .orElseThrow();
    return Addresses.engine(ready.rank(), ready.incarnation());
  }

  private void order(int rank, @Nullable PauseMode mode) {
    Term term = new Term(1, bus.node());
    number++;
    bus.send(
        engine(rank),
        mode == null
            ? new ToEngine.Resume(term, number)
            : new ToEngine.Pause(term, number, mode, true));
  }

  private void orderAll(int size, @Nullable PauseMode mode) {
    for (int rank = 0; rank < size; rank++) {
      order(rank, mode);
    }
  }

  /** Whether the last level of a rank is that. */
  private boolean is(int rank, @Nullable PauseMode mode, boolean resting) {
    return coordinator
        .heard(ToCoordinator.Paused.class)
        .filter(p -> p.rank().equals(new Rank(rank)))
        .reduce((a, b) -> b)
        .filter(p -> p.mode() == mode && (mode == null || p.resting() == resting))
        .isPresent();
  }

  private void awaitRest(int rank, PauseMode mode) {
    await("rank " + rank + " rests")
        .atMost(Duration.ofSeconds(30)) // Within this the original's control messages reach all.
        .until(() -> is(rank, mode, true));
  }

  private void submit(int rank, long counter, int tokens) {
    frontend.submit(engine(rank), EPOCH, counter, 0, PROMPT, tokens);
  }

  private long steps(int rank) {
    return coordinator
        .heard(ToCoordinator.Load.class)
        .map(ToCoordinator.Load::load)
        .filter(load -> load.rank().equals(new Rank(rank)))
        .reduce((a, b) -> b)
        .orElseThrow()
        .step();
  }

  /** A heartbeat from now on. */
  private void awaitBeats(int rank) {
    long before = beats(rank);
    await().until(() -> beats(rank) >= before + 2);
  }

  private long beats(int rank) {
    return coordinator
        .heard(ToCoordinator.Paused.class)
        .filter(p -> p.rank().equals(new Rank(rank)))
        .count();
  }

  @AfterEach
  void close() throws Exception {
    EngineVerticleTest.get(vertx.close());
  }

  @Test
  @Scenario("A43")
  void abortEndsFourThatRunWithThatReason() throws Exception {
    deploy(1, false, 10);
    for (int i = 1; i <= 4; i++) {
      submit(0, i, 400);
    }
    await().until(() -> !frontend.deltas(1).isEmpty() && !frontend.deltas(4).isEmpty());
    order(0, PauseMode.ABORT);
    awaitRest(0, PauseMode.ABORT);
    for (int i = 1; i <= 4; i++) {
      int request = i;
      await().until(() -> frontend.finish(request) == FinishReason.ABORT);
    }
    submit(0, 5, 5);
    awaitBeats(0);
    assertEquals(List.of(), frontend.deltas(5), "what comes while paused is queued");
    order(0, null);
    await().until(() -> frontend.finish(5) == FinishReason.LENGTH);
  }

  @Test
  @Scenario("A43")
  void waitLetsWhatRunsFinishFirst() throws Exception {
    deploy(1, false, 10);
    submit(0, 1, 30);
    await().until(() -> !frontend.deltas(1).isEmpty());
    order(0, PauseMode.WAIT);
    submit(0, 2, 5);
    await().until(() -> is(0, PauseMode.WAIT, false));
    awaitRest(0, PauseMode.WAIT);
    assertEquals(FinishReason.LENGTH, frontend.finish(1));
    awaitBeats(0);
    assertEquals(List.of(), frontend.deltas(2));
    order(0, null);
    await().until(() -> frontend.finish(2) == FinishReason.LENGTH);
    assertTrue(is(0, null, false));
  }

  @Test
  @Scenario("A41")
  void staggeredPausesOfRanksInStepHangNobody_andBothRequestsFinishAfterwards() throws Exception {
    deploy(2, true, 5);
    order(0, PauseMode.KEEP);
    await().until(() -> is(0, PauseMode.KEEP, true));
    submit(0, 1, 20);
    submit(1, 2, 20); // Rank 1 wants a wave, in which rank 0 takes part without work.
    await().until(() -> !frontend.deltas(2).isEmpty());
    order(1, PauseMode.KEEP);
    awaitRest(1, PauseMode.KEEP);
    awaitRest(0, PauseMode.KEEP);
    assertEquals(List.of(), frontend.deltas(1));
    orderAll(2, null);
    await().until(() -> frontend.finish(1) == FinishReason.LENGTH);
    await().until(() -> frontend.finish(2) == FinishReason.LENGTH);
  }

  @Test
  @Scenario("A40")
  void aWaveThatStartsLateWhileRanksArePausedComputesNothingThereAndHangsNobody() throws Exception {
    deploy(3, true, 5);
    for (int rank = 0; rank < 3; rank++) {
      submit(rank, rank, 400);
    }
    await().until(() -> !frontend.deltas(0).isEmpty() && !frontend.deltas(2).isEmpty());
    orderAll(3, PauseMode.KEEP);
    awaitRest();
    int delivered = frontend.tokens(0).size();
    long step = steps(0);
    order(1, null); // A straggler goes on: the start of its wave reaches ranks that are paused.
    await().until(() -> steps(1) > step + 10);
    order(1, PauseMode.KEEP);
    awaitRest();
    await("all took part").until(() -> steps(0) == steps(1) && steps(1) == steps(2));
    assertEquals(delivered, frontend.tokens(0).size(), "rank 0 took steps without work");
    orderAll(3, null); // The exchanges of all ranks still work.
    await().until(() -> frontend.tokens(0).size() > delivered + 20);
    await().until(() -> frontend.tokens(2).size() > delivered + 20);
  }

  private void awaitRest() {
    for (int rank = 0; rank < 3; rank++) {
      awaitRest(rank, PauseMode.KEEP);
    }
  }
}
