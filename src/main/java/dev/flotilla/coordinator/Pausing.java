package dev.flotilla.coordinator;

import dev.flotilla.protocol.Address;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Machine;
import dev.flotilla.protocol.PauseMode;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Pauses and resumes all ranks: phase 1, all have put the order into effect; phase 2 of a pause,
 * nothing runs anywhere; then whoever asked is answered. Ranks tell levels, and what differs from
 * what is wanted is ordered again, so that a lost message, a rank that comes while a pause is in
 * force, and a new coordinator need no rules of their own. Keeps nothing durable: who takes over
 * listens for a moment and goes on with the order of the highest number that any rank tells.
 *
 * <p>Invariants: a pause is answered only when every member rests under its order; a pause that
 * fails is undone; nobody is waited for without end.
 *
 * <p>Source: the two-phase pause of the original (all ranks reach an agreement, then ignore
 * starts). It lacks deadlines, and a rank that starts meanwhile runs.
 *
 * @param term under which orders are given
 * @param inherited whether the last view of the leader before was paused; null: there was none
 * @param state of all ranks
 * @param order what is wanted
 * @param own whether this leader has given an order
 * @param highest number that anyone has used
 * @param engines as the membership shows them, without the dead
 * @param levels what ranks have told, by incarnation
 * @param toldNanos when each was last ordered
 * @param calls that await what is under way
 * @param sinceNanos when that began
 * @param deadlineNanos when it is given up
 */
