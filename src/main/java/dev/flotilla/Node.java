package dev.flotilla;

import dev.flotilla.config.Config;
import dev.flotilla.config.FrontendConfig;
import dev.flotilla.coordinator.CoordinatorVerticle;
import dev.flotilla.frontend.FrontendVerticle;
import dev.flotilla.launch.EngineEnd;
import dev.flotilla.launch.LaunchWatch;
import dev.flotilla.launch.LaunchWatch.Event;
import dev.flotilla.launch.LaunchWatch.Part;
import dev.flotilla.launch.LaunchWatch.Result;
import dev.flotilla.launch.NodeAgentVerticle;
import dev.flotilla.protocol.Rank;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.net.BindException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One running node: this JVM's membership of the cluster and the verticles that the plan puts here,
 * the same that {@code vertx run} deploys.
 */
final class Node {
  private static final Logger LOG = LoggerFactory.getLogger(Node.class);
  private static final String COORDINATOR = "Coordinator";

  /** Longer than Hazelcast takes to join a busy machine's cluster. */
  private static final long STEP_SECONDS = 60;

  /** An event loop that is busy for so long serves nobody. */
  private static final long SILENCE_MS = 15_000;

  private final ServePlan plan;
  private final Joined joined;
  private final StartTimes times;
  private final PartGuard guard;
  private final NodeAgentVerticle agent = new NodeAgentVerticle(new Ends());
  private final Map<Integer, FrontendVerticle> frontends = new ConcurrentHashMap<>(); // by index
  private final Launching launching;
  private final NodeEnd end;
  private volatile boolean ready;
  private volatile @Nullable String agentId;
  private volatile int port;

  private Node(ServePlan plan, Joined joined, Launching launching, StartTimes times) {
    this.plan = plan;
    this.joined = joined;
    this.launching = launching;
    this.times = times;
    this.port = plan.frontend().port();
    this.guard = new PartGuard(joined.vertx(), SILENCE_MS);
    this.end = new NodeEnd(joined.vertx(), guard, agent, frontends);
  }

  /** Joins the cluster and deploys; the engines go on loading when this returns. */
  static Node start(ServePlan plan, StartTimes times) throws InterruptedException {
    Joined joined = Joined.join(plan);
    times.ended("cluster joined");
    LaunchWatch.Goal goal =
        LaunchWatch.Goal.of(
            plan.launch(), plan.readyTimeoutSeconds() * 1_000L, plan.onEngineFailure());
    Launching launching =
        Waiting.await(
            Launching.start(joined.vertx(), goal), STEP_SECONDS, "the event bus did not come up");
    Node node = new Node(plan, joined, launching, times);
    try {
      if (plan.launch().apiServers() > 0) {
        Waiting.await(
            node.guard.deploy(
                COORDINATOR, CoordinatorVerticle::new, () -> Config.format(plan.coordinator())),
            STEP_SECONDS,
            "the coordinator did not start");
        joined.tellNodes();
      }
      node.deployFrontends();
      times.ended("front-ends listening");
      node.deployAgent();
      return node;
    } catch (RuntimeException e) {
      node.close();
      throw e;
    }
  }

  /** One after the other: the first takes the port, which the others share. */
  private void deployFrontends() throws InterruptedException {
    FrontendConfig config = plan.frontend();
    for (int i = 0; i < plan.launch().apiServers(); i++) {
      int index = i;
      try {
        Waiting.await(
            guard.deploy(
                "ApiServer_" + index,
                () -> {
                  FrontendVerticle frontend = new FrontendVerticle();
                  frontends.put(index, frontend);
                  return frontend;
                },
                () -> Config.format(config.with(index, portOf(config)))),
            STEP_SECONDS,
            "the front-end did not start");
      } catch (FailedCommand e) {
        if (e.getCause() instanceof BindException) {
          throw new FailedCommand(
              "port %d on %s cannot be listened on (%s); choose another with --port"
                  .formatted(config.port(), config.host(), e.getCause().getMessage()),
              e);
        }
        throw e;
      }
      Map<String, Integer> ports = joined.vertx().sharedData().getLocalMap(FrontendVerticle.PORTS);
      port = ports.values().stream().findFirst().orElse(port);
    }
  }

  /** The only one keeps its port when it is replaced; several share a free one among them. */
  private int portOf(FrontendConfig config) {
    return config.port() == 0 && plan.launch().apiServers() > 1 ? 0 : port;
  }

  private void deployAgent() {
    JsonObject config = new JsonObject(Config.format(plan.node(joined.member(), joined.file())));
    joined
        .vertx()
        .deployVerticle(agent, new DeploymentOptions().setConfig(config))
        .onSuccess(
            id -> {
              agentId = id;
              times.ended("engines loaded");
            })
        .onFailure(launching::fail);
  }

  /** What the agent tells of this node's engines. */
  private final class Ends implements NodeAgentVerticle.Watch {
    @Override
    public void died(EngineEnd last) {
      launching.tell(new Event.Ended(Part.ENGINE, last.name(), last.how()));
    }

    @Override
    public void givenUp(Rank rank, String reason) {
      launching.tell(new Event.GivenUp(rank, reason));
    }

    /** For good, before or after the node was ready. */
    @Override
    public void failed(String sentence) {
      end.abrupt();
      launching.fail(new FailedCommand(sentence));
      if (ready) {
        Shutdown.fail(sentence, null);
      }
    }
  }

  /** Waits for the engines; the line that says so. */
  String awaitReady() throws InterruptedException {
    try {
      String line =
          switch (launching.await()) {
            case Result.AllReady(int engines) -> readyLine(engines);
            case Result.Degraded(int engines, String missing) -> {
              LOG.warn(
                  "serves with {} engines (--min-ready-engines); missing: {}", engines, missing);
              yield readyLine(engines);
            }
            case Result.Failed(String sentence) -> {
              end.abrupt();
              throw new FailedCommand(sentence);
            }
          };
      times.ended("engines ready");
      ready = true;
      return line;
    } catch (ExecutionException e) {
      throw Waiting.failure(e.getCause() == null ? e : e.getCause(), "an engine did not start");
    }
  }

  private String readyLine(int engines) {
    if (plan.headless()) {
      return "Flotilla node is ready (%s)".formatted(plan.launch().starts());
    }
    return plan.launch().awaits().count() == 0
        ? "Flotilla is ready on http://%s:%d (joined)".formatted(plan.frontend().host(), port)
        : "Flotilla is ready on http://%s:%d (%d engines)"
            .formatted(plan.frontend().host(), port, engines);
  }

  /** Drains, then ends everything; at once what has nothing to drain. */
  void close() {
    boolean drains = ready && !Shutdown.failing();
    end.run(drains ? plan.shutdownTimeoutSeconds() * 1_000L : 0, agentId);
  }

  /** Ends a drain that is under way. */
  void hurry() {
    end.hurry();
  }

  /** Ends the processes of this node's engines without waiting for anything. */
  void kill() {
    agent.kill();
  }

  /** This node's own part of the bus. */
  Vertx vertx() {
    return joined.vertx();
  }

  /** The deployment that holds a guarded place now, for example {@code ApiServer_1}. */
  @Nullable String deployment(String place) {
    return guard.deployment(place);
  }
}
