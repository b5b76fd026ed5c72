package dev.flotilla.coordinator;

import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.Generation;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Machine;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The group of ranks that step together: who belongs to it, and when it runs. Decides every member
 * list (a {@link Generation}) and starts every wave; when a wave ends, the members agree among
 * themselves, and it is seen in their reports. That a member runs is only ever what it reports.
 *
 * <p>Invariants: wave and generation never go back; no wave starts before all members have come to
 * the generation; whoever rests in a wave that others run is told again; a generation that has
 * failed, or whose members have changed, is followed by another, with the wave that was open
 * closed. Nothing is repeated where nothing was lost. Keeps nothing durable: a new leader learns
 * the wave from reports, goes on with the generation it finds if all ranks are in it, and else
 * forms one of those that are there.
 *
 * <p>Source: the original's waves, whose coordinator predicts that its engines run and hears of the
 * end from rank 0 alone, so that one lost message can leave it wrong for good.
 *
 * @param term under which orders are given
 * @param given generations of this term so far
 * @param highest the highest number of a generation that anyone has told
 * @param seats ranks that serve, and where they stand
 * @param generation the present member list; null: none yet
 * @param wave waves completed, as far as is known: the present or the next one's number
 * @param waveNanos when that became known
 * @param start what was asked for and started in this generation
 * @param failure why this generation is over; null: it is not
 * @param failures generations that have failed one after the other without a wave between
 * @param firstNanos when ranks began to serve under this leader; they are then given some time to
 *     come all
 * @param progressNanos when anything last went on
 * @param counts of this leader
 */
