package dev.flotilla;

import dev.flotilla.config.ModelLocation;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Launcher;
import io.vertx.core.ThreadingModel;
import io.vertx.core.Vertx;
import io.vertx.core.VertxBuilder;
import io.vertx.core.VertxOptions;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The Vert.x command line ({@code bin/vertx run …}) on Flotilla's cluster configuration: the bus is
 * tuned, the library's multicast default is refused, and a worker verticle gets a pool of its own
 * with two threads, since with one no clustered send leaves during its step loop.
 */
public final class FlotillaLauncher extends Launcher {
  private @Nullable Cluster cluster;

  /** As {@link Launcher#main}. */
  public static void main(String[] args) {
    new FlotillaLauncher().dispatch(args);
  }

  @Override
  public void beforeStartingVertx(VertxOptions options) {
    Cluster.tuned(options);
  }

  @Override
  public VertxBuilder createVertxBuilder(VertxOptions options) {
    Path home = Path.of(System.getProperty(ModelLocation.HOME, "."));
    Path file =
        Path.of(
            System.getProperty("vertx.hazelcast.config", home.resolve("cluster.xml").toString()));
    cluster = Cluster.of(file, null, null, null);
    return super.createVertxBuilder(options).withClusterManager(cluster.manager());
  }

  @Override
  public void afterStartingVertx(Vertx vertx) {
    if (vertx.isClustered() && cluster != null) {
      cluster.watch(vertx);
    }
  }

  @Override
  public void beforeDeployingVerticle(DeploymentOptions options) {
    if (options.getThreadingModel() == ThreadingModel.WORKER) {
      options
          .setWorkerPoolName("worker-" + UUID.randomUUID())
          .setWorkerPoolSize(2)
          .setMaxWorkerExecuteTime(10)
          .setMaxWorkerExecuteTimeUnit(TimeUnit.MINUTES);
    }
  }

  @Override
  public void handleDeployFailed(
      Vertx vertx, String verticle, DeploymentOptions options, Throwable cause) {
    Shutdown.closes(() -> {});
    vertx
        .close()
        .onComplete(
            closed -> Shutdown.fail("%s: %s".formatted(verticle, cause.getMessage()), cause));
  }
}
