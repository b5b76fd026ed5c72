package dev.flotilla;

import static dev.flotilla.FlotillaProcess.chat;
import static dev.flotilla.FlotillaProcess.post;
import static dev.flotilla.FlotillaProcess.readyRanks;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.hazelcast.config.FileSystemXmlConfig;
import dev.flotilla.protocol.Addresses;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.spi.cluster.hazelcast.HazelcastClusterManager;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A cluster made of {@code bin/vertx run} commands only, each verticle in a JVM of its own, and a
 * program that joins it and uses the bus.
 */
class VertxRunIT {
  private static final DeliveryOptions WITHIN_30_S = new DeliveryOptions().setSendTimeout(30_000);

  @TempDir Path scratch;

  @Test
  void verticlesStartedOneByOneServeHttpAndTheBus() throws Exception {
    String cluster = FlotillaProcess.uniqueCluster();
    int port = freePort();
    Path frontend =
        Files.writeString(
            scratch.resolve("frontend.json"),
            Files.readString(FlotillaProcess.home().resolve("config/frontend.json"))
                .replace("8000", Integer.toString(port)));
    String config = FlotillaProcess.home().resolve("config").toString();
    try (FlotillaProcess coordinator =
            run(cluster, "coordinator.CoordinatorVerticle", "-conf", config + "/coordinator.json");
        FlotillaProcess engine =
            run(cluster, "engine.EngineVerticle", "-worker", "-conf", config + "/engine.json");
        FlotillaProcess agent = run(cluster, "launch.NodeAgentVerticle", "-conf", oneEngine());
        FlotillaProcess http =
            run(cluster, "frontend.FrontendVerticle", "-conf", frontend.toString())) {
      URI base = URI.create("http://127.0.0.1:" + port);
      await("both ranks serve")
          .atMost(FlotillaProcess.START)
          .ignoreExceptions()
          .untilAsserted(() -> assertEquals(List.of(0, 1), readyRanks(base)));
      String answer =
          post(base, "/v1/chat/completions", chat("What is the capital of Kenya?", false)).body();
      assertTrue(answer.contains("The capital of Kenya is Nairobi."), answer);
      useTheBus(cluster);
      assertTrue(coordinator.alive() && engine.alive() && agent.alive() && http.alive());
    }
  }

  private void useTheBus(String cluster) throws Exception {
    Properties names = new Properties();
    names.setProperty("cluster.name", cluster);
    var config =
        new FileSystemXmlConfig(FlotillaProcess.home().resolve("cluster.xml").toFile(), names);
    Vertx vertx =
        get(
            Vertx.builder()
                .withClusterManager(new HazelcastClusterManager(config))
                .buildClustered());
    try {
      statusAndRoute(vertx);
      generates(vertx);
      streams(vertx);
      refusesBadInput(vertx);
    } finally {
      get(vertx.close());
    }
  }

  private static void statusAndRoute(Vertx vertx) throws Exception {
    List<JsonObject> stats = new CopyOnWriteArrayList<>();
    vertx.eventBus().<JsonObject>consumer(Addresses.STATS, m -> stats.add(m.body()));
    JsonObject status = request(vertx, Addresses.STATUS, new JsonObject());
    assertEquals(2, status.getJsonArray("engines").size(), status.encode());
    JsonObject route = request(vertx, Addresses.ROUTE, new JsonObject().put("prompt_tokens", 12));
    assertTrue(route.getInteger("rank") < 2 && route.containsKey("score"), route.encode());
    await("published stats").atMost(Duration.ofSeconds(10)).until(() -> !stats.isEmpty());
  }

  private static void generates(Vertx vertx) throws Exception {
    JsonObject completion = request(vertx, Addresses.GENERATE, question());
    assertTrue(
        completion.encode().contains("The capital of Kenya is Nairobi."), completion.encode());
  }

  private static void streams(Vertx vertx) throws Exception {
    List<JsonObject> pieces = new CopyOnWriteArrayList<>();
    get(
        vertx
            .eventBus()
            .<JsonObject>consumer("test.replies", m -> pieces.add(m.body()))
            .completion());
    JsonObject accepted =
        request(vertx, Addresses.GENERATE, question().put("reply_to", "test.replies"));
    await("the last piece")
        .atMost(Duration.ofSeconds(30))
        .until(() -> pieces.stream().anyMatch(p -> p.getValue("finish_reason") != null));
    StringBuilder text = new StringBuilder();
    int offset = 0;
    for (JsonObject piece : pieces) {
      assertEquals(accepted.getValue("request_id"), piece.getValue("request_id"));
      assertEquals(offset, piece.getInteger("offset"), pieces.toString());
      offset += piece.getJsonArray("token_ids").size();
      text.append(piece.getString("text"));
    }
    assertEquals("The capital of Kenya is Nairobi.", text.toString());
    assertEquals("stop", pieces.getLast().getString("finish_reason"));
  }

  private static void refusesBadInput(Vertx vertx) throws Exception {
    List<Integer> codes = new ArrayList<>();
    for (JsonObject bad :
        List.of(
            new JsonObject(),
            new JsonObject().put("prompt", ""),
            new JsonObject().put("prompt", "x").put("max_tokens", -1),
            new JsonObject().put("prompt", "x").put("model", "another"))) {
      try {
        request(vertx, Addresses.GENERATE, bad);
      } catch (ExecutionException e) {
        codes.add(e.getCause() instanceof ReplyException refused ? refused.failureCode() : -1);
      }
    }
    assertEquals(List.of(400, 400, 400, 404), codes);
  }

  private static JsonObject question() {
    JsonObject message =
        new JsonObject().put("role", "user").put("content", "What is the capital of Kenya?");
    return new JsonObject().put("messages", new JsonArray().add(message)).put("temperature", 0);
  }

  private static JsonObject request(Vertx vertx, String address, JsonObject body) throws Exception {
    return get(vertx.eventBus().<JsonObject>request(address, body, WITHIN_30_S)).body();
  }

  private static <T> T get(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  /** A node agent that starts the second rank. */
  private String oneEngine() throws IOException {
    JsonObject node =
        new JsonObject(Files.readString(FlotillaProcess.home().resolve("config/node.json")));
    JsonArray engines = node.getJsonArray("engines");
    engines.remove(0);
    return Files.writeString(scratch.resolve("node.json"), node.encode()).toString();
  }

  private static FlotillaProcess run(String cluster, String verticle, String... options)
      throws IOException {
    List<String> arguments = new ArrayList<>(List.of("run", "dev.flotilla." + verticle));
    arguments.add("-cluster");
    arguments.addAll(List.of(options));
    return FlotillaProcess.start(
        "vertx",
        Map.of("FLOTILLA_JAVA_OPTS", "-Xmx500m -Dcluster.name=" + cluster),
        arguments.toArray(String[]::new));
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }
}
