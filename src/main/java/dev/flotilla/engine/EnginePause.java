package dev.flotilla.engine;

import dev.flotilla.protocol.Machine;
import dev.flotilla.protocol.PauseMode;
import dev.flotilla.protocol.ToEngine;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Whether one rank is paused. Orders are numbered: the highest is obeyed, once; what the step loop
 * has put into effect is the rank's level, told when it changes, in answer to every order, and with
 * every heartbeat for as long as it may be news to somebody. Invariant: a level never says that the
 * rank rests before its loop has obeyed, and before the caches are forgotten if they are to be.
 *
 * <p>Times are milliseconds of one monotonic clock.
 *
 * @param ordered the highest order
 * @param level what is in effect
 * @param asked whether the loop has been given the order and has not said that it obeyed
 * @param clearing whether the loop was asked to forget the caches
 * @param sinceMs when the level came into effect
 */
public record EnginePause(Order ordered, Level level, boolean asked, boolean clearing, long sinceMs)
    implements Machine {

  /** A new coordinator that knows nothing needs no longer to ask about what was resumed. */
  static final long TOLD_MS = 30_000;

  /**
   * An order.
   *
   * @param mode null: go on
   * @param clearCache whether caches are to be forgotten at rest, and have not been
   */
  public record Order(long number, @Nullable PauseMode mode, boolean clearCache) {
    /** What a coordinator says. */
    public static Order of(ToEngine.Pacing order) {
      return switch (order) {
        case ToEngine.Pause pause ->
            new Order(
                pause.number(), pause.mode(), pause.clearCache() && pause.mode() != PauseMode.KEEP);
        case ToEngine.Resume resume -> new Order(resume.number(), null, false);
      };
    }
  }

  /** What is in effect; mode null: the rank runs. */
  public record Level(long number, @Nullable PauseMode mode, boolean resting) {}

  /** What can happen. */
  public sealed interface Event {
    /** The coordinator orders. */
    record Ordered(Order order) implements Event {}

    /** The loop has no room for what it was asked. */
    record Unasked() implements Event {}

    /** The loop has obeyed. */
    record Obeyed(long number, long nowMs) implements Event {}

    /** The loop has forgotten its caches. */
    record Cleared(long number) implements Event {}

    /** Whether nothing runs now, and nothing would. */
    record Rests(boolean resting) implements Event {}

    /** Time for a heartbeat. */
    record Beat(long nowMs) implements Event {}
  }

  /** What is to be done. */
  public sealed interface Effect {
    /** Let the loop obey between two steps, then report {@link Event.Obeyed}. */
    record Obey(Order order) implements Effect {}

    /** Let the loop forget its caches, then report {@link Event.Cleared}. */
    record Clear(long number) implements Effect {}

    /** Tell the coordinator. */
    record Tell(Level level) implements Effect {}
  }

  /** The next state and what is to be done. */
  public record Step(EnginePause next, List<Effect> effects) {
    /** Keeps a private copy. */
    public Step {
      effects = List.copyOf(effects);
    }
  }

  /** Never paused. */
  public static final EnginePause NEVER =
      new EnginePause(new Order(0, null, false), new Level(0, null, false), false, false, 0);

  /** The next state and what is to be done. */
  public Step on(Event event) {
    return switch (event) {
      case Event.Ordered(Order order) -> ordered(order);
      case Event.Unasked _ ->
          new Step(new EnginePause(ordered, level, false, false, sinceMs), List.of());
      case Event.Obeyed(long number, long now) when asked && number == ordered.number() -> {
        Level next = new Level(number, ordered.mode(), false);
        yield new Step(
            new EnginePause(ordered, next, false, false, now), List.of(new Effect.Tell(next)));
      }
      case Event.Cleared(long number) when number == ordered.number() ->
          new Step(
              new EnginePause(
                  new Order(number, ordered.mode(), false), level, asked, false, sinceMs),
              List.of());
      case Event.Rests(boolean resting) when level.mode() != null -> rests(resting);
      case Event.Beat(long now) when level.mode() != null || told(now) ->
          new Step(this, List.of(new Effect.Tell(level)));
      // Late, or of a rank that runs, whose rest nobody waits for.
      case Event.Obeyed _, Event.Cleared _, Event.Rests _, Event.Beat _ ->
          new Step(this, List.of());
    };
  }

  private boolean told(long now) {
    return level.number() > 0 && now - sinceMs < TOLD_MS;
  }

  private Step ordered(Order order) {
    List<Effect> effects = new ArrayList<>(List.of(new Effect.Tell(level)));
    Order highest = order.number() > ordered.number() ? order : ordered;
    boolean waits = asked && highest.number() == ordered.number();
    if (highest.number() == level.number() || waits) {
      return new Step(this, effects);
    }
    effects.add(new Effect.Obey(highest));
    return new Step(new EnginePause(highest, level, true, false, sinceMs), effects);
  }

  private Step rests(boolean resting) {
    boolean clear = resting && ordered.clearCache() && ordered.number() == level.number();
    List<Effect> effects = new ArrayList<>();
    if (clear && !clearing) {
      effects.add(new Effect.Clear(ordered.number()));
    }
    Level next = new Level(level.number(), level.mode(), resting && !clear);
    if (!next.equals(level)) {
      effects.add(new Effect.Tell(next));
    }
    return new Step(new EnginePause(ordered, next, asked, clear, sinceMs), effects);
  }
}
