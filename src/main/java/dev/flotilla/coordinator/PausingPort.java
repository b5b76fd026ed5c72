package dev.flotilla.coordinator;

import dev.flotilla.coordinator.Pausing.Effect;
import dev.flotilla.coordinator.Pausing.Event;
import dev.flotilla.coordinator.Pausing.Outcome;
import dev.flotilla.coordinator.Pausing.State;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.PauseMode;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The shell of {@link Pausing} beside a leading coordinator: sends its orders to the ranks, and
 * serves {@code flotilla.v1.pause}. Lives for one leadership, on the coordinator's event loop.
 */
final class PausingPort {
  private static final Logger LOG = LoggerFactory.getLogger(PausingPort.class);
  private static final long TIMEOUT_SECONDS_MAX = 86_400;

  private final Bus bus;
  private final Runnable changed;
  private final CallersPort callers = new CallersPort();
  private Pausing pausing;
  private List<ClusterView.Engine> seen = List.of(); // without their loads, which change often

  /**
   * Leads from now on.
   *
   * @param last view that the leader before published; {@code EMPTY}: none
   * @param changed told when the view differs from the last
   */
  PausingPort(Bus bus, Term term, ClusterView last, Runnable changed) {
    this.bus = bus;
    this.changed = changed;
    Boolean inherited = last.term().equals(Term.NONE) ? null : last.paused();
    pausing = Pausing.start(term, inherited, System.nanoTime());
  }

  /** What it serves; to be unregistered with the coordinator's own. */
  List<MessageConsumer<Object>> serve(Vertx vertx) {
    return List.of(vertx.eventBus().consumer(Addresses.PAUSE, this::asked));
  }

  /** Whether engines may have work and take no step. */
  boolean paused() {
    return pausing.paused();
  }

  void leads(Term term) {
    on(new Event.Leads(term));
  }

  void told(ToCoordinator message) {
    if (message instanceof ToCoordinator.Paused level) {
      on(new Event.Told(System.nanoTime(), level));
    }
  }

  /**
   * Time passes.
   *
   * @param view as the membership shows it
   */
  void tick(ClusterView view) {
    List<ClusterView.Engine> bare = view.engines().stream().map(e -> e.with(null)).toList();
    if (!bare.equals(seen)) {
      seen = bare;
      on(new Event.Seen(System.nanoTime(), bare));
    }
    on(new Event.Tick(System.nanoTime()));
  }

  /** The view in which ranks that would run while all are paused get no work. */
  ClusterView shown(ClusterView view) {
    return pausing.shown(view);
  }

  /** This coordinator leads no more; its successor goes on with what is under way. */
  void stop() {
    callers.stop();
  }

  private void asked(Message<Object> request) {
    if (!(request.body() instanceof JsonObject body)) {
      request.fail(400, "expected a JSON object, not " + request.body());
      return;
    }
    if (body.isEmpty()) {
      request.reply(status());
      return;
    }
    PauseMode mode = mode(body.getValue("pause"));
    boolean resume = Boolean.TRUE.equals(body.getValue("resume"));
    Long timeoutMs = timeoutMs(body.getValue("timeout"), mode);
    if ((mode == null) != resume
        || timeoutMs == null
        || !(body.getValue("clear_cache", true) instanceof Boolean clearCache)) {
      request.fail(
          400,
          "expected {\"pause\": \"abort\", \"wait\" or \"keep\", \"clear_cache\"?: a boolean} or {\"resume\": true}, with \"timeout\"?: seconds from 1 to %d, not %s"
              .formatted(TIMEOUT_SECONDS_MAX, body.encode()));
      return;
    }
    Long call = callers.add(request);
    if (call == null) {
      return;
    }
    long now = System.nanoTime();
    on(
        mode == null
            ? new Event.Resume(now, call, timeoutMs)
            : new Event.Pause(now, call, mode, clearCache, timeoutMs));
  }

  private static @Nullable PauseMode mode(@Nullable Object name) {
    for (PauseMode mode : PauseMode.values()) {
      if (mode.apiName().equals(name)) {
        return mode;
      }
    }
    return null;
  }

  /** Null: it is none. */
  private static @Nullable Long timeoutMs(@Nullable Object seconds, @Nullable PauseMode mode) {
    if (seconds == null) {
      return PausingStep.timeoutMs(mode);
    }
    return seconds instanceof Number n
            && n.doubleValue() >= 1
            && n.doubleValue() <= TIMEOUT_SECONDS_MAX
        ? (long) (n.doubleValue() * 1_000)
        : null;
  }

  private JsonObject status() {
    State state = pausing.state();
    PauseMode mode = pausing.order().mode();
    JsonArray missing = new JsonArray();
    pausing.missing().stream().map(Rank::value).forEach(missing::add);
    return new JsonObject()
        .put("state", state.name().toLowerCase(Locale.ROOT))
        .put("is_paused", state == State.PAUSED)
        .put("mode", mode == null ? null : mode.apiName())
        .put("missing", missing);
  }

  private void on(Event event) {
    Pausing.Step step = pausing.on(event);
    pausing = step.next();
    for (Effect effect : step.effects()) {
      switch (effect) {
        case Effect.Send(var to, var order) ->
            bus.send(to, order)
                .onFailure(e -> LOG.debug("{} not delivered: {}", order, e.getMessage()));
        case Effect.Answer(long call, Outcome outcome) ->
            callers.answer(call, outcome.code(), outcome.sentence(), status());
        case Effect.Changed() -> changed.run();
        case Effect.Moved(String sentence) -> LOG.info(sentence);
      }
    }
  }
}
