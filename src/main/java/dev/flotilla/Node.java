package dev.flotilla;

import dev.flotilla.config.Config;
import dev.flotilla.config.FrontendConfig;
import dev.flotilla.config.RankRange;
import dev.flotilla.coordinator.CoordinatorVerticle;
import dev.flotilla.frontend.FrontendVerticle;
import dev.flotilla.launch.NodeAgentVerticle;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.ToFrontend;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;
import java.net.BindException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
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

  /** A coordinator publishes at least every second. */
  private static final long ALONE_MS = 3_000;

  /** An event loop that is busy for so long serves nobody. */
  private static final long SILENCE_MS = 15_000;

  private final ServePlan plan;
  private final Membership membership;
  private final StartTimes times;
  private final PartGuard guard;
  private final NodeAgentVerticle agent = new NodeAgentVerticle(this::failed);
  private final Map<Integer, FrontendVerticle> frontends = new ConcurrentHashMap<>(); // by index
  private final CompletableFuture<ClusterView> ready = new CompletableFuture<>();
  private final NodeEnd end;
  private volatile ClusterView newest = ClusterView.EMPTY;
  private volatile @Nullable String agentId;
  private volatile int port;

  private Node(ServePlan plan, Membership membership, StartTimes times) {
    this.plan = plan;
    this.membership = membership;
    this.times = times;
    this.port = plan.frontend().port();
    this.guard = new PartGuard(membership.vertx(), SILENCE_MS);
    this.end = new NodeEnd(membership.vertx(), guard, agent, frontends);
  }

  /** Joins the cluster and deploys; the engines go on loading when this returns. */
  static Node start(ServePlan plan, StartTimes times) throws InterruptedException {
    Membership membership = Membership.join(plan);
    times.ended("cluster joined");
    Node node = new Node(plan, membership, times);
    try {
      Waiting.await(node.watchViews(), STEP_SECONDS, "the event bus did not come up");
      if (plan.launch().coordinator()) {
        Waiting.await(
            node.guard.deploy(
                COORDINATOR, CoordinatorVerticle::new, () -> Config.format(plan.coordinator())),
            STEP_SECONDS,
            "the coordinator did not start");
      }
      node.deployFrontends();
      times.ended("front-ends listening");
      node.deployAgent();
      node.tellWhenAlone();
      return node;
    } catch (RuntimeException e) {
      node.close();
      throw e;
    }
  }

  private Future<Void> watchViews() {
    return Bus.of(membership.vertx())
        .consume(
            Addresses.ALL_FRONTENDS,
            message -> {
              if (message instanceof ToFrontend.View(ClusterView view) && view.newerThan(newest)) {
                newest = view;
                if (enough(view)) {
                  ready.complete(view);
                }
              }
            })
        .mapEmpty();
  }

  /** A node without a head looks idle; a person should know what it waits for. */
  private void tellWhenAlone() {
    membership
        .vertx()
        .setTimer(
            ALONE_MS,
            ignored -> {
              if (newest.equals(ClusterView.EMPTY)) {
                LOG.info(
                    "waits for a coordinator of this cluster; start a head with flotilla serve");
              }
            });
  }

  private boolean enough(ClusterView view) {
    return view.engines().stream()
            .filter(ClusterView.Engine::serving)
            .filter(e -> plan.launch().awaits().contains(e.rank().value()))
            .count()
        >= plan.launch().ready();
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
      Map<String, Integer> ports =
          membership.vertx().sharedData().getLocalMap(FrontendVerticle.PORTS);
      port = ports.values().stream().findFirst().orElse(port);
    }
  }

  /** The only one keeps its port when it is replaced; several share a free one among them. */
  private int portOf(FrontendConfig config) {
    return config.port() == 0 && plan.launch().apiServers() > 1 ? 0 : port;
  }

  private void deployAgent() {
    JsonObject config =
        new JsonObject(Config.format(plan.node(membership.member(), membership.file())));
    membership
        .vertx()
        .deployVerticle(agent, new DeploymentOptions().setConfig(config))
        .onSuccess(
            id -> {
              agentId = id;
              times.ended("engines loaded");
            })
        .onFailure(ready::completeExceptionally);
  }

  /** The engines of this node have failed for good, before or after it was ready. */
  private void failed(String sentence) {
    if (!ready.completeExceptionally(new FailedCommand(sentence))
        && !ready.isCompletedExceptionally()) {
      end.abrupt();
      Shutdown.fail(sentence, null);
    } else {
      end.abrupt();
    }
  }

  /** Waits for the engines; the line that says so. */
  String awaitReady() throws InterruptedException {
    try {
      ClusterView view = ready.get(plan.readyTimeoutSeconds(), TimeUnit.SECONDS);
      times.ended("engines ready");
      long serving = view.engines().stream().filter(ClusterView.Engine::serving).count();
      return plan.headless()
          ? "Flotilla node is ready (%s)".formatted(plan.launch().starts())
          : "Flotilla is ready on http://%s:%d (%d engines)"
              .formatted(plan.frontend().host(), port, serving);
    } catch (TimeoutException e) {
      throw new FailedCommand(missing(), e);
    } catch (ExecutionException e) {
      throw Waiting.failure(e.getCause() == null ? e : e.getCause(), "an engine did not start");
    }
  }

  private String missing() {
    List<String> absent = new ArrayList<>();
    RankRange awaits = plan.launch().awaits();
    for (int rank = awaits.first(); rank < awaits.first() + awaits.count(); rank++) {
      int wanted = rank;
      boolean serves =
          newest.engines().stream().anyMatch(e -> e.rank().value() == wanted && e.serving());
      if (!serves) {
        absent.add(Integer.toString(rank));
      }
    }
    return "after %d s (--engine-ready-timeout) these ranks are not ready: %s"
        .formatted(plan.readyTimeoutSeconds(), String.join(", ", absent));
  }

  /** Drains, then ends everything; at once what has nothing to drain. */
  void close() {
    boolean drains = ready.isDone() && !ready.isCompletedExceptionally() && !Shutdown.failing();
    end.run(drains ? plan.shutdownTimeoutSeconds() * 1_000L : 0, agentId);
  }

  /** Ends a drain that is under way. */
  void hurry() {
    end.hurry();
  }
}