public record Pausing(
    Term term,
    @Nullable Boolean inherited,
    State state,
    Order order,
    boolean own,
    long highest,
    List<ClusterView.Engine> engines,
    Map<Incarnation, Heard> levels,
    Map<Incarnation, Long> toldNanos,
    List<Long> calls,
    long startedNanos,
    long sinceNanos,
    long deadlineNanos)
    implements Machine {

  /** How all ranks are. */
  public enum State {
    /** They run. */
    RUNNING,
    /** A pause was ordered, and some do not rest yet. */
    PAUSING,
    /** All rest. */
    PAUSED,
    /** They were told to go on, and some may not have heard. */
    RESUMING
  }

  /**
   * What is wanted.
   *
   * @param number 0: nothing was ever ordered
   * @param mode null: go on
   */
  public record Order(long number, @Nullable PauseMode mode, boolean clearCache) {
    static final Order NONE = new Order(0, null, false);
  }

  /** A rank's level, and when it was told. */
  public record Heard(ToCoordinator.Paused level, long atNanos) {}

  /** What a call comes to. */
  public sealed interface Outcome {
    /** As HTTP has it. */
    int code();

    /** For people. */
    String sentence();

    /** It is as was asked. */
    record Done(State state) implements Outcome {
      @Override
      public int code() {
        return 200;
      }

      @Override
      public String sentence() {
        return state == State.PAUSED ? "all ranks are paused" : "all ranks run";
      }
    }

    /** The opposite is under way. */
    record Busy(State state) implements Outcome {
      @Override
      public int code() {
        return 409;
      }

      @Override
      public String sentence() {
        return state == State.PAUSING
            ? "a pause is being made; resume when it is answered"
            : "a pause is being lifted; pause again when that is answered";
      }
    }

    /**
     * Its time is over.
     *
     * @param phase 1: some have not obeyed; 2: some still run
     */
    record Overdue(State state, int phase, List<Rank> missing, long afterMs) implements Outcome {
      /** Keeps a private copy. */
      public Overdue {
        missing = List.copyOf(missing);
      }

      @Override
      public int code() {
        return 504;
      }

      @Override
      public String sentence() {
        String ranks = missing.stream().map(Rank::toString).collect(Collectors.joining(", "));
        String verb =
            phase == 1
                ? "did not obey"
                : "still ran; a wait takes as long as the requests that have begun";
        return switch (state) {
          case PAUSING ->
              "after %d ms rank %s %s; the pause is undone".formatted(afterMs, ranks, verb);
          case PAUSED ->
              "after %d ms rank %s %s; all others stay paused".formatted(afterMs, ranks, verb);
          case RESUMING, RUNNING ->
              "after %d ms rank %s did not go on; it is told again when it is heard"
                  .formatted(afterMs, ranks);
        };
      }
    }
  }

  /** What can happen. */
  public sealed interface Event {
    /** Time passes; comes many times a second. */
    record Tick(long nowNanos) implements Event {}

    /** A rank tells its level. */
    record Told(long nowNanos, ToCoordinator.Paused level) implements Event {}

    /** The engines as the membership shows them now. */
    record Seen(long nowNanos, List<ClusterView.Engine> engines) implements Event {
      /** Keeps a private copy. */
      public Seen {
        engines = List.copyOf(engines);
      }
    }

    /** The coordinator leads this term. */
    record Leads(Term term) implements Event {}

    /**
     * Somebody wants all ranks paused.
     *
     * @param call of which the answer will be
     */
    record Pause(long nowNanos, long call, PauseMode mode, boolean clearCache, long timeoutMs)
        implements Event {}

    /** Somebody wants all ranks to go on. */
    record Resume(long nowNanos, long call, long timeoutMs) implements Event {}
  }

  /** What is to be done. */
  public sealed interface Effect {
    /** Order a rank. */
    record Send(Address<ToEngine> to, ToEngine.Pacing order) implements Effect {}

    /** Answer a call. */
    record Answer(long call, Outcome outcome) implements Effect {}

    /** The view differs from the last. */
    record Changed() implements Effect {}

    /** A move and its reason, for the log. */
    record Moved(String sentence) implements Effect {}
  }

  /** The next state and what is to be done. */
  public record Step(Pausing next, List<Effect> effects) {
    /** Keeps a private copy. */
    public Step {
      effects = List.copyOf(effects);
    }
  }

  /** Keeps private copies. */
  public Pausing {
    engines = List.copyOf(engines);
    levels = Map.copyOf(levels);
    toldNanos = Map.copyOf(toldNanos);
    calls = List.copyOf(calls);
  }

  /**
   * Nobody is heard of yet.
   *
   * @param inherited whether the last view of the leader before was paused; null: there was none
   */
  public static Pausing start(Term term, @Nullable Boolean inherited, long nowNanos) {
    return new Pausing(
        term,
        inherited,
        State.RUNNING,
        Order.NONE,
        false,
        0,
        List.of(),
        Map.of(),
        Map.of(),
        List.of(),
        nowNanos,
        nowNanos,
        nowNanos);
  }

  /** Whether engines may have work and take no step, as far as is known. */
  public boolean paused() {
    return state != State.RUNNING || (!own && Boolean.TRUE.equals(inherited));
  }

  /** Ranks that are awaited, in order. */
  public List<Rank> missing() {
    return engines.stream()
        .filter(e -> !settled(e))
        .map(ClusterView.Engine::rank)
        .sorted()
        .toList();
  }

  /**
   * The view as pausing changes it: a rank that is not known to be paused while a pause is in force
   * gets no work, since it would run it.
   */
  public ClusterView shown(ClusterView view) {
    if (!paused()) {
      return view;
    }
    boolean inForce = state == State.PAUSED || state == State.RUNNING;
    return view.withEngines(
            view.engines().stream().map(e -> inForce && !paused(e) ? withheld(e) : e).toList())
        .whilePaused();
  }

  private static ClusterView.Engine withheld(ClusterView.Engine e) {
    return e.state() == EngineState.READY ? e.in(EngineState.CONNECTED) : e;
  }

  private boolean paused(ClusterView.Engine engine) {
    Heard heard = levels.get(engine.incarnation());
    return heard != null && heard.level().mode() != null;
  }

  /** Whether the rank has put into effect what is wanted. */
  boolean obeys(ClusterView.Engine engine) {
    Heard heard = levels.get(engine.incarnation());
    return heard == null
        ? order.mode() == null && state == State.RUNNING
        : order.mode() == null
            ? heard.level().mode() == null && heard.level().number() >= resumed()
            : heard.level().mode() != null && heard.level().number() == order.number();
  }

  /** Whether nothing of what is wanted is missing at the rank. */
  boolean settled(ClusterView.Engine engine) {
    Heard heard = levels.get(engine.incarnation());
    return obeys(engine) && (order.mode() == null || (heard != null && heard.level().resting()));
  }

  /** An order to go on must have been heard by those that may have heard of the pause. */
  private long resumed() {
    return state == State.RESUMING ? order.number() : 0;
  }

  /** The only way forward. */
  public Step on(Event event) {
    PausingStep step = new PausingStep(this);
    step.on(event);
    return new Step(step.next(), step.effects());
  }
}
