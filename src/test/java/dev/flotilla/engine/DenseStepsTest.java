package dev.flotilla.engine;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.flotilla.Scenario;
import dev.flotilla.config.Config;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.TokenIds;
import io.vertx.core.Vertx;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Ranks of a model without experts have nothing to do with each other's steps. */
class DenseStepsTest {
  private final Vertx vertx = Vertx.vertx();
  private final Bus bus = Bus.of(vertx);
  private final FakeFrontend frontend = new FakeFrontend(bus, "front");
  private final FakeCoordinator coordinator = new FakeCoordinator(bus, frontend.id);

  @AfterEach
  void close() throws Exception {
    EngineVerticleTest.get(vertx.close());
  }

  private List<LoadReport> loads(int rank) {
    return coordinator
        .heard(ToCoordinator.Load.class)
        .map(ToCoordinator.Load::load)
        .filter(load -> load.rank().equals(new Rank(rank)))
        .toList();
  }

  @Test
  @Scenario("A44")
  void anIdleRankTakesNoStepWhileAnotherWorks() throws Exception {
    EngineVerticleTest.get(frontend.start());
    EngineVerticleTest.get(coordinator.start());
    for (int rank = 0; rank < 2; rank++) {
      String own = "{\"rank\": %d, \"data-parallel-size\": 2}".formatted(rank);
      EngineVerticleTest.get(
          vertx.deployVerticle(
              new EngineVerticle(),
              EngineVerticle.options(
                  Config.parse(own, EngineVerticleTest.config(1)), "dense-" + rank)));
    }
    await().until(() -> coordinator.heard(ToCoordinator.Ready.class).count() == 2);
    ToCoordinator.Ready busy =
        coordinator
            .heard(ToCoordinator.Ready.class)
            .filter(r -> r.rank().equals(new Rank(1)))
            .findFirst()
            .orElseThrow();
    frontend.submit(
        Addresses.engine(busy.rank(), busy.incarnation()),
        new Epoch(1, 1),
        1,
        0,
        TokenIds.of(10, 11, 12),
        20);
    await().until(() -> frontend.finish(1) == FinishReason.LENGTH);
    int before = loads(0).size();
    await().until(() -> loads(0).size() > before && loads(1).getLast().step() == 20);
    assertEquals(0, loads(0).getLast().step());
    assertNull(loads(0).getLast().lockstep(), "it belongs to no group");
  }
}
