package dev.flotilla.coordinator;

import dev.flotilla.coordinator.Pausing.Effect;
import dev.flotilla.coordinator.Pausing.Event;
import dev.flotilla.coordinator.Pausing.Heard;
import dev.flotilla.coordinator.Pausing.Order;
import dev.flotilla.coordinator.Pausing.Outcome;
import dev.flotilla.coordinator.Pausing.State;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.PauseMode;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One step of {@link Pausing}: begins as its state, and ends as the next. Lives for one event. */
final class PausingStep {
  private static final long MS = 1_000_000;

  /** Ranks tell their levels every 250 ms; until then nothing is known of an earlier leader's. */
  static final long LISTEN_NANOS = 600 * MS;

  /** By then the members that live have said Hello to a new coordinator. */
  static final long GATHER_NANOS = 2_000 * MS;

  /** Whoever tells of an earlier leader's pause later than this has stood still since. */
  static final long ADOPT_NANOS = 5_000 * MS;

  static final long REPEAT_NANOS = 200 * MS;

  /** Levels of ranks that are no members yet are kept for so long. */
  private static final long STRANGER_NANOS = 5_000 * MS;

  /** More than there are ranks; a bound against strangers. */
  private static final int LEVELS_MAX = 100_000;

  /** The original's tests expect a control message to reach all ranks within this. */
  static final long TIMEOUT_MS = 30_000;

  /** Of requests that run to their end. */
  static final long WAIT_MS = 3_600_000;

  private final long startedNanos;
  private final List<Effect> effects = new ArrayList<>();
  private final Map<Incarnation, Heard> levels;
  private final Map<Incarnation, Long> told;
  private final List<Long> calls;
  private Term term;
  private @Nullable Boolean inherited;
  private State state;
  private Order order;
  private boolean own;
  private long highest;
  private List<ClusterView.Engine> engines;
  private long sinceNanos;
  private long deadlineNanos;

  PausingStep(Pausing from) {
    term = from.term();
    inherited = from.inherited();
    state = from.state();
    order = from.order();
    own = from.own();
    highest = from.highest();
    engines = from.engines();
    levels = new HashMap<>(from.levels());
    told = new HashMap<>(from.toldNanos());
    calls = new ArrayList<>(from.calls());
    startedNanos = from.startedNanos();
    sinceNanos = from.sinceNanos();
    deadlineNanos = from.deadlineNanos();
  }

  Pausing next() {
    return new Pausing(
        term,
        inherited,
        state,
        order,
        own,
        highest,
        engines,
        levels,
        told,
        calls,
        startedNanos,
        sinceNanos,
        deadlineNanos);
  }

  List<Effect> effects() {
    return effects;
  }

  /** What a caller that says nothing is ready to wait. */
  static long timeoutMs(@Nullable PauseMode mode) {
    return mode == PauseMode.WAIT ? WAIT_MS : TIMEOUT_MS;
  }

  void on(Event event) {
    switch (event) {
      case Event.Tick(long now) -> advance(now);
      case Event.Told(long now, ToCoordinator.Paused level) -> {
        hear(level, now);
        advance(now);
      }
      case Event.Seen(long now, List<ClusterView.Engine> seen) -> {
        engines = seen.stream().filter(e -> e.state() != EngineState.DEAD).toList();
        forget(now);
        advance(now);
      }
      case Event.Leads(Term now) -> term = now;
      case Event.Pause pause -> pause(pause);
      case Event.Resume resume -> resume(resume);
    }
  }

  private void hear(ToCoordinator.Paused level, long now) {
    Heard known = levels.get(level.incarnation());
    boolean late = known != null && known.level().number() > level.number();
    if (!late && (known != null || levels.size() < LEVELS_MAX)) {
      levels.put(level.incarnation(), new Heard(level, now));
      highest = Math.max(highest, level.number());
    }
  }

  private void forget(long now) {
    Set<Incarnation> members = new HashSet<>();
    engines.forEach(e -> members.add(e.incarnation()));
    levels
        .entrySet()
        .removeIf(
            e -> !members.contains(e.getKey()) && now - e.getValue().atNanos() > STRANGER_NANOS);
    told.keySet().retainAll(members);
  }

  private void pause(Event.Pause asked) {
    if (state == State.RESUMING) {
      answer(asked.call(), new Outcome.Busy(state));
      return;
    }
    boolean same = order.mode() == asked.mode();
    boolean waited = !calls.isEmpty();
    calls.add(asked.call());
    if (!same || state == State.RUNNING) {
      Order wanted = new Order(nextNumber(), asked.mode(), asked.clearCache());
      begin(State.PAUSING, wanted, asked.nowNanos(), asked.timeoutMs());
    } else if (state == State.PAUSED && !waited) {
      sinceNanos = asked.nowNanos();
      deadlineNanos = sinceNanos + asked.timeoutMs() * MS;
      advance(sinceNanos); // Somebody may have come a moment ago, and not know yet.
    }
  }

  private void resume(Event.Resume asked) {
    if (state == State.PAUSING || (state == State.PAUSED && !calls.isEmpty())) {
      answer(asked.call(), new Outcome.Busy(State.PAUSING));
    } else if (state == State.RUNNING && known(asked.nowNanos())) {
      answer(asked.call(), new Outcome.Done(state));
    } else {
      calls.add(asked.call());
      if (state != State.RESUMING) {
        undo(asked.nowNanos(), asked.timeoutMs());
      }
    }
  }

