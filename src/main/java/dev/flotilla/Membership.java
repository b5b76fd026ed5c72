package dev.flotilla;

import dev.flotilla.config.ModelLocation;
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
 */
record Membership(Vertx vertx, String member, String file) {
  private static final long STEP_SECONDS = 60;

  /** Joins the cluster of the plan, or founds it; of two heads the later gives way. */
  static Membership join(ServePlan plan) throws InterruptedException {
    if (!plan.joins()) {
      return new Membership(Vertx.vertx(), "", "");
    }
    Path file = file(plan.clusterConfig());
    boolean head = plan.launch().coordinator();
    String serving = head ? plan.frontend().host() + ":" + plan.frontend().port() : null;
    Cluster cluster = Cluster.of(file, plan.clusterName(), plan.head(), serving);
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
    return new Membership(vertx, cluster.member(), file.toAbsolutePath().toString());
  }

  private static Path file(@Nullable String given) {
    Path home = Path.of(System.getProperty(ModelLocation.HOME, "."));
    return given == null
        ? Path.of(
            System.getProperty("vertx.hazelcast.config", home.resolve("cluster.xml").toString()))
        : Path.of(given);
  }
}
