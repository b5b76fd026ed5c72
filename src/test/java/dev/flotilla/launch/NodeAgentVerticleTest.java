package dev.flotilla.launch;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.Scenario;
import dev.flotilla.config.Config;
import dev.flotilla.config.EngineConfig;
import dev.flotilla.config.NodeConfig;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.ToNode;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The agent with real engines (scripted executor) and a real coordinator on a local bus. */
class NodeAgentVerticleTest {
  private static final String MODEL =
      System.getProperty("flotilla.basedir", ".") + "/src/main/models/tiny-llama";

  private final Vertx vertx = Vertx.vertx();
  private final Bus bus = Bus.of(vertx);
  private String coordinator = "";

  @BeforeEach
  void start() throws Exception {
    coordinator =
        join(
            vertx.deployVerticle(
                "dev.flotilla.coordinator.CoordinatorVerticle",
                new DeploymentOptions().setConfig(new JsonObject().put("data-parallel-size", 3))));
  }

  @AfterEach
  void stop() throws Exception {
    join(vertx.close());
  }

  private static <T> T join(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  private static EngineConfig engine(int rank) {
    return Config.parse(
        """
        {"model": "%s", "executor": "scripted", "rank": %d, "data-parallel-size": 3,
         "scripted": {"scale": 0}}
        """
            .formatted(MODEL, rank),
        EngineConfig.DEFAULT);
  }

  private String deploy(NodeConfig config) throws Exception {
    return join(
        vertx.deployVerticle(
            NodeAgentVerticle.class.getName(),
            new DeploymentOptions().setConfig(new JsonObject(Config.format(config)))));
  }

  /** The living ones. */
  private JsonArray engines() throws Exception {
    JsonArray living = new JsonArray();
    join(vertx.eventBus().<JsonObject>request(Addresses.STATUS, null))
        .body()
        .getJsonArray("engines")
        .stream()
        .map(JsonObject.class::cast)
        .filter(engine -> !engine.getString("state").equals("DEAD"))
        .forEach(living::add);
    return living;
  }

  private void awaitReady(int... ranks) {
    await()
        .atMost(20, TimeUnit.SECONDS)
        .until(
            () -> {
              JsonArray engines = engines();
              boolean same = engines.size() == ranks.length;
              for (int i = 0; same && i < ranks.length; i++) {
                JsonObject engine = engines.getJsonObject(i);
                same =
                    engine.getInteger("rank") == ranks[i]
                        && engine.getString("state").equals("READY");
              }
              return same;
            });
  }

  @Test
  void startsStopsAndEndsEngines() throws Exception {
    String agent = deploy(new NodeConfig(0, false, List.of(engine(0), engine(1))));
    awaitReady(0, 1);

    bus.send(Addresses.node(bus.node()), new ToNode.StartEngine(Config.format(engine(2))));
    bus.send(Addresses.node(bus.node()), new ToNode.StartEngine(Config.format(engine(2))));
    awaitReady(0, 1, 2);

    Incarnation second = new Incarnation(engines().getJsonObject(1).getString("incarnation"));
    bus.send(Addresses.node(bus.node()), new ToNode.StopEngine(new Rank(1), second, 1_000));
    awaitReady(0, 2);

    bus.send(Addresses.node(bus.node()), new ToNode.StartEngine("{\"rnk\":1}"));
    // The order is repeated, as every order is: it is ignored while the old one still ends.
    await()
        .atMost(20, TimeUnit.SECONDS)
        .until(
            () -> {
              bus.send(
                  Addresses.node(bus.node()), new ToNode.StartEngine(Config.format(engine(1))));
              return engines().size() == 3;
            });
    awaitReady(0, 1, 2);

    join(vertx.undeploy(agent));
    await().atMost(20, TimeUnit.SECONDS).until(() -> engines().isEmpty());
    assertEquals(1, vertx.deploymentIDs().size(), "only the coordinator is left");
  }

  @Test
  @Scenario("A61")
  void aHeadlessNodeEndsItsEnginesWhenNoHeadComesWithinItsTime() throws Exception {
    NodeConfig settings =
        Config.parse(
            "{\"headless\": true, \"head-lost-ms\": 2500, \"engines\": [%s]}"
                .formatted(Config.format(engine(0))),
            NodeConfig.DEFAULT);
    CompletableFuture<String> failed = new CompletableFuture<>();
    join(
        vertx.deployVerticle(
            new NodeAgentVerticle(failed::complete),
            new DeploymentOptions().setConfig(new JsonObject(Config.format(settings)))));
    awaitReady(0);
    long lost = System.nanoTime();
    join(vertx.undeploy(coordinator));
    String sentence = failed.get(20, TimeUnit.SECONDS);
    long ms = (System.nanoTime() - lost) / 1_000_000;
    assertTrue(sentence.startsWith("no coordinator has been heard of for "), sentence);
    assertTrue(ms >= 1_500, () -> "ended after " + ms + " ms");
    await()
        .atMost(20, TimeUnit.SECONDS)
        .until(() -> vertx.deploymentIDs().size() == 1); // The agent, which its deployer ends.
  }

  @Test
  void failsWithTheSentenceOfTheEngineThatFails() {
    NodeConfig config =
        new NodeConfig(
            0,
            false,
            List.of(Config.parse("{\"model\":\"/no/such/model\"}", EngineConfig.DEFAULT)));
    ExecutionException e = assertThrows(ExecutionException.class, () -> deploy(config));
    assertTrue(String.valueOf(e.getMessage()).contains("/no/such/model"), e::getMessage);
    assertEquals(1, vertx.deploymentIDs().size(), "nothing of the agent is left");
  }
}
