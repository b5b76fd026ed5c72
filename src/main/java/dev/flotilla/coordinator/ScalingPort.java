package dev.flotilla.coordinator;

import dev.flotilla.config.Config;
import dev.flotilla.config.PlacingConfig;
import dev.flotilla.coordinator.Scaling.Effect;
import dev.flotilla.coordinator.Scaling.Event;
import dev.flotilla.placement.AllToAll;
import dev.flotilla.placement.GivenPlacement;
import dev.flotilla.placement.PackStrategy;
import dev.flotilla.placement.PlacementRequest;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.GroupPlan;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The shell of {@link Scaling} beside a leading coordinator: sends its orders to the agents, and
 * serves {@code flotilla.v1.scale} and {@code flotilla.v1.nodes}. Lives for one leadership, on the
 * coordinator's event loop.
 */
final class ScalingPort {
  private static final Logger LOG = LoggerFactory.getLogger(ScalingPort.class);
  private static final long DRAIN_SECONDS = 120;
  private static final long DRAIN_SECONDS_MAX = 86_400;

  private final Bus bus;
  private final PlacingConfig placing;
  private final CallersPort callers = new CallersPort();
  private final Deque<Held> held = new ArrayDeque<>();
  private final long publishNanos;
  private final Evacuation evacuation = new Evacuation();
  private final IntConsumer admits;
  private Scaling scaling;
  private boolean leaving;

  /** An answer that is to come after the view that shows what it says. */
  private record Held(long dueNanos, Effect.Answer answer) {}

  /**
   * Leads from now on.
   *
   * @param size of the group at the launch, or as the leader before has told
   * @param publishMs within which a changed view is published
   * @param admits is told how many ranks may be members, before any of them is ordered to start
   */
  ScalingPort(
      Bus bus, PlacingConfig placing, int size, Term term, long publishMs, IntConsumer admits) {
    this.bus = bus;
    this.admits = admits;
    publishNanos = publishMs * 1_000_000;
    this.placing = placing;
    PlacementRequest request =
        new PlacementRequest(
            term.node().value(),
            0,
            size,
            Math.min(placing.sizeLocal(), size),
            placing.worldSize(),
            PackStrategy.of(placing.strategy()),
            AllToAll.of(placing.allToAll()),
            placing.allowed());
    var given = placing.groups().isEmpty() ? null : GivenPlacement.of(placing.groups());
    if (placing.phaseMs() > 0) {
      LOG.warn(
          "every phase of a change of the group takes at least {} ms, as was asked for: a setting for tests",
          placing.phaseMs());
    }
    scaling =
        Scaling.start(
            new Scaling.Settings(
                size,
                placing.launch(),
                request,
                given,
                placing.engine(),
                placing.surroundings(),
                placing.readyTimeoutMs() * 1_000_000,
                placing.phaseMs() * 1_000_000),
            term,
            System.nanoTime());
  }

  /** What it serves; to be unregistered with the coordinator's own. */
  List<MessageConsumer<Object>> serve(Vertx vertx) {
    return List.of(
        vertx.eventBus().consumer(Addresses.SCALE, this::scale),
        vertx.eventBus().consumer(Addresses.NODES, request -> request.reply(nodes())));
  }

  /** For who stands by. */
  GroupPlan plan(GroupPlan plan) {
    return plan.of(scaling.size(), Config.format(placing));
  }

  void leads(Term term) {
    on(new Event.Leads(term));
  }

  /**
   * Somebody tells.
   *
   * @param shown asked for if it matters: the view as others are shown it
   */
  void told(ToCoordinator message, Supplier<ClusterView> shown) {
    switch (message) {
      case ToCoordinator.Load(LoadReport load) when scaling.leaving() ->
          evacuation
              .on(load, shown.get())
              .ifPresent(
                  order ->
                      bus.send(order.to(), order.message())
                          .onFailure(e -> LOG.debug("{} is gone: {}", load.rank(), e.toString())));
      case ToCoordinator.FromAgent agent -> on(new Event.Told(System.nanoTime(), agent));
      case ToCoordinator.NodeLeft(NodeId node) -> on(new Event.Left(System.nanoTime(), node));
      default -> {}
    }
  }

