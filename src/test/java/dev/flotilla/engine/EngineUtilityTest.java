package dev.flotilla.engine;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.Scenario;
import dev.flotilla.protocol.Address;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.protocol.TokenIds;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Utility calls on a real engine with scripted steps. */
@Timeout(60)
class EngineUtilityTest {
  private static final Epoch EPOCH = new Epoch(1, 1);
  private final Vertx vertx = Vertx.vertx();
  private final Bus bus = Bus.of(vertx);
  private final FakeFrontend frontend = new FakeFrontend(bus, "f1");
  private final FakeCoordinator coordinator = new FakeCoordinator(bus, frontend.id);

  @BeforeEach
  void start() throws Exception {
    get(frontend.start());
    get(coordinator.start());
    get(
        vertx.deployVerticle(
            new EngineVerticle(),
            EngineVerticle.options(EngineVerticleTest.config(20), "test-engine")));
    await().until(() -> coordinator.isReady(EPOCH));
  }

  @AfterEach
  void close() throws Exception {
    get(vertx.close());
  }

  private static void get(Future<?> future) throws Exception {
    future.toCompletionStage().toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  private Address<ToEngine> engine() {
    ToCoordinator.Ready ready = coordinator.ready();
    return Addresses.engine(ready.rank(), ready.incarnation());
  }

  private ToFrontend.UtilityAnswer call(long id, String name, String args) {
    bus.send(engine(), new ToEngine.Utility(frontend.id, id, name, args));
    await().until(() -> answers(id) > 0);
    return frontend
        .got(ToFrontend.UtilityAnswer.class)
        .filter(a -> a.callId() == id)
        .findFirst()
        .orElseThrow();
  }

  private long answers(long id) {
    return frontend.got(ToFrontend.UtilityAnswer.class).filter(a -> a.callId() == id).count();
  }

  private JsonObject result(ToFrontend.UtilityAnswer answer) {
    assertNull(answer.failure());
    return new JsonObject(Objects.requireNonNull(answer.result()));
  }

  @Test
  void saysItsStatsAndThreads() {
    JsonObject stats = result(call(1, "collect_stats", "{}"));
    assertEquals(64, stats.getInteger("kv_blocks"));
    assertEquals(0, stats.getInteger("running"));
    JsonObject threads = result(call(2, "list_threads", "{}"));
    assertEquals(ProcessHandle.current().pid(), threads.getLong("pid"));
    assertTrue(
        threads.getJsonArray("threads").stream()
            .anyMatch(t -> ((JsonObject) t).getString("name").startsWith("vert.x-eventloop")));
  }

  @Test
  void resetsThePrefixCacheBetweenStepsWhileNothingRuns() {
    assertEquals("true", call(1, "reset_prefix_cache", "{}").result());
    frontend.submit(engine(), EPOCH, 1, 0, TokenIds.of(5, 6, 7), 40);
    await().until(() -> frontend.tokenCount() > 0);
    assertEquals("false", call(2, "reset_prefix_cache", "{}").result());
    await().until(() -> frontend.finish(1) != null);
    assertEquals("true", call(3, "reset_prefix_cache", "{}").result());
  }

  @Test
  @Scenario("A63")
  void aFailureIsAnsweredAndTheEngineLives() {
    assertTrue(String.valueOf(call(1, "explode", "{}").failure()).contains("no utility 'explode'"));
    assertTrue(String.valueOf(call(2, "collect_stats", "{").failure()).contains("not JSON"));
    frontend.submit(engine(), EPOCH, 1, 0, TokenIds.of(5, 6, 7), 3);
    await().until(() -> frontend.finish(1) != null);
  }

  @Test
  void aCallThatComesTwiceIsAnsweredOnce() {
    call(1, "collect_stats", "{}");
    bus.send(engine(), new ToEngine.Utility(frontend.id, 1, "collect_stats", "{}"));
    call(2, "collect_stats", "{}");
    assertEquals(1, answers(1));
  }

  @Test
  @Scenario("A77")
  void anEngineThatIsLeavingSaysSo() {
    frontend.submit(engine(), EPOCH, 1, 0, TokenIds.of(5, 6, 7), 100);
    await().until(() -> frontend.tokenCount() > 0);
    bus.send(engine(), new ToEngine.Drain(coordinator.ready().incarnation(), 10_000));
    assertEquals("shutting down", call(1, "collect_stats", "{}").failure());
    await().until(() -> frontend.finish(1) != null);
  }
}
