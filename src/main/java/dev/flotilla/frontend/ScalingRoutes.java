package dev.flotilla.frontend;

import dev.flotilla.protocol.Addresses;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
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

  /** A coordinator that leads answers within milliseconds, a new one within seconds. */
  private static final long PATIENCE_MS = 5_000;

  /** Of weights on a slow disk, and then some. */
  private static final long CHANGE_MS = 3_600_000;

  /** So many looks in a row must find the coordinator at rest before the change counts as over. */
  private static final int RESTS = 3;

  private final Vertx vertx;

  ScalingRoutes(Vertx vertx) {
    this.vertx = vertx;
  }

  void mount(Router router) {
    router.post("/scale_elastic_ep").handler(this::scale);
    router.post("/is_scaling_elastic_ep").handler(this::scaling);
    router.get("/is_scaling_elastic_ep").handler(this::scaling);
    router.get("/nodes").handler(ctx -> relay(ctx, Addresses.NODES));
  }

  private void relay(RoutingContext ctx, String address) {
    ask(address, new JsonObject(), PATIENCE_MS)
        .onSuccess(answer -> answer(ctx, answer))
        .onFailure(e -> Errors.send(ctx.response(), known(e)));
  }

  private void scaling(RoutingContext ctx) {
    ask(Addresses.SCALE, new JsonObject(), PATIENCE_MS)
        .onSuccess(
            answer ->
                answer(
                    ctx,
                    new JsonObject()
                        .put("is_scaling_elastic_ep", answer.getBoolean("scaling"))
                        .put("phase", answer.getString("phase"))))
        .onFailure(e -> Errors.send(ctx.response(), known(e)));
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
    changed(body)
        .onSuccess(answer -> answer(ctx, answer))
        .onFailure(e -> Errors.send(ctx.response(), known(e)));
  }

  /** Completes with the coordinator's answer, or with what its successor made of the change. */
  private Future<JsonObject> changed(JsonObject body) {
    Promise<JsonObject> over = Promise.promise();
    int[] rests = {0};
    long timer =
        vertx.setPeriodic(
            LOOK_MS,
            _ ->
                ask(Addresses.SCALE, new JsonObject(), PATIENCE_MS)
                    .onSuccess(
                        now -> {
                          rests[0] = now.getBoolean("scaling") ? 0 : rests[0] + 1;
                          if (rests[0] >= RESTS) {
                            settle(over, now, body);
                          }
                        }));
    ask(Addresses.SCALE, body, CHANGE_MS)
        .onSuccess(over::tryComplete)
        .onFailure(
            e -> {
              // A coordinator that dies leaves the change to its successor; its size tells.
              if (!(e instanceof ReplyException reply)
                  || reply.failureType() == ReplyFailure.RECIPIENT_FAILURE) {
                over.tryFail(e);
              }
            });
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

  private Future<JsonObject> ask(String address, JsonObject question, long patienceMs) {
    return vertx
        .eventBus()
        .<JsonObject>request(address, question, new DeliveryOptions().setSendTimeout(patienceMs))
        .map(reply -> reply.body());
  }

  private static ApiException known(Throwable cause) {
    if (cause instanceof ApiException known) {
      return known;
    }
    if (cause instanceof ReplyException reply
        && reply.failureType() == ReplyFailure.RECIPIENT_FAILURE) {
      return ApiException.of(reply.failureCode(), String.valueOf(reply.getMessage()));
    }
    return ApiException.of(503, "no coordinator answers; ask again");
  }

  private static void answer(RoutingContext ctx, JsonObject json) {
    ctx.response().putHeader("Content-Type", "application/json").end(json.toBuffer());
  }
}
