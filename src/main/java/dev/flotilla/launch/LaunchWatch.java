package dev.flotilla.launch;

import dev.flotilla.config.RankRange;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.Machine;
import dev.flotilla.protocol.Rank;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Whether a launch has come to its end: all awaited ranks ready, as many as suffice, or not within
 * the time. Says every ten seconds what is missing. Every launch ends before its deadline, however
 * the engines behave. Times are milliseconds of one monotonic clock.
 *
 * <p>Source: the original's wait for engine start-up, whose loop has no deadline and logs counts
 * only; and its wait for watched processes.
 *
 * @param view the newest
 * @param lost ranks that nobody starts any more, with the reason
 * @param ends of parts so far, for the failure's sentence; the last few
 * @param result null while it goes on
 */
public record LaunchWatch(
    Goal goal,
    long startedMs,
    long toldMs,
    ClusterView view,
    SortedMap<Rank, String> lost,
    List<String> ends,
    @Nullable Result result)
    implements Machine {

  /** Time between two reports of progress. */
  public static final long PROGRESS_MS = 10_000;

  private static final int ENDS_KEPT = 8;

  /**
   * What is waited for.
   *
   * @param local ranks of this node
   * @param ready so many of the awaited ranks suffice
   * @param onFailure what the end of a part means
   */
  public record Goal(
      RankRange awaits, RankRange local, int ready, long timeoutMs, EngineFailure onFailure) {

    /** From a plan. */
    public static Goal of(LaunchPlan plan, long timeoutMs, EngineFailure onFailure) {
      return new Goal(plan.awaits(), plan.starts(), plan.ready(), timeoutMs, onFailure);
    }
  }

  /** What kind of thing has ended. */
  public enum Part {
    /** A rank. */
    ENGINE,
    /** A front-end. */
    API_SERVER,
    /** The coordinator. */
    COORDINATOR
  }

  /** What can happen. */
  public sealed interface Event {
    /** Time passes; comes at least ten times within the time-out. */
    record Tick(long nowMs) implements Event {}

    /** The coordinator has published a view. */
    record View(ClusterView view) implements Event {}

    /**
     * Something says that a part has ended.
     *
     * @param name of the part, for example {@code EngineCore_DP3}
     * @param cause exit code, signal or error; null: none is known, so the part may well live
     */
    record Ended(Part part, String name, @Nullable String cause) implements Event {}

    /** A rank of this node is not started any more. */
    record GivenUp(Rank rank, String reason) implements Event {}
  }

  /** How it ended. */
  public sealed interface Result {
    /** All awaited ranks serve. */
    record AllReady(int engines) implements Result {}

    /** As many serve as suffice. */
    record Degraded(int engines, String missing) implements Result {}

    /** Too few serve. */
    record Failed(String sentence) implements Result {}
  }

  /** What is to be done. */
  public sealed interface Effect {
    /** Tell a person how far it is. */
    record Progress(String sentence) implements Effect {}

    /** The launch is over. */
    record Finish(Result result) implements Effect {}
  }

  /** The next state and what is to be done. */
  public record Step(LaunchWatch next, List<Effect> effects) {
    /** Keeps a private copy. */
    public Step {
      effects = List.copyOf(effects);
    }
  }

  /** Keeps private copies. */
  public LaunchWatch {
    lost = Collections.unmodifiableSortedMap(new TreeMap<>(lost));
    ends = List.copyOf(ends);
  }

  /** Begins now. */
  public static LaunchWatch start(Goal goal, long nowMs) {
    return new LaunchWatch(goal, nowMs, nowMs, ClusterView.EMPTY, new TreeMap<>(), List.of(), null);
  }

  /** The only way forward. */
  public Step on(Event event) {
    if (result != null) {
      return new Step(this, List.of());
    }
    return switch (event) {
      case Event.View(ClusterView newer) ->
          newer.newerThan(view) ? with(newer).judge() : new Step(this, List.of());
      case Event.Tick(long now) -> tick(now);
      case Event.Ended(Part _, String _, String cause) when cause == null ->
          new Step(this, List.of());
      case Event.Ended(Part part, String name, String cause) -> ended(part, name + ": " + cause);
      case Event.GivenUp(Rank rank, String reason) -> givenUp(rank, reason);
    };
  }

  /** What is not ready yet: local and remote, to connect or to become ready. */
  public String missing() {
    List<String> parts = new ArrayList<>();
    describe("local engines", true, parts);
    describe("remote engines", false, parts);
    lost.forEach((rank, reason) -> parts.add("rank %s is given up: %s".formatted(rank, reason)));
    return parts.isEmpty() ? "nothing is missing" : String.join("; ", parts);
  }

  private void describe(String whose, boolean local, List<String> parts) {
    List<Rank> absent = new ArrayList<>();
    List<Rank> connected = new ArrayList<>();
    RankRange awaits = goal.awaits();
    for (int value = awaits.first(); value < awaits.first() + awaits.count(); value++) {
      Rank rank = new Rank(value);
      if (goal.local().contains(value) != local || lost.containsKey(rank)) {
        continue;
      }
      ClusterView.Engine engine = view.engine(rank).orElse(null);
      if (engine == null
          || engine.state() == EngineState.NEW
          || engine.state() == EngineState.DEAD) {
        absent.add(rank);
      } else if (!engine.serving()) {
        connected.add(rank);
      }
    }
    if (!absent.isEmpty()) {
      parts.add("%s to connect: %s".formatted(whose, ranks(absent)));
    }
    if (!connected.isEmpty()) {
      parts.add("%s to become ready: %s".formatted(whose, ranks(connected)));
    }
  }

  /** How many, and which if a person can take that in. */
  private static String ranks(List<Rank> all) {
    int shown = Math.min(all.size(), 16);
    String names = String.join(", ", all.subList(0, shown).stream().map(Rank::toString).toList());
    return "%d (rank%s %s%s)"
        .formatted(all.size(), all.size() == 1 ? "" : "s", names, shown < all.size() ? ", …" : "");
  }

  private Step tick(long now) {
    if (now - startedMs >= goal.timeoutMs()) {
      return finish(overdue());
    }
    if (now - toldMs < PROGRESS_MS) {
      return new Step(this, List.of());
    }
    LaunchWatch told = new LaunchWatch(goal, startedMs, now, view, lost, ends, null);
    return new Step(
        told,
        List.of(
            new Effect.Progress(
                "after %d s: %d of %d engines are ready; waits for %s"
                    .formatted(
                        (now - startedMs) / 1000, serving(), goal.awaits().count(), missing()))));
  }

  private Result overdue() {
    return failure(
        "after %d s (--engine-ready-timeout) only %d of %d engines are ready"
            .formatted(goal.timeoutMs() / 1000, serving(), goal.ready()));
  }

  private Step ended(Part part, String what) {
    if (goal.onFailure() == EngineFailure.STOP) {
      String which =
          switch (part) {
            case ENGINE -> "an engine";
            case API_SERVER -> "an API server (front-end)";
            case COORDINATOR -> "the coordinator";
          };
      return finish(
          failure(
              "%s ended during start-up (--on-engine-failure stop): %s".formatted(which, what)));
    }
    List<String> all = new ArrayList<>(ends);
    all.add(what);
    List<String> kept = all.subList(Math.max(0, all.size() - ENDS_KEPT), all.size());
    return new Step(new LaunchWatch(goal, startedMs, toldMs, view, lost, kept, null), List.of());
  }

  private Step givenUp(Rank rank, String reason) {
    SortedMap<Rank, String> more = new TreeMap<>(lost);
    more.put(rank, reason);
    return new LaunchWatch(goal, startedMs, toldMs, view, more, ends, null).judge();
  }

  private LaunchWatch with(ClusterView newer) {
    return new LaunchWatch(goal, startedMs, toldMs, newer, lost, ends, null);
  }

  private Step judge() {
    int serving = serving();
    int awaited = goal.awaits().count();
    if (serving == awaited) {
      return finish(new Result.AllReady(serving));
    }
    long lostForGood = lost.keySet().stream().filter(r -> awaits(r) && !serves(r)).count();
    if (awaited - lostForGood < goal.ready()) {
      return finish(
          failure(
              "only %d of %d engines can still come"
                  .formatted(awaited - lostForGood, goal.ready())));
    }
    return serving >= goal.ready()
        ? finish(new Result.Degraded(serving, missing()))
        : new Step(this, List.of());
  }

  private Result.Failed failure(String why) {
    String before = ends.isEmpty() ? "" : "; ended before: " + String.join("; ", ends);
    return new Result.Failed("%s; missing: %s%s".formatted(why, missing(), before));
  }

  private Step finish(Result end) {
    return new Step(
        new LaunchWatch(goal, startedMs, toldMs, view, lost, ends, end),
        List.of(new Effect.Finish(end)));
  }

  private boolean awaits(Rank rank) {
    return goal.awaits().contains(rank.value());
  }

  private boolean serves(Rank rank) {
    return view.engine(rank).filter(ClusterView.Engine::serving).isPresent();
  }

  private int serving() {
    return (int) view.engines().stream().filter(e -> e.serving() && awaits(e.rank())).count();
  }
}
