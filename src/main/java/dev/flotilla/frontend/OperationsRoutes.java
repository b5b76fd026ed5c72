package dev.flotilla.frontend;

import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.LoadReport;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import org.jspecify.annotations.Nullable;

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
    router.get("/readyz").handler(ctx -> ready(ctx, parts.config().minReadyEngines()));
    router.get("/version").handler(ctx -> json(ctx, new JsonObject().put("version", version)));
    router
        .get("/load")
        .handler(ctx -> json(ctx, new JsonObject().put("server_load", parts.streams().size())));
    router.get("/engines").handler(this::engines);
    router.get("/metrics").handler(this::metrics);
  }

  private void ready(RoutingContext ctx, int least) {
    int serving = parts.fleet().serving();
    if (serving >= least) {
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
    JsonArray engines = new JsonArray();
    for (ClusterView.Engine engine : parts.fleet().view().engines()) {
      engines.add(engine(engine, parts.fleet().load(engine)));
    }
    json(ctx, new JsonObject().put("engines", engines));
  }

  private static JsonObject engine(ClusterView.Engine engine, @Nullable LoadReport load) {
    JsonObject json =
        new JsonObject()
            .put("rank", engine.rank().value())
            .put("state", engine.state().name())
            .put("epoch", engine.epoch().toString())
            .put("incarnation", engine.incarnation().value())
            .put("node", engine.node().value())
            .put("local", engine.local())
            .put("suspect", engine.suspect());
    if (load != null) {
      json.put("waiting", load.waiting())
          .put("running", load.running())
          .put("kv_usage", load.kvUsage())
          .put("wave", load.wave())
          .put("step", load.step())
          .put("last_step_age_ms", load.lastStepAgeMs());
    }
    return json;
  }

  private static void json(RoutingContext ctx, JsonObject json) {
    ctx.response().putHeader("Content-Type", "application/json").end(json.toBuffer());
  }
}
