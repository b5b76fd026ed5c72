package dev.flotilla.launch;

import dev.flotilla.config.Config;
import dev.flotilla.config.ConfigException;
import dev.flotilla.config.EngineConfig;
import dev.flotilla.config.NodeConfig;
import dev.flotilla.config.Surroundings;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.protocol.ToNode;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agent of one node: tells the coordinator each second that the node exists, starts engines at
 * its own start and on order, as verticles or in JVMs of their own, starts dead ones again, and
 * stops them on order and with itself. Event loop; one per node. Settings: {@link NodeConfig}. Its
 * deployment succeeds once the engines of its settings are deployed, which means that their models
 * are loaded; it fails with the sentence of the first that fails.
 */
public final class NodeAgentVerticle extends VerticleBase {
  private static final Logger LOG = LoggerFactory.getLogger(NodeAgentVerticle.class);
  private static final long HELLO_MS = 1_000;

  /** What an engine may take beyond its drain time before it is stopped from here. */
  private static final long STOP_GRACE_MS = 2_000;

  /** An engine that is stopped has ended its last step and said goodbye by then. */
  private static final long FORCE_MS = 2_000;

  private final Watch watch;
  private @Nullable Bus bus;
  private @Nullable DevicePort devices;
  private volatile @Nullable Supervisor supervisor;
  private NodeConfig settings = NodeConfig.DEFAULT;
  private volatile @Nullable Children children;
  private ClusterView view = ClusterView.EMPTY;
  private String host = "unknown";
  private long viewNanos;
  private boolean up;

  /** Whoever has deployed the agent. */
  @FunctionalInterface
  public interface Watch {
    /** An engine has died; it is started again, unless another call follows. */
    default void died(EngineEnd end) {}

    /** A rank died too often: nobody should wait for it, though it is tried again. */
    default void givenUp(Rank rank, String reason) {}

    /** No engine runs here any more, or ever will; the sentence says why. */
    void failed(String sentence);
  }

  /** Made by Vert.x; the end of all engines is its own. */
  public NodeAgentVerticle() {
    watch = this::leave;
  }

  /** Deployed by a node that wants to know. */
  public NodeAgentVerticle(Watch watch) {
    this.watch = watch;
  }

  @Override
  public Future<?> start() {
    settings = Config.parse(config().encode(), NodeConfig.DEFAULT);
    bus = Bus.of(vertx);
    supervisor =
        new Supervisor(
            this::startOne,
            new Timer(),
            action -> context.runOnContext(ignored -> action.run()),
            settings.stopOnFailure() ? EngineFailure.STOP : EngineFailure.CONTINUE,
            new Deaths());
    return vertx
        .executeBlocking(NodeAgentVerticle::hostName)
        .onSuccess(name -> host = name)
        .compose(
            ignored ->
                settings.processes()
                    ? vertx
                        .executeBlocking(NumaBinding::ofThisMachine)
                        .onSuccess(numa -> children = children(numa))
                    : Future.succeededFuture())
        .onSuccess(ignored -> devices = devices())
        .compose(ignored -> bus().consume(Addresses.node(bus().node()), this::ordered))
        .compose(ignored -> bus().consume(Addresses.ALL_FRONTENDS, this::overheard))
        .compose(
            ignored -> {
              port().own(settings.engines(), 1);
              vertx.setPeriodic(0, HELLO_MS, timer -> beat());
              return Future.fromCompletionStage(supervisor().startAll(settings.engines()), context);
            })
        .onSuccess(
            ignored -> {
              up = true;
              if (children != null) {
                children().ready();
              }
            });
  }

  private Children children(NumaBinding numa) {
    return new Children(
        settings, numa, new Timer(), action -> context.runOnContext(ignored -> action.run()));
  }

  /** Ends the engines, by force what does not end in time. */
  @Override
  public Future<?> stop() {
    endSpares();
    return Future.fromCompletionStage(supervisor().stop(FORCE_MS), context);
  }

  /**
   * Has the engines finish what runs, and take nothing new; completes when they have ended or the
   * time is over. May be called from any thread.
   */
  public Future<Void> drain(long timeoutMs) {
    Promise<Void> drained = Promise.promise();
    if (supervisor == null) {
      return Future.succeededFuture(); // It never started.
    }
    context.runOnContext(
        ignored -> {
          supervisor().beginStop();
          endSpares();
          Set<NodeId> here = nodes();
          for (ClusterView.Engine engine : view.engines()) {
            if (here.contains(engine.node())) {
              bus()
                  .send(engine.address(), new ToEngine.Drain(engine.incarnation(), timeoutMs))
                  .onFailure(e -> LOG.debug("engine {} is gone already", engine.rank()));
            }
          }
          vertx.setTimer(Math.max(1, timeoutMs), timer -> drained.tryComplete());
          var _ = supervisor().allEnded().thenRun(drained::tryComplete);
        });
    return drained.future();
  }

  /** Ends every engine without waiting for anything. May be called from any thread. */
  public void kill() {
    endSpares();
    Supervisor all = supervisor;
    if (all != null) {
      all.kill();
    }
  }

  private void endSpares() {
    Children all = children;
    if (all != null) {
      all.kill();
    }
  }

  private Children children() {
    return Objects.requireNonNull(children);
  }

  /** This node, and those of the children. */
  private Set<NodeId> nodes() {
    Set<NodeId> nodes = new HashSet<>();
    nodes.add(bus().node());
    for (EngineProcess engine : supervisor().running()) {
      String id = engine instanceof ChildProcess child ? child.node() : null;
      if (id != null) {
        nodes.add(new NodeId(id));
      }
    }
    return nodes;
  }

