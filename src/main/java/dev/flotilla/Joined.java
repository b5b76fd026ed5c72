package dev.flotilla;

import dev.flotilla.config.ModelLocation;
import dev.flotilla.protocol.Bus;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The bus of one node, and how others reach it.
 *
 * @param member host and port of this node's member; empty: it has joined nothing
 * @param file of the cluster's settings; empty: it has joined nothing
 * @param cluster null: it has joined nothing
 */
record Joined(Vertx vertx, String member, String file, @Nullable Cluster cluster) {
  private static final long STEP_SECONDS = 60;

  /** Joins the cluster of the plan, or founds it; of two heads the later gives way. */
  static Joined join(ServePlan plan) throws InterruptedException {
    if (!plan.joins()) {
      return new Joined(Vertx.vertx(), "", "", null);
    }
    Path file = file(plan.clusterConfig());
    boolean head = plan.launch().coordinator();
    String serving = head ? plan.frontend().host() + ":" + plan.frontend().port() : null;
    Cluster cluster = Cluster.of(file, plan.clusterName(), plan.head(), serving);
    if (plan.launch().apiServers() > 0) {
      cluster.standingBy();
    }
    Vertx vertx =
        Waiting.await(
            cluster.join(new VertxOptions()), STEP_SECONDS, "the cluster could not be joined");
    Optional<String> other = head ? cluster.earlierHead() : Optional.empty();
    if (other.isPresent()) {
      Waiting.await(vertx.close(), STEP_SECONDS, "the cluster could not be left");
      throw new FailedCommand(
          "cluster '%s' has a head already, serving on %s; add engines to it with serve --headless, or choose another --cluster-name"
              .formatted(cluster.name(), other.get()));
    }
    return new Joined(vertx, cluster.member(), file.toAbsolutePath().toString(), cluster);
  }

  /** Tells this node's coordinator who is there; later changes are told by themselves. */
  void tellNodes() {
    if (cluster != null) {
      cluster.tellNodes(Bus.of(vertx));
    }
  }

  private static Path file(@Nullable String given) {
    Path home = Path.of(System.getProperty(ModelLocation.HOME, "."));
    return given == null
        ? Path.of(
            System.getProperty("vertx.hazelcast.config", home.resolve("cluster.xml").toString()))
        : Path.of(given);
  }
}
