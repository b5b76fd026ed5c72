package dev.flotilla.engine;

import dev.flotilla.collective.Entrance;
import dev.flotilla.config.Config;
import dev.flotilla.config.EngineConfig;
import dev.flotilla.config.LockstepConfig;
import dev.flotilla.protocol.EngineFacts;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Rank;
import dev.flotilla.scheduler.Scheduler;
import dev.flotilla.scheduler.SchedulerLimits;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.ThreadingModel;
import io.vertx.core.VerticleBase;
import io.vertx.core.json.JsonObject;
import java.util.Locale;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One data-parallel engine core: a worker verticle whose step loop yields to its context between
 * two steps and sleeps when there is nothing to do, and an {@link EnginePortVerticle} on an event
 * loop that speaks for it. Its configuration is an {@link EngineConfig} in JSON.
 *
 * <p>Deployment succeeds once the model is loaded; the handshake with the coordinator goes on
 * behind it. It fails with the sentence of a {@code ConfigException} or {@code ModelException}.
 */
public final class EngineVerticle extends VerticleBase {
  private static final Logger LOG = LoggerFactory.getLogger(EngineVerticle.class);

  /** Devices of a rank; no executor spreads over several yet. */
  private static final int WORLD_SIZE = 1;

  /**
   * How long a rank waits when a generation begins, in which others may still load experts; the
   * coordinator calls a new one as soon as one of them is gone.
   */
  private static final long JOIN_MS = 120_000;

  private final Executors.@Nullable Source source; // null: what the configuration names
  private Executors.@Nullable Opened engine;
  private @Nullable Entrance entrance;
  private @Nullable EngineCore core;

  /** With the executor that the configuration names. */
  public EngineVerticle() {
    this.source = null;
  }

  EngineVerticle(Executors.Source source) {
    this.source = source;
  }

  /**
   * How to deploy an engine: as a worker with a pool of its own. It has two threads, since the loop
   * keeps one busy and the bus looks up routes on another.
   *
   * @param config its own
   * @param name of the pool; two engines of one JVM must not share it
   */
  public static DeploymentOptions options(EngineConfig config, String name) {
    return new DeploymentOptions()
        .setThreadingModel(ThreadingModel.WORKER)
        .setWorkerPoolName(name)
        .setWorkerPoolSize(2)
        .setMaxWorkerExecuteTime(60)
        .setMaxWorkerExecuteTimeUnit(TimeUnit.SECONDS)
        .setConfig(new JsonObject(Config.format(config)));
  }

  @Override
  public Future<?> start() {
    if (!context.isWorkerContext()) {
      throw new IllegalStateException(
          "an engine steps in a worker; deploy %s with -worker".formatted(getClass().getName()));
    }
    EngineConfig config = Config.parse(config().encode(), EngineConfig.DEFAULT);
    // Unordered, so that a load does not hold up what else this context has to do.
    return context
        .executeBlocking(() -> open(config), false)
        .compose(opened -> deployPort(config, Objects.requireNonNull(opened)));
  }

  /** Leaves the group first, so that nobody waits for this rank, then gives back memory. */
  @Override
  public Future<?> stop() {
    if (entrance != null) {
      entrance.close();
    }
    if (engine != null) {
      engine.executor().close();
    }
    return Future.succeededFuture();
  }

  private Executors.Opened open(EngineConfig config) {
    return source == null ? Executors.open(config) : source.open(config);
  }

  /** Before the handshake, which tells the others where this rank listens. */
  private static Entrance entrance(EngineConfig config, Incarnation self) {
    LockstepConfig lockstep = config.lockstep();
    return Entrance.open(self, lockstep.host(), JOIN_MS, lockstep.timeoutMs());
  }

  private Future<?> deployPort(EngineConfig config, Executors.Opened opened) {
    engine = opened;
    EngineFacts facts = facts(config, opened);
    Integer rank = config.rank();
    Incarnation self = new Incarnation(UUID.randomUUID().toString());
    Entrance way = opened.member() ? entrance(config, self) : null;
    entrance = way;
    Identity identity =
        new Identity(
            self,
            rank == null ? null : new Rank(rank),
            config.local(),
            config.headless(),
            config.hash(),
            config.handshakeTimeoutMs(),
            way == null ? null : way.endpoint());
    EnginePortVerticle port =
        new EnginePortVerticle(
            identity,
            facts,
            config.maxNumQueuedReqs(),
            !config.disableLogStats(),
            () -> context.runOnContext(ignored -> step()),
            deploymentID());
    Scheduler scheduler =
        new Scheduler(
            new SchedulerLimits(
                facts.maxNumSeqs(),
                facts.maxNumBatchedTokens(),
                config.maxNumQueuedReqs(),
                facts.maxModelLen(),
                facts.kvBlocks(),
                facts.blockSize(),
                opened.executor().config().eos(),
                config.enablePrefixCaching(),
                config.longPrefillTokenThreshold(),
                config.maxPrefillPerDecode(),
                config.schedulingPolicy()));
    core =
        new EngineCore(
            scheduler,
            opened.executor(),
            opened.masks(),
            port.inbox(),
            port.outbox(),
            port.prefixFeed(),
            way == null
                ? null
                : new LockstepLoop(
                    way, opened.executor(), config.lockstep().syncInterval(), port.join(way)));
    port.serve(core);
    LOG.info("engine {} has loaded: {}", identity.incarnation(), facts);
    return vertx.deployVerticle(port, new DeploymentOptions()).onFailure(ignored -> stop());
  }

  /** One step; the next is queued behind whatever else the context was given in the meantime. */
  private void step() {
    EngineCore loop = core;
    if (loop == null) {
      return;
    }
    try {
      if (loop.step()) {
        context.runOnContext(ignored -> step());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      LOG.warn("the step loop was interrupted and ends");
    }
  }

  private static EngineFacts facts(EngineConfig config, Executors.Opened opened) {
    String version = EngineVerticle.class.getPackage().getImplementationVersion();
    return new EngineFacts(
        opened.model(),
        config.executor().name().toLowerCase(Locale.ROOT),
        opened.executor().blocks(),
        opened.executor().blockSize(),
        opened.maxModelLen(),
        config.maxNumSeqs(),
        config.maxNumBatchedTokens(),
        version == null ? "development" : version,
        WORLD_SIZE,
        config.hash());
  }
}
