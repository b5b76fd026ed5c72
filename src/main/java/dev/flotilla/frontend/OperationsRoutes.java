package dev.flotilla.frontend;

import dev.flotilla.protocol.StatusJson;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;

/** What operators ask: health, version, load, engines, metrics. Needs no key. */
final class OperationsRoutes {
  private final Parts parts;
  private final String version;

  OperationsRoutes(Parts parts) {
    this.parts = parts;
    String built = OperationsRoutes.class.getPackage().getImplementationVersion();
    this.version = built == null ? "development" : built;
  }

  void mount(Router router) {
    router.get("/health").handler(ctx -> ready(ctx, 1));
    router.get("/ping").handler(ctx -> ready(ctx, 1));
    router.post("/ping").handler(ctx -> ready(ctx, 1));
    router.get("/livez").handler(ctx -> ctx.response().end());
    router.get("/readyz").handler(ctx -> readyz(ctx));
    router.get("/version").handler(ctx -> json(ctx, new JsonObject().put("version", version)));
    router
        .get("/load")
        .handler(ctx -> json(ctx, new JsonObject().put("server_load", parts.streams().size())));
    router.get("/engines").handler(this::engines);
    router.get("/metrics").handler(this::metrics);
  }

  /** An engine that lives but does not step makes nobody ready, though the process is alive. */
  private void readyz(RoutingContext ctx) {
    int serving = parts.fleet().serving();
    int stepping = parts.fleet().stepping(System.nanoTime());
    int least = parts.config().minReadyEngines();
    if (serving >= least && stepping < least) {
      Errors.send(
          ctx.response(),
          ApiException.of(
              503,
              "%d of %d engines have work but have not stepped for more than %d s, and %d must step"
                  .formatted(
                      serving - stepping, serving, StallWatch.STALL_NANOS / 1_000_000_000, least)));
    } else {
      ready(ctx, least);
    }
  }

  private void ready(RoutingContext ctx, int least) {
    int serving = parts.fleet().serving();
    if (parts.streams().draining()) {
      Errors.send(ctx.response(), ApiException.of(503, "this API server is shutting down"));
    } else if (serving >= least) {
      ctx.response().end();
    } else {
      Errors.send(
          ctx.response(),
          ApiException.of(503, "%d engines are ready, %d are needed".formatted(serving, least)));
    }
  }

  private void metrics(RoutingContext ctx) {
    byte[] text = parts.metrics().scrape(parts.fleet(), parts.id().value(), parts.streams().size());
    ctx.response()
        .putHeader("Content-Type", FrontendMetrics.CONTENT_TYPE)
        .end(io.vertx.core.buffer.Buffer.buffer(text));
  }

  private void engines(RoutingContext ctx) {
    ctx.response()
        .putHeader("Content-Type", "application/json")
        .end(StatusJson.format(parts.fleet().freshest()));
  }

  private static void json(RoutingContext ctx, JsonObject json) {
    ctx.response().putHeader("Content-Type", "application/json").end(json.toBuffer());
  }
}
