package dev.flotilla.frontend;

import dev.flotilla.protocol.Addresses;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;

/**
 * The size of the group and its nodes over HTTP: hands the questions to the coordinator. A change
 * may outlive the coordinator that has begun it, so its size is looked at meanwhile. No other route
 * is closed while the group changes.
 */
final class ScalingRoutes {
  private static final long LOOK_MS = 1_000;

  /** Of weights on a slow disk, and then some. */
  private static final long CHANGE_MS = 3_600_000;

  /** So many looks in a row must find the coordinator at rest before the change counts as over. */
  private static final int RESTS = 3;

  private final Vertx vertx;
  private final CoordinatorCalls coordinator;

  ScalingRoutes(Vertx vertx) {
    this.vertx = vertx;
    coordinator = new CoordinatorCalls(vertx);
  }

  void mount(Router router) {
    router.post("/scale_elastic_ep").handler(this::scale);
    router.post("/is_scaling_elastic_ep").handler(this::scaling);
    router.get("/is_scaling_elastic_ep").handler(this::scaling);
    router.get("/nodes").handler(ctx -> relay(ctx, Addresses.NODES));
  }

  private void relay(RoutingContext ctx, String address) {
    CoordinatorCalls.answer(
        ctx, coordinator.ask(address, new JsonObject(), CoordinatorCalls.PATIENCE_MS));
  }

  private void scaling(RoutingContext ctx) {
    CoordinatorCalls.answer(
        ctx,
        coordinator
            .ask(Addresses.SCALE, new JsonObject(), CoordinatorCalls.PATIENCE_MS)
            .map(
                now ->
                    new JsonObject()
                        .put("is_scaling_elastic_ep", now.getBoolean("scaling"))
                        .put("phase", now.getString("phase"))));
  }

  private void scale(RoutingContext ctx) {
    JsonObject body;
    try {
      body = ctx.body().asJsonObject();
    } catch (DecodeException | ClassCastException e) {
      body = null;
    }
    if (body == null || body.isEmpty()) {
      Errors.send(
          ctx.response(),
          ApiException.badRequest(
              "expected {\"new_data_parallel_size\": n, \"drain_timeout\"?: seconds}"));
      return;
    }
    CoordinatorCalls.answer(ctx, changed(body));
  }

  /** Completes with the coordinator's answer, or with what its successor made of the change. */
  private Future<JsonObject> changed(JsonObject body) {
    Promise<JsonObject> over = Promise.promise();
    int[] rests = {0};
    long timer =
        vertx.setPeriodic(
            LOOK_MS,
            _ ->
                coordinator
                    .ask(Addresses.SCALE, new JsonObject(), CoordinatorCalls.PATIENCE_MS)
                    .onSuccess(
                        now -> {
                          rests[0] = now.getBoolean("scaling") ? 0 : rests[0] + 1;
                          if (rests[0] >= RESTS) {
                            settle(over, now, body);
                          }
                        }));
    coordinator
        .ask(Addresses.SCALE, body, CHANGE_MS)
        .onSuccess(over::tryComplete)
        .onFailure(
            over::tryFail); // One that dies answers nothing: what its successor does is seen.
    return over.future().onComplete(_ -> vertx.cancelTimer(timer));
  }

  private static void settle(Promise<JsonObject> over, JsonObject now, JsonObject asked) {
    if (asked.getValue("new_data_parallel_size") instanceof Number wanted
        && now.getInteger("data_parallel_size") == wanted.intValue()) {
      over.tryComplete(now);
    } else {
      over.tryFail(
          ApiException.of(
              500,
              "the change was given up when its coordinator ended; the group has %d ranks"
                  .formatted(now.getInteger("data_parallel_size"))));
    }
  }
}