  /** Whether nobody is paused, and an earlier leader's pause would have been heard of. */
  private boolean known(long now) {
    boolean listened =
        own
            || (now - startedNanos >= LISTEN_NANOS && !Boolean.TRUE.equals(inherited))
            || now - startedNanos >= ADOPT_NANOS;
    return listened && next().missing().isEmpty();
  }

  private void undo(long now, long timeoutMs) {
    begin(State.RESUMING, new Order(nextNumber(), null, false), now, timeoutMs);
  }

  private void begin(State next, Order wanted, long now, long timeoutMs) {
    own = true;
    inherited = false;
    enter(next, wanted, now, timeoutMs);
    advance(now);
  }

  private void enter(State next, Order wanted, long now, long timeoutMs) {
    state = next;
    order = wanted;
    sinceNanos = now;
    deadlineNanos = now + timeoutMs * MS;
    told.clear();
    highest = Math.max(highest, wanted.number());
    effects.add(new Effect.Changed());
    effects.add(
        new Effect.Moved(
            "all ranks are to %s, order %d"
                .formatted(
                    wanted.mode() == null ? "go on" : "pause (" + wanted.mode().apiName() + ")",
                    wanted.number())));
  }

  private long nextNumber() {
    return Math.max((long) term.number() << 32, highest) + 1;
  }

  private void advance(long now) {
    adopt(now);
    boolean listens = !own && now - startedNanos < LISTEN_NANOS;
    if (listens || (state == State.RUNNING && levels.isEmpty())) {
      return;
    }
    renumber();
    boolean gathered = now - startedNanos >= GATHER_NANOS;
    if (state == State.PAUSING || state == State.RESUMING || !calls.isEmpty()) {
      Pausing present = next();
      if (gathered && engines.stream().allMatch(present::settled)) {
        done();
      } else if (now >= deadlineNanos) {
        overdue(present, now);
      }
    }
    repair(now);
  }

  /** Goes on with what an earlier leader began, as far as it got. */
  private void adopt(long now) {
    if (own || Boolean.FALSE.equals(inherited) || now - startedNanos < LISTEN_NANOS) {
      return;
    }
    if (now - startedNanos >= ADOPT_NANOS) {
      inherited = false;
      effects.add(new Effect.Changed());
      return;
    }
    ToCoordinator.Paused best = null;
    for (Heard heard : levels.values()) {
      long least = best == null ? order.number() : best.number();
      best = heard.level().number() > least ? heard.level() : best;
    }
    if (best != null) {
      PauseMode mode = best.mode();
      boolean clear = mode != null && mode != PauseMode.KEEP; // Whoever has obeyed knows better.
      enter(
          mode == null ? State.RESUMING : State.PAUSING,
          new Order(best.number(), mode, clear),
          now,
          mode == null ? TIMEOUT_MS : timeoutMs(mode));
    }
  }

  /** A rank that obeys a higher number than the order's would not obey the order. */
  private void renumber() {
    Pausing present = next();
    for (ClusterView.Engine engine : engines) {
      Heard heard = levels.get(engine.incarnation());
      if (heard != null && heard.level().number() > order.number() && !present.obeys(engine)) {
        own = true;
        order = new Order(nextNumber(), order.mode(), order.clearCache());
        highest = order.number();
        told.clear();
        return;
      }
    }
  }

  private void done() {
    state = state == State.RESUMING ? State.RUNNING : State.PAUSED;
    inherited = false;
    Outcome outcome = new Outcome.Done(state);
    effects.add(new Effect.Moved(outcome.sentence()));
    end(outcome);
  }

  private void overdue(Pausing present, long now) {
    List<Rank> deaf = ranks(engines.stream().filter(e -> !present.obeys(e)).toList());
    List<Rank> busy = ranks(engines.stream().filter(e -> !present.settled(e)).toList());
    Outcome outcome =
        new Outcome.Overdue(
            state, deaf.isEmpty() ? 2 : 1, deaf.isEmpty() ? busy : deaf, (now - sinceNanos) / MS);
    effects.add(new Effect.Moved(outcome.sentence()));
    boolean pausing = state == State.PAUSING;
    state = state == State.PAUSED ? state : State.RUNNING;
    end(outcome);
    if (pausing) {
      own = true;
      enter(State.RESUMING, new Order(nextNumber(), null, false), now, TIMEOUT_MS);
    }
  }

  private static List<Rank> ranks(List<ClusterView.Engine> some) {
    return some.stream().map(ClusterView.Engine::rank).sorted().toList();
  }

  private void end(Outcome outcome) {
    calls.forEach(call -> answer(call, outcome));
    calls.clear();
    effects.add(new Effect.Changed());
  }

  private void repair(long now) {
    Pausing present = next();
    for (ClusterView.Engine engine : engines) {
      Long last = told.get(engine.incarnation());
      if (!present.obeys(engine) && (last == null || now - last >= REPEAT_NANOS)) {
        told.put(engine.incarnation(), now);
        effects.add(new Effect.Send(engine.address(), message()));
      }
    }
  }

  /** Who comes while a pause is in force has nothing that it would be right to end. */
  private ToEngine.Pacing message() {
    PauseMode mode = order.mode();
    return mode == null
        ? new ToEngine.Resume(term, order.number())
        : state == State.PAUSED
            ? new ToEngine.Pause(term, order.number(), PauseMode.KEEP, false)
            : new ToEngine.Pause(term, order.number(), mode, order.clearCache());
  }

  private void answer(long call, Outcome outcome) {
    effects.add(new Effect.Answer(call, outcome));
  }
}