  private static String hostName() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return InetAddress.getLoopbackAddress().getHostAddress();
    }
  }

  private DevicePort devices() {
    return new DevicePort(
        bus(),
        Devices.address(settings),
        Devices.of(settings),
        Devices.attributes(host, settings),
        new Placed());
  }

  private DevicePort port() {
    return Objects.requireNonNull(devices);
  }

  private void beat() {
    port().tick();
    bus()
        .send(
            Addresses.COORDINATOR,
            new ToCoordinator.NodeHello(bus().node(), host, port().devices(), settings.headless()))
        .onFailure(e -> LOG.debug("no coordinator yet: {}", e.getMessage()));
    long silentMs = (System.nanoTime() - viewNanos) / 1_000_000;
    if (settings.headless() && up && viewNanos != 0 && silentMs > settings.headLostMs()) {
      up = false;
      // A new head would have asked long ago; nobody gives these engines work any more.
      supervisor().kill();
      watch.failed(
          "no coordinator has been heard of for %d s; start a head again, then this node"
              .formatted(silentMs / 1_000));
    }
  }

  private void overheard(ToFrontend message) {
    if (message instanceof ToFrontend.View(ClusterView newer) && newer.newerThan(view)) {
      view = newer;
      viewNanos = System.nanoTime();
    }
  }

  private void ordered(ToNode order) {
    switch (order) {
      case ToNode.StartEngine(String config) -> startEngine(config);
      case ToNode.StopEngine stop -> stopEngine(stop);
      case ToNode.Order change -> port().ordered(change);
    }
  }

  private void startEngine(String json) {
    try {
      supervisor().start(Config.parse(json, EngineConfig.DEFAULT));
    } catch (ConfigException e) {
      LOG.error("node {} cannot start an engine: {}", bus().node(), e.getMessage());
    }
  }

  /** Drains the engine, which then ends by itself; what outlasts its time is stopped here. */
  private void stopEngine(ToNode.StopEngine stop) {
    EngineProcess engine = supervisor().leaving(stop.rank().value());
    bus()
        .send(
            Addresses.engine(stop.rank(), stop.incarnation()),
            new ToEngine.Drain(stop.incarnation(), stop.timeoutMs()))
        .onFailure(e -> LOG.warn("engine {} cannot be drained: {}", stop.rank(), e.getMessage()));
    if (engine != null) {
      long grace = Math.max(0, stop.timeoutMs()) + STOP_GRACE_MS;
      vertx.setTimer(grace, timer -> engine.stop());
      vertx.setTimer(grace + FORCE_MS, timer -> killLate(engine));
    }
  }

  private static void killLate(EngineProcess engine) {
    if (!engine.ended().toCompletableFuture().isDone()) {
      engine.kill();
    }
  }

  /** Other nodes' ranks reach it as they reach this node. */
  private EngineConfig here(EngineConfig config) {
    String member = settings.children().member();
    return member.isEmpty()
        ? config
        : config.listeningAt(member.substring(0, member.lastIndexOf(':')));
  }

  private EngineProcess startOne(String name, int index, EngineConfig given) {
    EngineConfig config = here(given);
    if (!settings.processes()) {
      return VerticleProcess.start(vertx, name, config);
    }
    Integer rank = config.rank();
    return rank == null
        ? children().start(name, index, config, List.of(), Surroundings.DEFAULT)
        : children().start(name, index, config, port().given(rank), port().surroundings(rank));
  }

  /** Engines that the coordinator places here. */
  private final class Placed implements DevicePort.Actions {
    @Override
    public void start(EngineConfig config) {
      supervisor().start(config);
    }

    @Override
    public void end(Rank rank) {
      EngineProcess engine = supervisor().ending(rank.value());
      if (engine == null) {
        port().ended(rank, "was not running");
      } else {
        engine.stop();
        vertx.setTimer(FORCE_MS, timer -> killLate(engine));
      }
    }
  }

  private void leave(String sentence) {
    LOG.error("the agent of node {} ends: {}", bus().node(), sentence);
    if (up) {
      vertx
          .undeploy(deploymentID())
          .onFailure(e -> LOG.debug("the agent was being undeployed already", e));
    }
  }

  private Supervisor supervisor() {
    return Objects.requireNonNull(supervisor);
  }

  private Bus bus() {
    return Objects.requireNonNull(bus);
  }

  /** The time of this event loop. */
  private final class Timer implements Supervisor.Timer {
    @Override
    public long nowMs() {
      return System.nanoTime() / 1_000_000;
    }

    @Override
    public void after(long ms, Runnable action) {
      vertx.setTimer(Math.max(1, ms), ignored -> action.run());
    }
  }

  /** What the supervisor tells. */
  private final class Deaths implements Supervisor.Watch {
    /** A process is seen to die at once; the cluster manager would need a moment longer. */
    @Override
    public void died(EngineProcess engine, EngineEnd end) {
      watch.died(end);
      String id = engine instanceof ChildProcess child ? child.node() : null;
      if (id != null) {
        bus()
            .send(Addresses.COORDINATOR, new ToCoordinator.NodeLeft(new NodeId(id)))
            .onFailure(e -> LOG.debug("nobody coordinates: {}", e.getMessage()));
      }
    }

    @Override
    public void gone(EngineConfig engine, EngineEnd end) {
      if (engine.rank() != null) {
        port().ended(new Rank(engine.rank()), end.how());
      }
    }

    @Override
    public void givenUp(EngineConfig engine, String reason) {
      if (engine.rank() != null) {
        port().ended(new Rank(engine.rank()), reason);
        watch.givenUp(new Rank(engine.rank()), reason);
      }
    }

    @Override
    public void failed(String sentence) {
      watch.failed(sentence);
    }
  }
}
