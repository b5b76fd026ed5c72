package dev.flotilla;

import dev.flotilla.config.Config;
import dev.flotilla.config.FrontendConfig;
import dev.flotilla.config.ModelLocation;
import dev.flotilla.config.RankRange;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.ToFrontend;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.json.JsonObject;
import java.net.BindException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One running node: this JVM's membership of the cluster and the verticles that the plan puts here.
 * Verticles of other packages are named, not imported, since {@code vertx run} deploys the same.
 */
final class Node {
  private static final Logger LOG = LoggerFactory.getLogger(Node.class);
  private static final String COORDINATOR = "dev.flotilla.coordinator.CoordinatorVerticle";
  private static final String FRONTEND = "dev.flotilla.frontend.FrontendVerticle";
  private static final String AGENT = "dev.flotilla.launch.NodeAgentVerticle";

  /** Local map in which each front-end of this JVM notes its port. */
  private static final String PORTS = "flotilla.frontends";

  /** Longer than Hazelcast takes to join a busy machine's cluster. */
  private static final long STEP_SECONDS = 60;

  /** A coordinator publishes at least every second. */
  private static final long ALONE_MS = 3_000;

  private final ServePlan plan;
  private final Vertx vertx;
  private final List<String> deployments = new ArrayList<>();
  private final CompletableFuture<ClusterView> ready = new CompletableFuture<>();
  private volatile ClusterView newest = ClusterView.EMPTY;

  private Node(ServePlan plan, Vertx vertx) {
    this.plan = plan;
    this.vertx = vertx;
  }

  /** Joins the cluster and deploys; the engines go on loading when this returns. */
  static Node start(ServePlan plan) throws InterruptedException {
    Node node = new Node(plan, vertx(plan));
    try {
      await(node.watchViews(), STEP_SECONDS, "the event bus did not come up");
      if (plan.launch().coordinator()) {
        await(
            node.deploy(COORDINATOR, Config.format(plan.coordinator())),
            STEP_SECONDS,
            "the coordinator did not start");
      }
      node.deployFrontends();
      node.deploy(AGENT, Config.format(plan.node())).onFailure(node.ready::completeExceptionally);
      node.tellWhenAlone();
      return node;
    } catch (RuntimeException e) {
      node.close();
      throw e;
    }
  }

  private static Vertx vertx(ServePlan plan) throws InterruptedException {
    if (!plan.joins()) {
      return Vertx.vertx();
    }
    Path home = Path.of(System.getProperty(ModelLocation.HOME, "."));
    Path file =
        plan.clusterConfig() == null
            ? Path.of(
                System.getProperty(
                    "vertx.hazelcast.config", home.resolve("cluster.xml").toString()))
            : Path.of(plan.clusterConfig());
    boolean head = plan.launch().coordinator();
    String serving = head ? plan.frontend().host() + ":" + plan.frontend().port() : null;
    Cluster cluster = Cluster.of(file, plan.clusterName(), plan.head(), serving);
    Vertx vertx =
        await(cluster.join(new VertxOptions()), STEP_SECONDS, "the cluster could not be joined");
    Optional<String> other = head ? cluster.earlierHead() : Optional.empty();
    if (other.isPresent()) {
      await(vertx.close(), STEP_SECONDS, "the cluster could not be left");
      throw new FailedCommand(
          "cluster '%s' has a head already, serving on %s; add engines to it with serve --headless, or choose another --cluster-name"
              .formatted(cluster.name(), other.get()));
    }
    return vertx;
  }

  private Future<Void> watchViews() {
    return Bus.of(vertx)
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
    vertx.setTimer(
        ALONE_MS,
        ignored -> {
          if (newest.equals(ClusterView.EMPTY)) {
            LOG.info("waits for a coordinator of this cluster; start a head with flotilla serve");
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

  private void deployFrontends() throws InterruptedException {
    FrontendConfig config = plan.frontend();
    for (int i = 0; i < plan.launch().apiServers(); i++) {
      try {
        await(deploy(FRONTEND, Config.format(config)), STEP_SECONDS, "the front-end did not start");
      } catch (FailedCommand e) {
        if (e.getCause() instanceof BindException) {
          throw new FailedCommand(
              "port %d on %s cannot be listened on (%s); choose another with --port"
                  .formatted(config.port(), config.host(), e.getCause().getMessage()),
              e);
        }
        throw e;
      }
      config = config.withPort(port());
    }
  }

  private int port() {
    Map<String, Integer> ports = vertx.sharedData().getLocalMap(PORTS);
    return ports.values().stream().findFirst().orElse(plan.frontend().port());
  }

  private Future<Void> deploy(String verticle, String config) {
    return vertx
        .deployVerticle(verticle, new DeploymentOptions().setConfig(new JsonObject(config)))
        .onSuccess(
            id -> {
              synchronized (deployments) {
                deployments.add(id);
              }
            })
        .mapEmpty();
  }

  /** Waits for the engines; the line that says so. */
  String awaitReady() throws InterruptedException {
    try {
      ClusterView view = ready.get(plan.readyTimeoutSeconds(), TimeUnit.SECONDS);
      long serving = view.engines().stream().filter(ClusterView.Engine::serving).count();
      return plan.headless()
          ? "Flotilla node is ready (%s)".formatted(plan.launch().starts())
          : "Flotilla is ready on http://%s:%d (%d engines)"
              .formatted(plan.frontend().host(), port(), serving);
    } catch (TimeoutException e) {
      throw new FailedCommand(missing(), e);
    } catch (ExecutionException e) {
      throw failure(e.getCause() == null ? e : e.getCause(), "an engine did not start");
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

  /** Stops engines first, so that their last tokens still reach clients; then leaves. */
  void close() {
    try {
      List<String> ids;
      synchronized (deployments) {
        ids = List.copyOf(deployments.reversed());
      }
      for (String id : ids) {
        await(vertx.undeploy(id).otherwiseEmpty(), STEP_SECONDS, "a part did not stop");
      }
      await(vertx.close(), STEP_SECONDS, "the cluster could not be left");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      LOG.warn("did not close in order: {}", e.toString());
    }
  }

  private static <T> T await(Future<T> future, long seconds, String otherwise)
      throws InterruptedException {
    try {
      return future.toCompletionStage().toCompletableFuture().get(seconds, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new FailedCommand(otherwise + " within " + seconds + " s", e);
    } catch (ExecutionException e) {
      throw failure(e.getCause() == null ? e : e.getCause(), otherwise);
    }
  }

  /** Sentences go through as they are; anything else is put into one. */
  private static RuntimeException failure(Throwable cause, String otherwise) {
    return cause instanceof RuntimeException known && known.getMessage() != null
        ? known
        : new FailedCommand(otherwise + ": " + cause.getMessage(), cause);
  }
}