  /** Time passes; gives whether others are shown another view from now on. */
  boolean tick(ClusterView view) {
    if (!view.engines().equals(scaling.engines())) {
      on(new Event.Seen(System.nanoTime(), view.engines()));
    }
    on(new Event.Tick(System.nanoTime()));
    while (!held.isEmpty() && System.nanoTime() - held.getFirst().dueNanos >= 0) {
      answer(held.removeFirst().answer);
    }
    boolean before = leaving;
    leaving = scaling.leaving();
    return before != leaving;
  }

  /** The view in which ranks that are about to go take nothing new. */
  ClusterView shown(ClusterView view) {
    return scaling.shown(view);
  }

  /** This coordinator leads no more; its successor goes on with what is under way. */
  void stop() {
    held.forEach(h -> answer(h.answer));
    held.clear();
    callers.stop();
  }

  private void scale(Message<Object> request) {
    if (!(request.body() instanceof JsonObject body)) {
      request.fail(400, "expected a JSON object, not " + request.body());
      return;
    }
    if (body.isEmpty()) {
      request.reply(status());
      return;
    }
    Integer size = positive(body.getValue("new_data_parallel_size"), 65_535);
    Integer drain = positive(body.getValue("drain_timeout", DRAIN_SECONDS), DRAIN_SECONDS_MAX);
    if (size == null || drain == null) {
      request.fail(
          400,
          "expected {\"new_data_parallel_size\", \"drain_timeout\"?}, whole numbers of at least 1, not "
              + body.encode());
      return;
    }
    Long call = callers.add(request);
    if (call != null) {
      on(new Event.Asked(System.nanoTime(), call, size, drain * 1_000L));
    }
  }

  private static @Nullable Integer positive(@Nullable Object value, long most) {
    return value instanceof Number number
            && !(value instanceof Double || value instanceof Float)
            && number.longValue() >= 1
            && number.longValue() <= most
        ? number.intValue()
        : null;
  }

  private JsonObject status() {
    return new JsonObject()
        .put("data_parallel_size", scaling.size())
        .put("scaling", scaling.changing())
        .put("phase", scaling.phase());
  }

  private JsonObject nodes() {
    JsonArray nodes = new JsonArray();
    scaling
        .agents()
        .all()
        .forEach(
            (id, heard) -> {
              var report = heard.report();
              JsonArray ranks = new JsonArray();
              report.leases().stream().map(l -> l.rank().value()).sorted().forEach(ranks::add);
              int used = report.leases().stream().mapToInt(l -> l.devices().size()).sum();
              JsonObject attributes = new JsonObject();
              report.attributes().forEach(attributes::put);
              nodes.add(
                  new JsonObject()
                      .put("id", id.value())
                      .put("address", report.address())
                      .put("head", id.equals(scaling.term().node()))
                      .put("devices", report.devices())
                      .put("free", Math.max(0, report.devices() - used))
                      .put("used", used)
                      .put("ranks", ranks)
                      .put("attributes", attributes));
            });
    return new JsonObject().put("nodes", nodes);
  }

  private void on(Event event) {
    Scaling.Step step = scaling.on(event);
    scaling = step.next();
    admits.accept(scaling.admitted());
    for (Effect effect : step.effects()) {
      switch (effect) {
        case Effect.Order(NodeId node, var order) ->
            bus.send(Addresses.node(node), order)
                .onFailure(e -> LOG.debug("{} not delivered: {}", order, e.getMessage()));
        case Effect.Answer answer when answer.code() != 400 && answer.code() != 409 ->
            held.add(new Held(System.nanoTime() + 2 * publishNanos, answer));
        case Effect.Answer answer -> answer(answer);
        case Effect.Moved(String sentence) -> LOG.info(sentence);
      }
    }
  }

  private void answer(Effect.Answer answer) {
    callers.answer(
        answer.call(),
        answer.code(),
        answer.sentence(),
        status().put("message", answer.sentence()));
  }
}
