package dev.flotilla.engine;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.hazelcast.config.Config;
import dev.flotilla.protocol.Address;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.TokenIds;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.eventbus.EventBusOptions;
import io.vertx.spi.cluster.hazelcast.HazelcastClusterManager;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** An engine on one node of a real cluster, its coordinator and front-end on another. */
class EngineClusterIT {
  private static final Epoch EPOCH = new Epoch(1, 1);
  private static final TokenIds PROMPT = TokenIds.of(10, 11, 12, 13);
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private Vertx head;
  private Vertx node;
  private FakeFrontend frontend;
  private FakeCoordinator coordinator;

  @BeforeEach
  void join() throws Exception {
    String cluster = "engine-" + UUID.randomUUID();
    int first = freePort();
    int second = freePort();
    head = clustered(cluster, first, first, second);
    node = clustered(cluster, second, first, second);
    Bus bus = Bus.of(head);
    frontend = new FakeFrontend(bus, "front");
    coordinator = new FakeCoordinator(bus, frontend.id);
    EngineVerticleTest.get(frontend.start());
    EngineVerticleTest.get(coordinator.start());
  }

  @AfterEach
  void leave() throws Exception {
    EngineVerticleTest.get(node.close());
    EngineVerticleTest.get(head.close());
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static Vertx clustered(String cluster, int own, int... all) throws Exception {
    Config config = new Config().setClusterName(cluster);
    config.setProperty("hazelcast.logging.type", "slf4j");
    config.setProperty("hazelcast.phone.home.enabled", "false");
    config.setProperty("hazelcast.wait.seconds.before.join", "0");
    config.setProperty("hazelcast.max.wait.seconds.before.join", "0");
    config.getNetworkConfig().setPort(own).setPortAutoIncrement(false);
    config.getNetworkConfig().getInterfaces().setEnabled(true).addInterface("127.0.0.1");
    var join = config.getNetworkConfig().getJoin();
    join.getAutoDetectionConfig().setEnabled(false);
    join.getMulticastConfig().setEnabled(false);
    join.getTcpIpConfig().setEnabled(true);
    for (int port : all) {
      join.getTcpIpConfig().addMember("127.0.0.1:" + port);
    }
    return EngineVerticleTest.get(
        Vertx.builder()
            .with(new VertxOptions().setEventBusOptions(new EventBusOptions().setHost("127.0.0.1")))
            .withClusterManager(new HazelcastClusterManager(config))
            .buildClustered());
  }

  private Address<ToEngine> deploy(double stepMs) throws Exception {
    EngineVerticleTest.get(
        node.deployVerticle(
            new EngineVerticle(),
            EngineVerticle.options(EngineVerticleTest.config(stepMs), "cluster-engine")));
    await().atMost(PATIENCE).until(() -> coordinator.isReady(EPOCH));
    ToCoordinator.Ready ready = coordinator.ready();
    return Addresses.engine(ready.rank(), ready.incarnation());
  }

  @Test
  void tokensLeaveDuringTheStepLoop() throws Exception {
    Address<ToEngine> engine = deploy(5);
    assertEquals(1, frontend.pings());
    int count = 300;
    frontend.submit(engine, EPOCH, 1, 0, PROMPT, count);
    await().atMost(PATIENCE).until(() -> frontend.finish(1) != null);
    assertEquals(EngineVerticleTest.expected(count), frontend.tokens(1));
    List<FakeFrontend.Arrival> arrivals = frontend.tokenArrivals();
    assertEquals(count, arrivals.size(), "one message per step");
    long spreadMs = (arrivals.getLast().nanos() - arrivals.getFirst().nanos()) / 1_000_000;
    assertTrue(spreadMs > 5 * count * 2 / 3, "all came within " + spreadMs + " ms");
  }

  @Test
  void saysGoodbyeBeforeItsNodeCloses() throws Exception {
    Address<ToEngine> engine = deploy(5);
    frontend.submit(engine, EPOCH, 1, 0, PROMPT, 400);
    await().atMost(PATIENCE).until(() -> !frontend.deltas(1).isEmpty());
    EngineVerticleTest.get(node.close());
    await()
        .atMost(PATIENCE)
        .until(() -> coordinator.heard(ToCoordinator.Leaving.class).count() == 1);
    await().atMost(PATIENCE).until(() -> frontend.finish(1) != null);
  }
}
