package dev.flotilla.frontend;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;

/** Questions of HTTP clients that the leading coordinator answers. */
record CoordinatorCalls(Vertx vertx) {
  /** A coordinator that leads answers within milliseconds, a new one within seconds. */
  static final long PATIENCE_MS = 5_000;

  Future<JsonObject> ask(String address, JsonObject question, long patienceMs) {
    return vertx
        .eventBus()
        .<JsonObject>request(address, question, new DeliveryOptions().setSendTimeout(patienceMs))
        .map(reply -> reply.body());
  }

  /** Whether a coordinator said so, and not the bus that there is none. */
  static boolean answered(Throwable cause) {
    return cause instanceof ReplyException reply
        && reply.failureType() == ReplyFailure.RECIPIENT_FAILURE;
  }

  /** Gives the client the answer, or the coordinator's refusal with its code. */
  static void answer(RoutingContext ctx, Future<JsonObject> outcome) {
    outcome
        .onSuccess(
            json ->
                ctx.response().putHeader("Content-Type", "application/json").end(json.toBuffer()))
        .onFailure(e -> Errors.send(ctx.response(), known(e)));
  }

  private static ApiException known(Throwable cause) {
    if (cause instanceof ApiException known) {
      return known;
    }
    return cause instanceof ReplyException reply && answered(cause)
        ? ApiException.of(reply.failureCode(), String.valueOf(reply.getMessage()))
        : ApiException.of(503, "no coordinator answers; ask again");
  }
}
