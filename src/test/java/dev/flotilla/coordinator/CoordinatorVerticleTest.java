package dev.flotilla.coordinator;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.Scenario;
import dev.flotilla.config.Balancing;
import dev.flotilla.config.LoadBalancing;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineFacts;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.GroupPlan;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CoordinatorVerticleTest {
  private static final Incarnation INCARNATION = new Incarnation("a");
  private static final EngineFacts FACTS =
      new EngineFacts("m", "scripted", 64, 16, 4096, 256, 2048, "0");

  private final Vertx vertx = Vertx.vertx();
  private final Bus bus = Bus.of(vertx);
  private final List<ToEngine> toEngine = new CopyOnWriteArrayList<>();
  private final List<ClusterView> views = new CopyOnWriteArrayList<>();
  private final List<JsonObject> stats = new CopyOnWriteArrayList<>();

  @BeforeEach
  void start() throws Exception {
    join(bus.consume(Addresses.ALL_ENGINES, toEngine::add));
    join(bus.consume(Addresses.candidate(INCARNATION), toEngine::add));
    join(bus.consume(Addresses.engine(new Rank(1), INCARNATION), toEngine::add));
    join(
        bus.consume(
            Addresses.ALL_FRONTENDS,
            message -> {
              if (message instanceof ToFrontend.View(ClusterView view)) {
                views.add(view);
              }
            }));
    vertx.eventBus().<JsonObject>consumer(Addresses.STATS, m -> stats.add(m.body()));
    join(
        vertx.deployVerticle(
            CoordinatorVerticle.class.getName(),
            new DeploymentOptions().setConfig(new JsonObject().put("data-parallel-size", 2))));
  }

  @AfterEach
  void stop() throws Exception {
    join(vertx.close());
  }

  private static <T> T join(io.vertx.core.Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  private JsonObject request(String address, @Nullable Object body) throws Exception {
    return join(vertx.eventBus().<JsonObject>request(address, body)).body();
  }

  private ReplyException failure(Object body) {
    ExecutionException e =
        assertThrows(ExecutionException.class, () -> request(Addresses.ROUTE, body));
    return assertInstanceOf(ReplyException.class, e.getCause());
  }

  private <M extends ToEngine> M received(Class<M> type) {
    await().atMost(10, TimeUnit.SECONDS).until(() -> toEngine.stream().anyMatch(type::isInstance));
    return toEngine.stream().filter(type::isInstance).map(type::cast).findFirst().orElseThrow();
  }

  private void makeReady() {
    ToCoordinator.Hello hello =
        new ToCoordinator.Hello(
            INCARNATION, new Rank(1), new NodeId("n"), true, false, "", Epoch.NONE);
    await()
        .atMost(10, TimeUnit.SECONDS)
        .until(
            () -> {
              bus.send(Addresses.HANDSHAKE, hello);
              return toEngine.stream().anyMatch(ToEngine.Init.class::isInstance);
            });
    Epoch epoch = received(ToEngine.Init.class).epoch();
    bus.send(
        Addresses.HANDSHAKE, new ToCoordinator.Ready(new Rank(1), INCARNATION, epoch, FACTS, null));
    received(ToEngine.Welcome.class);
  }

  @Test
  void leadsAnEngineFromHelloToReadyAndPublishesIt() throws Exception {
    assertEquals(1, received(ToEngine.WhoIsThere.class).term().number());
    makeReady();
    await()
        .atMost(10, TimeUnit.SECONDS)
        .until(() -> views.stream().anyMatch(v -> v.engines().stream().anyMatch(e -> e.serving())));
    JsonObject engine = request(Addresses.STATUS, null).getJsonArray("engines").getJsonObject(0);
    assertEquals(1, engine.getInteger("rank"));
    assertEquals("READY", engine.getString("state"));
    assertTrue(
        stats.stream().anyMatch(s -> !s.getJsonArray("engines").isEmpty()), "stats are published");

    bus.send(Addresses.COORDINATOR, new ToCoordinator.Leaving(new Rank(1), INCARNATION, "drained"));
    await()
        .atMost(10, TimeUnit.SECONDS)
        .until(
            () ->
                views.get(views.size() - 1).engines().stream()
                    .allMatch(e -> e.state() == EngineState.DEAD));
    for (int i = 1; i < views.size(); i++) {
      assertTrue(views.get(i).newerThan(views.get(i - 1)), "versions rise");
    }
  }

  @Test
  void routesToTheReadyEngineAndSaysWhatIsWrongOtherwise() throws Exception {
    ReplyException none = failure(new JsonObject().put("prompt_tokens", 5));
    assertEquals(503, none.failureCode());
    assertEquals("no engine is ready: 0 of 2 are known", none.getMessage());
    makeReady();
    JsonObject route = request(Addresses.ROUTE, new JsonObject().put("prompt_tokens", 5));
    assertEquals(1, route.getInteger("rank"));
    // Milliseconds to the end of the prompt by the cost model that holds until steps are measured.
    assertEquals(6.15, route.getDouble("score"), 0.01);
    for (Object bad :
        List.of(
            "x",
            new JsonObject(),
            new JsonObject().put("prompt_tokens", "5"),
            new JsonObject().put("prompt_tokens", -1),
            new JsonObject().put("prompt_tokens", 1.5),
            new JsonObject().put("prompt_tokens", 1e12))) {
      assertEquals(400, failure(bad).failureCode(), bad::toString);
    }
  }

  @Test
  @Scenario("A47")
  void dropsWhatItCannotReadAndGoesOn() throws Exception {
    long before = Bus.droppedFrames();
    vertx.eventBus().send(Addresses.COORDINATOR.name(), Buffer.buffer("noise"));
    vertx.eventBus().send(Addresses.HANDSHAKE.name(), new JsonObject().put("noise", true));
    await().atMost(10, TimeUnit.SECONDS).until(() -> Bus.droppedFrames() >= before + 2);
    assertEquals(0, request(Addresses.STATUS, null).getJsonArray("engines").size());
  }

  private boolean leads() throws Exception {
    return vertx
        .eventBus()
        .request(Addresses.STATUS, null)
        .toCompletionStage()
        .handle((reply, e) -> e == null)
        .toCompletableFuture()
        .get(5, TimeUnit.SECONDS);
  }

  @Test
  void standsByWhileAnotherLeadsAHigherTermAndGoesOnAboveItByItsPlan() throws Exception {
    assertTrue(leads());
    GroupPlan plan = new GroupPlan(5, Balancing.INTERNAL, LoadBalancing.VLLM, null, false, null);
    Term other = new Term(9, new NodeId("m"));
    bus.publish(Addresses.COORDINATORS, new ToCoordinator.Leading(other, plan));
    await().atMost(10, TimeUnit.SECONDS).until(() -> !leads());
    await("nothing is heard of the other").atMost(10, TimeUnit.SECONDS).until(this::leads);
    JsonObject status = request(Addresses.STATUS, null);
    assertEquals(10, status.getInteger("term"));
    assertEquals(5, status.getInteger("data_parallel_size"));
    makeReady();
    assertEquals(new Term(10, bus.node()), received(ToEngine.Init.class).term());
  }
}
