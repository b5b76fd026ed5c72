package dev.flotilla.frontend;

import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.eventbus.Message;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.Json;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Utilities of the engines, over HTTP and on the bus address {@code flotilla.v1.utility}: the shell
 * of {@link UtilityCall}. All methods run on the front-end's event loop.
 */
final class UtilityRoutes {
  /** Their names, which are their paths too. */
  static final List<String> NAMES = List.of("reset_prefix_cache", "collect_stats", "list_threads");

  /** A utility waits for the end of a step, which takes seconds at most. */
  private static final long PATIENCE_NANOS = 30_000_000_000L;

  /** A bound against a client that asks faster than engines answer. */
  private static final int CALLS_MAX = 256;

  private final Parts parts;
  private final Bus bus;
  private final Map<Long, Open> open = new HashMap<>();
  private long lastId;
  private boolean ending;

  private static final class Open {
    final Promise<JsonObject> promise = Promise.promise();
    UtilityCall call;

    Open(UtilityCall call) {
      this.call = call;
    }
  }

  UtilityRoutes(Parts parts, Bus bus) {
    this.parts = parts;
    this.bus = bus;
  }

  void mount(Router router) {
    for (String name : NAMES) {
      router.post("/" + name).handler(ctx -> overHttp(ctx, name));
    }
  }

  /** A request on the bus: {@code {"name", "args"?: {}, "rank"?: n}}. */
  void accept(Message<Object> message) {
    if (!(message.body() instanceof JsonObject body)
        || !(body.getValue("name") instanceof String name)
        || !(body.getValue("args", new JsonObject()) instanceof JsonObject args)
        || !(body.getValue("rank", 0) instanceof Number number)) {
      message.fail(400, "expected {\"name\", \"args\"?: {}, \"rank\"?: n}, not " + message.body());
      return;
    }
    call(name, args, body.containsKey("rank") ? number.intValue() : null)
        .onSuccess(message::reply)
        .onFailure(
            e -> {
              ApiException known = known(e);
              message.fail(known.status(), known.sentence());
            });
  }

  private void overHttp(RoutingContext ctx, String name) {
    JsonObject args = new JsonObject();
    ctx.request().params().forEach((key, value) -> args.put(key, Boolean.parseBoolean(value)));
    args.remove("rank");
    String rank = ctx.request().getParam("rank");
    Integer only = null;
    if (rank != null) {
      try {
        only = Integer.valueOf(rank);
      } catch (NumberFormatException e) {
        Errors.send(
            ctx.response(), ApiException.badValue("rank", "rank must be a number, not " + rank));
        return;
      }
    }
    call(name, args, only)
        .onSuccess(
            result ->
                ctx.response().putHeader("Content-Type", "application/json").end(result.toBuffer()))
        .onFailure(e -> Errors.send(ctx.response(), known(e)));
  }

  /**
   * Calls a utility.
   *
   * @param only a rank; null: all that are known
   */
  Future<JsonObject> call(String name, JsonObject args, @Nullable Integer only) {
    if (ending) {
      return Future.failedFuture(ApiException.of(503, "shutting down"));
    }
    if (open.size() >= CALLS_MAX) {
      return Future.failedFuture(
          ApiException.of(429, open.size() + " utility calls are under way; try again later"));
    }
    Map<Rank, Incarnation> engines = new TreeMap<>();
    for (ClusterView.Engine engine : parts.fleet().view().engines()) {
      if (engine.facts() != null && (only == null || engine.rank().value() == only)) {
        engines.put(engine.rank(), engine.incarnation());
      }
    }
    if (engines.isEmpty()) {
      return Future.failedFuture(
          ApiException.of(
              503, only == null ? "no engine is ready" : "engine " + only + " is not ready"));
    }
    long id = ++lastId;
    Open call = new Open(UtilityCall.of(name, engines, System.nanoTime() + PATIENCE_NANOS));
    open.put(id, call);
    engines.forEach(
        (rank, incarnation) ->
            bus.send(
                    Addresses.engine(rank, incarnation),
                    new ToEngine.Utility(parts.id(), id, name, args.encode()))
                .onFailure(
                    e ->
                        on(
                            id,
                            new UtilityCall.Event.SendFailed(
                                incarnation, String.valueOf(e.getMessage())))));
    return call.promise.future();
  }

  /** An engine's answer. */
  void answered(ToFrontend.UtilityAnswer answer) {
    on(
        answer.callId(),
        new UtilityCall.Event.Answered(
            answer.rank(), answer.incarnation(), answer.result(), answer.failure()));
  }

  /** Deadlines, and engines that are gone. */
  void tick() {
    if (open.isEmpty()) {
      return;
    }
    var known =
        parts.fleet().view().engines().stream()
            .map(ClusterView.Engine::incarnation)
            .collect(Collectors.toUnmodifiableSet());
    for (Long id : List.copyOf(open.keySet())) {
      on(id, new UtilityCall.Event.Known(known));
      on(id, new UtilityCall.Event.Tick(System.nanoTime()));
    }
  }

  /** The front-end ends: every caller is told. */
  void shutdown() {
    ending = true;
    open.values().forEach(call -> call.promise.tryFail(ApiException.of(503, "shutting down")));
    open.clear();
  }

  private void on(long id, UtilityCall.Event event) {
    Open call = open.get(id);
    if (call == null) {
      return;
    }
    call.call = call.call.on(event);
    if (call.call.done()) {
      open.remove(id);
      String failure = call.call.failure();
      if (failure == null) {
        call.promise.tryComplete(results(call.call));
      } else {
        call.promise.tryFail(
            ApiException.of(failure.contains("shutting down") ? 503 : 500, failure));
      }
    }
  }

  private static JsonObject results(UtilityCall call) {
    JsonArray results = new JsonArray();
    call.results()
        .forEach(
            (rank, json) ->
                results.add(new JsonObject().put("rank", rank.value()).put("result", value(json))));
    return new JsonObject().put("results", results);
  }

  private static Object value(String json) {
    try {
      return Json.decodeValue(json);
    } catch (DecodeException e) {
      return json;
    }
  }

  private static ApiException known(Throwable cause) {
    return cause instanceof ApiException known
        ? known
        : ApiException.of(500, "the front-end failed: " + cause);
  }
}
