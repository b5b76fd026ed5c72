package dev.flotilla.frontend;

import dev.flotilla.config.ChoiceConfig;
import dev.flotilla.config.Config;
import dev.flotilla.config.FrontendConfig;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One API server, on an event loop: OpenAI-compatible HTTP and the JSON bus address for clients,
 * and the owner of each accepted request's stream. Once it listens, its port stands in the local
 * map {@value #PORTS} under its id.
 */
public final class FrontendVerticle extends VerticleBase {
  /** Name of the local map from a front-end's id to its port. */
  public static final String PORTS = "flotilla.frontends";

  private static final Logger LOG = LoggerFactory.getLogger(FrontendVerticle.class);
  private static final long HELLO_MS = 1000;
  private static final long TICK_MS = 100;

  /** A reader that has not taken its last bytes by then is cut off. */
  private static final long FLUSH_MS = 1_000;

  /** Vert.x gives one free port to all servers of this JVM that ask for the same negative one. */
  private static final int SHARED_FREE_PORT = -1;

  /** How often a draining front-end looks whether it is done. */
  private static final long DRAIN_LOOK_MS = 20;

  private final ModelSource source;
  private final FrontendId id = new FrontendId(UUID.randomUUID().toString());
  private final List<Bus.Subscription> subscriptions = new ArrayList<>();
  private final List<MessageConsumer<Object>> consumers = new ArrayList<>();
  private @Nullable HttpServer server;
  private @Nullable Streams streams;
  private @Nullable UtilityRoutes utilities;

  /** Serves the model whose folder the configuration names. */
  public FrontendVerticle() {
    this(ModelSource.FOLDER);
  }

  FrontendVerticle(ModelSource source) {
    this.source = source;
  }

  /** Where a front-end's knowledge of the model comes from; may block. */
  interface ModelSource {
    /** The folder that the configuration names. */
    ModelSource FOLDER = ModelFolders::open;

    /** Loads it. */
    ServedModel open(FrontendConfig config);
  }

  @Override
  public Future<?> start() {
    FrontendConfig settings = Config.parse(config().encode(), FrontendConfig.DEFAULT);
    return vertx
        .executeBlocking(() -> source.open(settings), false)
        .compose(model -> serve(settings, Objects.requireNonNull(model)));
  }

  private Future<?> serve(FrontendConfig settings, ServedModel model) {
    Bus bus = Bus.of(vertx);
    Fleet fleet = new Fleet(id, bus.node(), settings.ranks(), settings.choice().policy());
    FrontendMetrics metrics = metrics(settings, model);
    Streams live = streams(settings, bus, fleet, model, metrics);
    streams = live;
    Parts parts =
        new Parts(
            vertx,
            id,
            settings,
            model,
            new RequestParser(model),
            fleet,
            live,
            new Flusher(context),
            metrics,
            System.currentTimeMillis() / 1000);
    UtilityRoutes calls = new UtilityRoutes(parts, bus);
    utilities = calls;
    vertx.setPeriodic(
        TICK_MS,
        _ -> {
          live.tick();
          calls.tick();
        });
    return bus.consume(Addresses.frontend(id), m -> receive(bus, live, calls, m))
        .compose(
            own -> {
              subscriptions.add(own);
              return bus.consume(Addresses.ALL_FRONTENDS, m -> receive(bus, live, calls, m));
            })
        .compose(
            all -> {
              subscriptions.add(all);
              hello(bus);
              vertx.setPeriodic(HELLO_MS, _ -> hello(bus));
              return listen(settings, router(parts, calls));
            })
        .compose(
            listening -> {
              server = listening;
              vertx.sharedData().getLocalMap(PORTS).put(id.value(), listening.actualPort());
              LOG.info(
                  "ApiServer_{} (front-end {}) listens on port {}",
                  settings.index(),
                  id,
                  listening.actualPort());
              return serveBus(Addresses.GENERATE, new BusGenerate(parts)::accept);
            })
        .compose(_ -> serveBus(Addresses.UTILITY, calls::accept));
  }

  private Streams streams(
      FrontendConfig settings, Bus bus, Fleet fleet, ServedModel model, FrontendMetrics metrics) {
    ChoiceConfig choice = settings.choice();
    Asking asking =
        choice.in() == ChoiceConfig.Place.COORDINATOR
            ? new Asking(id, bus, (ms, action) -> vertx.setTimer(ms, _ -> action.run()))
            : null;
    Placing placing = new Placing(fleet, choice.header(), asking);
    Gate gate = new Gate(settings.queue(), fleet);
    return new Streams(id, bus, fleet, placing, gate, model, metrics, settings.requestTimeoutMs());
  }

  private Future<Void> serveBus(String address, Handler<Message<Object>> receiver) {
    MessageConsumer<Object> consumer = vertx.eventBus().consumer(address, receiver);
    consumers.add(consumer);
    return consumer.completion();
  }

  /** One for all front-ends of this Vert.x that serve the model, so that each shows all. */
  private FrontendMetrics metrics(FrontendConfig settings, ServedModel model) {
    Labelling labelling = new Labelling(settings.metricsEngineLabel());
    return vertx
        .sharedData()
        .<String, FrontendMetrics>getLocalMap("flotilla.metrics")
        .computeIfAbsent(model.name(), name -> new FrontendMetrics(name, labelling));
  }

  private Future<HttpServer> listen(FrontendConfig settings, Router router) {
    HttpServerOptions options =
        new HttpServerOptions()
            .setHost(settings.host())
            .setPort(settings.port() == 0 ? SHARED_FREE_PORT : settings.port())
            .setTcpNoDelay(true);
    return vertx.createHttpServer(options).requestHandler(router).listen();
  }

  private Router router(Parts parts, UtilityRoutes calls) {
    Router router = Router.router(vertx);
    Access access = new Access(parts.config().apiKey(), parts.metrics());
    router.route().handler(access::note);
    for (String guarded : List.of("/v1/*", "/tokenize", "/detokenize")) {
      router.route(guarded).handler(access::check);
    }
    for (String name : UtilityRoutes.NAMES) {
      router.route("/" + name).handler(access::check);
    }
    for (String order : List.of("/scale_elastic_ep", "/pause", "/resume")) {
      router.route(order).handler(access::check);
    }
    router.route().handler(BodyHandler.create(false).setBodyLimit(parts.config().maxBodyBytes()));
    new GenerationRoutes(parts).mount(router);
    new TextRoutes(parts).mount(router);
    new OperationsRoutes(parts).mount(router);
    new ScalingRoutes(vertx).mount(router);
    new PausingRoutes(vertx).mount(router);
    calls.mount(router);
    router.errorHandler(404, ctx -> error(ctx, 404, "there is no route " + ctx.request().path()));
    router.errorHandler(
        405,
        ctx ->
            error(
                ctx,
                405,
                "%s does not take %s".formatted(ctx.request().path(), ctx.request().method())));
    router.errorHandler(
        413,
        ctx ->
            error(
                ctx,
                413,
                "the body is larger than %d bytes".formatted(parts.config().maxBodyBytes())));
    router.errorHandler(400, ctx -> error(ctx, 400, "the request is not valid HTTP"));
    router.errorHandler(
        500,
        ctx -> {
          Throwable cause = Objects.requireNonNullElse(ctx.failure(), new IllegalStateException());
          Errors.send(ctx.response(), GenerationRoutes.failure(ctx, cause));
        });
    return router;
  }

  private static void error(RoutingContext ctx, int status, String sentence) {
    Errors.send(ctx.response(), ApiException.of(status, sentence));
  }

  private void hello(Bus bus) {
    Term seen = Objects.requireNonNull(streams).term();
    bus.send(Addresses.COORDINATOR, new ToCoordinator.FrontendHello(id, bus.node(), seen))
        .onFailure(e -> LOG.debug("no coordinator hears front-end {}: {}", id, e.toString()));
  }

  private void receive(Bus bus, Streams live, UtilityRoutes calls, ToFrontend message) {
    switch (message) {
      case ToFrontend.Tokens tokens -> live.accept(tokens);
      case ToFrontend.Load load -> live.report(load.load());
      case ToFrontend.Refusal refusal -> live.refused(refusal);
      case ToFrontend.Offer offer -> live.offered(offer);
      case ToFrontend.PrefixChange change -> live.prefixes(change);
      case ToFrontend.Chosen chosen -> live.chosen(chosen);
      case ToFrontend.View view -> {
        if (!live.view(view.view())) {
          hello(bus); // Its coordinator goes above the term that is followed here.
        }
      }
      case ToFrontend.UtilityAnswer answer -> calls.answered(answer);
      case ToFrontend.Ping ping ->
          bus.send(
                  Addresses.engine(ping.rank(), ping.incarnation()),
                  new ToEngine.Pong(id, ping.nonce()))
              .onFailure(e -> LOG.debug("engine {} left before its pong", ping.rank()));
      case ToFrontend.Pong _ -> LOG.debug("front-end {} got a pong that it did not ask for", id);
    }
  }

  /**
   * Takes nothing new, says that it is not ready, and leaves the address for clients on the bus;
   * completes once all answers have ended, those that take longer than the time with {@code abort}.
   * May be called from any thread, and again with a shorter time.
   */
  public Future<Void> drain(long timeoutMs) {
    Promise<Void> drained = Promise.promise();
    context.runOnContext(ignored -> drain(timeoutMs, drained));
    return drained.future();
  }

  private void drain(long timeoutMs, Promise<Void> drained) {
    Streams live = streams;
    if (live == null) {
      drained.complete();
      return;
    }
    live.drain();
    consumers.forEach(MessageConsumer::unregister);
    consumers.clear();
    if (utilities != null) {
      utilities.shutdown();
    }
    long deadline = System.nanoTime() + timeoutMs * 1_000_000;
    LOG.info("front-end {} drains {} streams for {} ms at most", id, live.size(), timeoutMs);
    vertx.setPeriodic(
        0,
        DRAIN_LOOK_MS,
        timer -> {
          if (live.size() > 0 && System.nanoTime() - deadline >= 0) {
            live.abort();
          }
          if (live.size() == 0) {
            vertx.cancelTimer(timer);
            drained.tryComplete();
          }
        });
  }

  @Override
  public Future<?> stop() {
    vertx.sharedData().getLocalMap(PORTS).remove(id.value());
    if (streams != null) {
      streams.abort();
    }
    if (utilities != null) {
      utilities.shutdown();
    }
    List<Future<?>> closing = new ArrayList<>();
    for (Bus.Subscription subscription : subscriptions) {
      closing.add(subscription.unregister());
    }
    for (MessageConsumer<Object> consumer : consumers) {
      closing.add(consumer.unregister());
    }
    if (server != null) {
      // What was written last must still reach its reader.
      closing.add(server.shutdown(FLUSH_MS, TimeUnit.MILLISECONDS));
    }
    return Future.join(closing);
  }
}
