package dev.flotilla;

import dev.flotilla.config.Config;
import dev.flotilla.config.EngineConfig;
import dev.flotilla.config.ExecutorKind;
import dev.flotilla.config.ModelLocation;
import dev.flotilla.engine.EngineVerticle;
import dev.flotilla.executor.cpu.CpuExecutor;
import dev.flotilla.protocol.Bus;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.json.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * One engine in a JVM of its own, started by the agent of its node. The only argument is the
 * engine's name, for those who look at processes. The first line of standard input says what to
 * start; {@code stop} ends it in order, and the end of the input at once: then the parent is gone,
 * and nobody would ever stop this process. Standard output tells the parent how far it is. A spare
 * is one whose first line says so: it joins the cluster, and the second line says what to start.
 */
public final class EngineMain {
  /** Longer than Hazelcast takes to join on a busy machine. */
  private static final long JOIN_SECONDS = 60;

  /** Weights of a large model on a slow disk. */
  private static final long LOAD_SECONDS = 3_600;

  private static final long STOP_SECONDS = 20;
  private static final long LOOK_MS = 100;

  /** A rank that has come back is registered by then, for which it needs the processor. */
  private static final long KERNELS_MS = 3_000;

  private static final PrintStream TELL = System.out;

  private final BufferedReader orders;

  private EngineMain(BufferedReader orders) {
    this.orders = orders;
  }

  /** Runs the engine. */
  public static void main(String[] args) throws InterruptedException {
    phase("JVM");
    Signals.ignore("INT"); // A terminal sends it to children too, whom the parent drains first.
    EngineMain main =
        new EngineMain(
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)));
    try {
      main.run();
    } catch (ExecutionException | TimeoutException | IOException | RuntimeException e) {
      Throwable cause = e instanceof ExecutionException && e.getCause() != null ? e.getCause() : e;
      String sentence = cause.getMessage() == null ? cause.toString() : cause.getMessage();
      tell("@failed " + sentence.replace('\n', ' '));
      Runtime.getRuntime().halt(1);
    }
  }

  private void run()
      throws IOException, InterruptedException, ExecutionException, TimeoutException {
    JsonObject order = nextOrder();
    if (order.getBoolean("spare", false)) {
      Vertx vertx = join(order);
      boolean computes = computes(config(order));
      Thread kernels = computes ? prepareKernels() : null;
      order = nextOrder(); // A rank has died.
      Thread.ofPlatform().daemon().name("parent").start(this::watchParent);
      if (kernels != null && kernels.isAlive()) {
        CpuExecutor.beginEarly();
      }
      serve(vertx, config(order), false);
      return;
    }
    Thread.ofPlatform().daemon().name("parent").start(this::watchParent);
    EngineConfig config = config(order);
    boolean early = computes(config) && order.getBoolean("again", false);
    if (early) {
      CpuExecutor.beginEarly(); // The group misses this rank.
    } else if (computes(config)) {
      prepareKernels();
    }
    serve(join(order), config, early);
  }

  private JsonObject nextOrder() throws IOException {
    String line = orders.readLine();
    if (line == null || line.equals("stop")) {
      Runtime.getRuntime().halt(line == null ? 1 : 0);
    }
    return new JsonObject(line);
  }

  private static EngineConfig config(JsonObject order) {
    return Config.parse(order.getJsonObject("engine").encode(), EngineConfig.DEFAULT);
  }

  private static boolean computes(EngineConfig config) {
    return config.executor() == ExecutorKind.CPU;
  }

  private static Vertx join(JsonObject order)
      throws InterruptedException, ExecutionException, TimeoutException {
    Vertx vertx = get(cluster(order).join(options()), JOIN_SECONDS);
    tell("@node " + Bus.of(vertx).node());
    phase("join");
    return vertx;
  }

  /**
   * Serves until the end.
   *
   * @param early whether the kernels are to be tested once the rank is there
   */
  private static void serve(Vertx vertx, EngineConfig config, boolean early)
      throws InterruptedException, ExecutionException, TimeoutException {
    Future<String> deployed =
        vertx.deployVerticle(new EngineVerticle(), EngineVerticle.options(config, "engine"));
    String id = get(deployed, LOAD_SECONDS);
    phase("load");
    tell("@started");
    if (early) {
      vertx.setTimer(KERNELS_MS, ignored -> prepareKernels());
    }
    vertx.setPeriodic(
        LOOK_MS,
        ignored -> {
          if (!vertx.deploymentIDs().contains(id)) {
            // Drained, refused or broken; the reason is in the log.
            Thread.ofPlatform().name("exit").start(() -> Shutdown.exit(0));
          }
        });
    Shutdown.closes(() -> close(vertx, id));
  }

  private static Thread prepareKernels() {
    return Thread.ofPlatform().daemon().name("kernel-test").start(CpuExecutor::prepare);
  }

  /** The parent's member is the way in; the small member holds no data, so its end loses none. */
  private static Cluster cluster(JsonObject order) {
    String file = order.getString("cluster-config", "");
    String home = System.getProperty(ModelLocation.HOME, ".");
    Path path =
        Path.of(
            file.isEmpty()
                ? System.getProperty(
                    "vertx.hazelcast.config", Path.of(home, "cluster.xml").toString())
                : file);
    String name = order.getString("cluster-name", "");
    String member = order.getString("member", "");
    Cluster cluster = Cluster.of(path, name.isEmpty() ? null : name, null, null);
    return member.isEmpty() ? cluster : cluster.asChildOf(member);
  }

  private static VertxOptions options() {
    return new VertxOptions().setEventLoopPoolSize(2);
  }

  private void watchParent() {
    try {
      for (String line = orders.readLine(); line != null; line = orders.readLine()) {
        if (line.equals("stop")) {
          Thread.ofPlatform().name("exit").start(() -> Shutdown.exit(0));
        }
      }
    } catch (IOException e) {
      // As good as the end of the pipe.
    }
    Runtime.getRuntime().halt(1);
  }

  private static void close(Vertx vertx, String id) {
    try {
      if (vertx.deploymentIDs().contains(id)) {
        get(vertx.undeploy(id).otherwiseEmpty(), STOP_SECONDS);
      }
      get(vertx.close(), STOP_SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      System.err.println("WARN EngineMain: did not close in order: " + e);
    }
  }

  /** A part of the start is over; the parent has the watch, since it knows when this began. */
  private static void phase(String name) {
    tell("@phase " + name);
  }

  private static void tell(String line) {
    TELL.println(line);
    TELL.flush();
  }

  private static <T> T get(Future<T> future, long seconds)
      throws InterruptedException, ExecutionException, TimeoutException {
    return future.toCompletionStage().toCompletableFuture().get(seconds, TimeUnit.SECONDS);
  }
}
