package dev.flotilla.launch;

import dev.flotilla.config.Config;
import dev.flotilla.config.ConfigException;
import dev.flotilla.config.EngineConfig;
import dev.flotilla.config.NodeConfig;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToNode;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.ThreadingModel;
import io.vertx.core.VerticleBase;
import io.vertx.core.json.JsonObject;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agent of one node: tells the coordinator each second that the node exists, starts engines at
 * its own start and on order, stops them on order and with itself, and logs their ends. Event loop;
 * one per node. Settings: {@link NodeConfig}. Its deployment succeeds once the engines of its
 * settings are deployed, which means that their models are loaded; it fails with the sentence of
 * the first that fails.
 */
public final class NodeAgentVerticle extends VerticleBase {
  private static final Logger LOG = LoggerFactory.getLogger(NodeAgentVerticle.class);

  /** Deployed by name, since parts meet only in the protocol. */
  private static final String ENGINE = "dev.flotilla.engine.EngineVerticle";

  private static final long HELLO_MS = 1_000;

  /** What an engine may take beyond its drain time before it is undeployed. */
  private static final long STOP_GRACE_MS = 2_000;

  /** A step of a large prompt on a slow machine takes seconds; a minute means that it hangs. */
  private static final long STEP_SECONDS_MAX = 60;

  private final Map<String, Engine> engines = new LinkedHashMap<>(); // by deployment
  private final Set<Integer> starting = new HashSet<>(); // ranks, while their models load
  private @Nullable Bus bus;
  private NodeConfig settings = NodeConfig.DEFAULT;
  private String host = "unknown";
  private int pools;

  /** An engine that runs here; rank null: the coordinator has chosen it. */
  private record Engine(@Nullable Integer rank, String name) {}

  /** Made by Vert.x. */
  public NodeAgentVerticle() {}

  @Override
  public Future<?> start() {
    settings = Config.parse(config().encode(), NodeConfig.DEFAULT);
    bus = Bus.of(vertx);
    return vertx
        .executeBlocking(NodeAgentVerticle::hostName)
        .onSuccess(name -> host = name)
        .compose(ignored -> bus().consume(Addresses.node(bus().node()), this::ordered))
        .compose(
            ignored -> {
              vertx.setPeriodic(0, HELLO_MS, timer -> beat());
              return Future.all(settings.engines().stream().map(this::deploy).toList());
            });
  }

  private static String hostName() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return InetAddress.getLoopbackAddress().getHostAddress();
    }
  }

  private void beat() {
    int devices =
        settings.devices() == 0 ? Runtime.getRuntime().availableProcessors() : settings.devices();
    bus()
        .send(
            Addresses.COORDINATOR,
            new ToCoordinator.NodeHello(bus().node(), host, devices, settings.headless()))
        .onFailure(e -> LOG.debug("no coordinator yet: {}", e.getMessage()));
    forgetEnded();
  }

  /** An engine undeploys itself when its life ends; Vert.x tells nobody. */
  private void forgetEnded() {
    Set<String> alive = vertx.deploymentIDs();
    engines
        .entrySet()
        .removeIf(
            engine -> {
              boolean ended = !alive.contains(engine.getKey());
              if (ended) {
                LOG.warn("{} has ended on node {}", engine.getValue().name(), bus().node());
              }
              return ended;
            });
  }

  private void ordered(ToNode order) {
    switch (order) {
      case ToNode.StartEngine(String config) -> startEngine(config);
      case ToNode.StopEngine stop -> stopEngine(stop);
    }
  }

  private void startEngine(String json) {
    EngineConfig config;
    try {
      config = Config.parse(json, EngineConfig.DEFAULT);
    } catch (ConfigException e) {
      LOG.error("node {} cannot start an engine: {}", bus().node(), e.getMessage());
      return;
    }
    if (config.rank() != null && runs(config.rank())) {
      LOG.info("engine {} runs here already; the repeated order is ignored", config.rank());
      return;
    }
    deploy(config)
        .onFailure(
            e -> LOG.error("node {} cannot start an engine: {}", bus().node(), e.getMessage()));
  }

  private boolean runs(Integer rank) {
    forgetEnded();
    return starting.contains(rank)
        || engines.values().stream().anyMatch(e -> rank.equals(e.rank()));
  }

  /** Drains the engine, which then undeploys itself; what outlasts its time is undeployed here. */
  private void stopEngine(ToNode.StopEngine stop) {
    List<String> ids =
        engines.entrySet().stream()
            .filter(e -> Integer.valueOf(stop.rank().value()).equals(e.getValue().rank()))
            .map(Map.Entry::getKey)
            .toList();
    bus()
        .send(
            Addresses.engine(stop.rank(), stop.incarnation()),
            new ToEngine.Drain(stop.incarnation(), stop.timeoutMs()))
        .onFailure(e -> LOG.warn("engine {} cannot be drained: {}", stop.rank(), e.getMessage()))
        .onSuccess(
            ignored ->
                vertx.setTimer(
                    Math.max(0, stop.timeoutMs()) + STOP_GRACE_MS,
                    timer -> ids.stream().filter(engines::containsKey).forEach(this::undeploy)));
  }

  private void undeploy(String id) {
    if (vertx.deploymentIDs().contains(id)) {
      vertx
          .undeploy(id)
          .onFailure(e -> LOG.warn("deployment {} cannot be stopped: {}", id, e.getMessage()));
    }
  }

  private Future<String> deploy(EngineConfig config) {
    Integer rank = config.rank();
    String name = rank == null ? "engine-any-" + ++pools : "engine-" + rank;
    if (rank != null) {
      starting.add(rank);
    }
    DeploymentOptions options =
        new DeploymentOptions()
            .setThreadingModel(ThreadingModel.WORKER)
            .setWorkerPoolName(name)
            // With one thread no clustered send leaves: the bus looks routes up on the same pool.
            .setWorkerPoolSize(2)
            .setMaxWorkerExecuteTime(STEP_SECONDS_MAX)
            .setMaxWorkerExecuteTimeUnit(TimeUnit.SECONDS)
            .setConfig(new JsonObject(Config.format(config)));
    return vertx
        .deployVerticle(ENGINE, options)
        .onComplete(
            ignored -> {
              if (rank != null) {
                starting.remove(rank);
              }
            })
        .onSuccess(
            id -> {
              engines.put(id, new Engine(rank, name));
              LOG.info("{} is deployed on node {}", name, bus().node());
            });
  }

  private Bus bus() {
    return Objects.requireNonNull(bus);
  }
}
