package dev.flotilla.coordinator;

import dev.flotilla.config.CoordinatorConfig;
import dev.flotilla.coordinator.Waves.Event;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.Generation;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import io.vertx.core.json.JsonObject;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The shell of {@link Waves} beside a leading coordinator: feeds it who serves, reports and the
 * members' words, and sends its orders. Lives for one leadership, on the coordinator's event loop;
 * where ranks step alone it does nothing.
 */
final class WavePort {
  private static final Logger LOG = LoggerFactory.getLogger(WavePort.class);

  /** Of a coordinator that does not lead, or leads ranks that step alone. */
  static final WavePort NONE = new WavePort(null, null);

  private final @Nullable Bus bus;
  private @Nullable Waves waves;
  private List<Seats.Candidate> serving = List.of(); // Without their reports.
  private int size;

  private WavePort(@Nullable Bus bus, @Nullable Waves waves) {
    this.bus = bus;
    this.waves = waves;
  }

  /** For a leadership. */
  static WavePort of(Bus bus, Membership.Limits limits, CoordinatorConfig settings, Term term) {
    if (!limits.expected().lockstep()) {
      return NONE;
    }
    long exchangeMs = settings.placing().engine().lockstep().timeoutMs();
    return new WavePort(
        bus, Waves.start(Waves.Limits.of(limits.dataParallelSize(), exchangeMs), term));
  }

  /** The group as it stands; null: ranks step alone. */
  @Nullable Waves waves() {
    return waves;
  }

  void leads(Term term) {
    on(new Event.Leads(term));
  }

  /** A message has come, and the membership has taken it. */
  void told(ToCoordinator message, @Nullable Membership membership, long nowNanos) {
    if (waves == null || membership == null) {
      return;
    }
    switch (message) {
      case ToCoordinator.Load(var load) -> on(new Event.Reported(nowNanos, load));
      case ToCoordinator.FromMember word -> on(new Event.Told(nowNanos, word));
      default -> {}
    }
    see(membership, nowNanos);
  }

  void tick(@Nullable Membership membership) {
    if (waves != null && membership != null) {
      long now = System.nanoTime();
      see(membership, now);
      on(new Event.Tick(now));
    }
  }

  /** An Init tells the group as it is now; whatever else is said goes as it is. */
  ToEngine informed(ToEngine message) {
    Generation generation = waves == null ? null : waves.generation();
    return generation != null && message instanceof ToEngine.Init init
        ? new ToEngine.Init(
            init.rank(),
            init.incarnation(),
            init.epoch(),
            init.term(),
            init.parallel(),
            init.coordinator(),
            init.frontends(),
            generation)
        : message;
  }

  /** Adds what the group has done under this leader, if ranks step together. */
  JsonObject shownIn(JsonObject status) {
    if (waves == null) {
      return status;
    }
    Generation generation = waves.generation();
    Waves.Counts counts = waves.counts();
    return status.put(
        "waves",
        new JsonObject()
            .put("wave", waves.wave())
            .put("running", waves.running())
            .put("generation", generation == null ? 0 : generation.number())
            .put("generations_formed", counts.generations())
            .put("generations_failed", counts.failures())
            .put("started", counts.starts())
            .put("completed", counts.completed())
            .put("repairs", counts.repairs())
            .put("stuck", counts.stuck()));
  }

  private void see(Membership membership, long now) {
    List<Seats.Candidate> serve =
        membership.members().all().stream()
            // Who drains steps with the others until it leaves, for what it still runs.
            .filter(m -> m.state() == EngineState.READY || m.state() == EngineState.DRAINING)
            .map(
                m ->
                    new Seats.Candidate(m.rank(), m.incarnation(), m.endpoint(), m.suspect(), null))
            .toList();
    int ranks = membership.limits().dataParallelSize();
    if (ranks == size && serve.equals(serving)) {
      return;
    }
    serving = serve;
    size = ranks;
    on(
        new Event.Seen(
            now, ranks, serve.stream().map(c -> heard(c, membership.members())).toList()));
  }

  private static Seats.Candidate heard(Seats.Candidate one, Members members) {
    Member member = members.of(one.rank());
    return new Seats.Candidate(
        one.rank(),
        one.incarnation(),
        one.endpoint(),
        one.suspect(),
        member == null ? null : member.load());
  }

  private void on(Event event) {
    Waves before = waves;
    if (before == null) {
      return;
    }
    Waves.Step step = before.on(event);
    waves = step.next();
    step.effects().forEach(this::perform);
  }

  private void perform(Waves.Effect effect) {
    switch (effect) {
      case Waves.Effect.Send(var rank, var incarnation, var order) -> {
        if (bus != null) {
          bus.send(Addresses.engine(rank, incarnation), order)
              .onFailure(
                  // What is not heard shows in reports, and is said again.
                  e -> LOG.debug("{} not delivered to {}: {}", order, rank, e.getMessage()));
        }
      }
      case Waves.Effect.Moved(String sentence) -> LOG.info(sentence);
      case Waves.Effect.Stuck(String sentence) -> LOG.warn(sentence);
    }
  }
}
