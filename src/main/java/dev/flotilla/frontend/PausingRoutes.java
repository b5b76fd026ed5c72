package dev.flotilla.frontend;

import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.PauseMode;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Pause and resume over HTTP, with vLLM's parameters and answers: hands the order to the
 * coordinator. A pause may outlive the coordinator that has begun it, so how it stands is looked at
 * meanwhile.
 */
final class PausingRoutes {
  private static final long LOOK_MS = 1_000;

  private static final long TIMEOUT_SECONDS_MAX = 86_400;

  /** Longer than the coordinator waits for ranks, whatever it was told. */
  private static final long LONGEST_MS = (TIMEOUT_SECONDS_MAX + 60) * 1_000;

  /** So many looks in a row must find the opposite, or nobody, before the order counts as lost. */
  private static final int LOOKS = 4;

  private final Vertx vertx;
  private final CoordinatorCalls coordinator;

  PausingRoutes(Vertx vertx) {
    this.vertx = vertx;
    coordinator = new CoordinatorCalls(vertx);
  }

  /** One order, until it is known what came of it. */
  private final class Order {
    private final Promise<JsonObject> done = Promise.promise();
    private final String wanted;
    private final String opposite;
    private int vain;

    Order(String wanted, String opposite) {
      this.wanted = wanted;
      this.opposite = opposite;
    }

    Future<JsonObject> give(JsonObject order) {
      long timer = vertx.setPeriodic(LOOK_MS, _ -> look());
      ask(order, LONGEST_MS)
          .onSuccess(done::tryComplete)
          .onFailure(
              e -> {
                if (CoordinatorCalls.answered(e)) {
                  done.tryFail(e); // Otherwise a successor goes on with it, or nobody heard it.
                }
              });
      return done.future().onComplete(_ -> vertx.cancelTimer(timer));
    }

    private void look() {
      ask(new JsonObject(), CoordinatorCalls.PATIENCE_MS)
          .onSuccess(
              now -> {
                String state = now.getString("state");
                vain = opposite.equals(state) ? vain + 1 : 0;
                if (wanted.equals(state)) {
                  done.tryComplete(now);
                } else if (vain >= LOOKS) {
                  done.tryFail(
                      ApiException.of(
                          503,
                          "the order was lost with its coordinator, and all ranks are %s; ask again"
                              .formatted(state)));
                }
              })
          .onFailure(
              e -> {
                vain++;
                if (vain >= LOOKS) {
                  done.tryFail(e);
                }
              });
    }
  }

  void mount(Router router) {
    router.post("/pause").handler(this::pause);
    router.post("/resume").handler(this::resume);
    router.get("/is_paused").handler(this::paused);
  }

  private void pause(RoutingContext ctx) {
    JsonObject order = new JsonObject();
    try {
      boolean waits = flag(ctx, "wait_for_inflight_requests", false);
      order.put("pause", waits ? PauseMode.WAIT.apiName() : mode(ctx.request().getParam("mode")));
      order.put("clear_cache", flag(ctx, "clear_cache", true));
      timeout(ctx, order);
    } catch (ApiException e) {
      Errors.send(ctx.response(), e);
      return;
    }
    CoordinatorCalls.answer(
        ctx, new Order("paused", "running").give(order).map(_ -> status("paused")));
  }

  private void resume(RoutingContext ctx) {
    JsonObject order = new JsonObject().put("resume", true);
    try {
      timeout(ctx, order);
    } catch (ApiException e) {
      Errors.send(ctx.response(), e);
      return;
    }
    CoordinatorCalls.answer(
        ctx, new Order("running", "paused").give(order).map(_ -> status("resumed")));
  }

  private void paused(RoutingContext ctx) {
    CoordinatorCalls.answer(ctx, ask(new JsonObject(), CoordinatorCalls.PATIENCE_MS));
  }

  private static JsonObject status(String now) {
    return new JsonObject().put("status", now);
  }

  private static String mode(@Nullable String name) {
    String wanted = name == null ? PauseMode.ABORT.apiName() : name;
    if (Arrays.stream(PauseMode.values()).noneMatch(m -> m.apiName().equals(wanted))) {
      String known =
          Arrays.stream(PauseMode.values())
              .map(PauseMode::apiName)
              .collect(Collectors.joining(", "));
      throw ApiException.badValue(
          "mode", "mode must be one of %s, not %s".formatted(known, wanted));
    }
    return wanted;
  }

  private static boolean flag(RoutingContext ctx, String name, boolean otherwise) {
    String value = ctx.request().getParam(name);
    if (value == null) {
      return otherwise;
    }
    return switch (value.toLowerCase(Locale.ROOT)) {
      case "true", "1", "yes", "on" -> true;
      case "false", "0", "no", "off" -> false;
      default ->
          throw ApiException.badValue(
              name, "%s must be true or false, not %s".formatted(name, value));
    };
  }

  private static void timeout(RoutingContext ctx, JsonObject order) {
    String value = ctx.request().getParam("timeout");
    if (value == null) {
      return;
    }
    try {
      double seconds = Double.parseDouble(value);
      if (seconds >= 1 && seconds <= TIMEOUT_SECONDS_MAX) {
        order.put("timeout", seconds);
        return;
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw ApiException.badValue(
        "timeout", "timeout must be 1 to %d seconds, not %s".formatted(TIMEOUT_SECONDS_MAX, value));
  }

  private Future<JsonObject> ask(JsonObject question, long patienceMs) {
    return coordinator.ask(Addresses.PAUSE, question, patienceMs);
  }
}