public record Waves(
    Limits limits,
    Term term,
    int given,
    long highest,
    Seats seats,
    @Nullable Generation generation,
    long wave,
    long waveNanos,
    Start start,
    @Nullable Failure failure,
    int failures,
    long firstNanos,
    long progressNanos,
    Counts counts)
    implements Machine {

  /** Of a moment that has not come. */
  static final long NEVER = Long.MIN_VALUE;

  /**
   * What is set.
   *
   * @param size ranks of the whole group
   * @param repeatNanos an order that shows no effect in reports for so long is given again
   * @param settleNanos after the first word of a failure the others' are awaited for so long
   * @param graceNanos so long all ranks are awaited before those that are there form a group
   * @param stuckNanos without any progress for so long, a group that does not rest is formed anew
   */
  public record Limits(
      int size, long repeatNanos, long settleNanos, long graceNanos, long stuckNanos) {
    private static final long MS = 1_000_000;

    /** Of a group whose members wait for each other for so long in an exchange. */
    public static Limits of(int size, long exchangeMs) {
      // An exchange that fails says so by itself; only what never says anything gets stuck.
      return new Limits(size, 100 * MS, 50 * MS, 2_000 * MS, (2 * exchangeMs + 5_000) * MS);
    }

    Limits ofSize(int ranks) {
      return new Limits(ranks, repeatNanos, settleNanos, graceNanos, stuckNanos);
    }
  }

  /**
   * The present generation's starts.
   *
   * @param wanted the highest wave that a member asked for; -1: none
   * @param wantedNanos when it was first asked for
   * @param started the highest wave that was started; -1: none
   * @param startedNanos when that was last said
   */
  public record Start(long wanted, long wantedNanos, long started, long startedNanos) {
    static final Start NONE = new Start(-1, NEVER, -1, NEVER);
  }

  /**
   * Why a generation is over.
   *
   * @param sinceNanos when the first member said so
   * @param missing for whom members waited in vain
   * @param said members that say so, and thereby that they live and rest
   */
  public record Failure(long sinceNanos, Set<Rank> missing, Set<Rank> said, String reason) {
    /** Keeps private copies. */
    public Failure {
      missing = Set.copyOf(missing);
      said = Set.copyOf(said);
    }

    Failure and(Failure other) {
      Set<Rank> all = new TreeSet<>(missing);
      all.addAll(other.missing);
      Set<Rank> voices = new TreeSet<>(said);
      voices.addAll(other.said);
      return new Failure(sinceNanos, all, voices, reason);
    }

    /** Whether others wait for it in vain, and it says nothing. */
    boolean vanished(Rank rank) {
      return missing.contains(rank) && !said.contains(rank);
    }

    /** Whether all members that are not missing have said so. */
    boolean heardFrom(Generation of) {
      return of.members().stream()
          .map(Generation.Member::rank)
          .allMatch(rank -> said.contains(rank) || missing.contains(rank));
    }
  }

  /**
   * What this leader has done.
   *
   * @param generations formed
   * @param starts waves started
   * @param completed waves whose end was seen
   * @param repairs orders given again
   * @param failures generations that failed
   * @param stuck times that nothing went on, and the group was formed anew for it
   */
  public record Counts(
      long generations, long starts, long completed, long repairs, long failures, long stuck) {
    static final Counts NONE = new Counts(0, 0, 0, 0, 0, 0);

    Counts formed() {
      return new Counts(generations + 1, starts, completed, repairs, failures, stuck);
    }

    Counts started() {
      return new Counts(generations, starts + 1, completed, repairs, failures, stuck);
    }

    Counts ended(long waves) {
      return new Counts(generations, starts, completed + waves, repairs, failures, stuck);
    }

    Counts repeated() {
      return new Counts(generations, starts, completed, repairs + 1, failures, stuck);
    }

    Counts failed() {
      return new Counts(generations, starts, completed, repairs, failures + 1, stuck);
    }

    Counts gotStuck() {
      return new Counts(generations, starts, completed, repairs, failures, stuck + 1);
    }
  }

  /** What can happen. */
  public sealed interface Event {
    /** Time passes; comes many times within the shortest limit. */
    record Tick(long nowNanos) implements Event {}

    /**
     * The ranks that serve now.
     *
     * @param size ranks that there are to be
     */
    record Seen(long nowNanos, int size, List<Seats.Candidate> serving) implements Event {
      /** Keeps a private copy. */
      public Seen {
        serving = List.copyOf(serving);
      }
    }

    /** An engine's report. */
    record Reported(long nowNanos, LoadReport load) implements Event {}

    /** A member tells of the group. */
    record Told(long nowNanos, ToCoordinator.FromMember message) implements Event {}

    /** The coordinator leads this term. */
    record Leads(Term term) implements Event {}
  }

  /** What is to be done. */
  public sealed interface Effect {
    /** Send an order to a member. */
    record Send(Rank rank, Incarnation incarnation, ToEngine.GroupOrder order) implements Effect {}

    /** A move and its reason, for the log. */
    record Moved(String sentence) implements Effect {}

    /** Nothing went on for too long, which is a fault; what is done about it. */
    record Stuck(String sentence) implements Effect {}
  }

  /** The next state and what is to be done. */
  public record Step(Waves next, List<Effect> effects) {
    /** Keeps a private copy. */
    public Step {
      effects = List.copyOf(effects);
    }
  }

  /** Nobody is heard of yet. */
  public static Waves start(Limits limits, Term term) {
    return new Waves(
        limits,
        term,
        0,
        0,
        Seats.NONE,
        null,
        0,
        NEVER,
        Start.NONE,
        null,
        0,
        NEVER,
        NEVER,
        Counts.NONE);
  }

  /** The only way forward. */
  public Step on(Event event) {
    WavesStep step = new WavesStep(this);
    step.on(event);
    return new Step(step.next(), step.effects());
  }

  /** Whether some member reports to run the present wave. */
  public boolean running() {
    return generation != null && seats.runs(generation, wave);
  }

  static String text(Generation of) {
    return "generation %s of ranks %s"
        .formatted(
            Epoch.of(of.number()), of.members().stream().map(Generation.Member::rank).toList());
  }
}
