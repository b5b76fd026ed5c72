package dev.flotilla.coordinator;

import dev.flotilla.protocol.Machine;
import java.util.OptionalLong;

/**
 * When the view is published: on a change, though at most once in the shortest time, and at least
 * once in the longest. Ticks come from a timer that messages neither delay nor reset.
 *
 * <p>Source: the original publishes only when its input falls silent, so that load starves it.
 *
 * @param version of the last published view; rises with each
 * @param publishedNanos when that was
 * @param changed whether something has changed since
 */
public record ViewPublisher(
    long minNanos, long maxNanos, long version, long publishedNanos, boolean changed)
    implements Machine {

  /** What can happen. */
  public sealed interface Event {
    /** Time passes; comes at least twice within the shortest time. */
    record Tick(long nowNanos) implements Event {}

    /** The view differs from the published one. */
    record Changed(long nowNanos) implements Event {}
  }

  /**
   * The next state and what is to be done.
   *
   * @param publish the version of the view that is to be published now, if one is
   */
  public record Step(ViewPublisher next, OptionalLong publish) {}

  /**
   * Publishes at the first tick.
   *
   * @param firstVersion above that of every view of an earlier coordinator of the same term, for
   *     example the time of day in milliseconds
   */
  public static ViewPublisher start(
      long minNanos, long maxNanos, long firstVersion, long nowNanos) {
    return new ViewPublisher(minNanos, maxNanos, firstVersion - 1, nowNanos - maxNanos, true);
  }

  /** The only way forward. */
  public Step on(Event event) {
    return switch (event) {
      case Event.Changed(long now) -> due(now, true);
      case Event.Tick(long now) -> due(now, changed);
    };
  }

  private Step due(long now, boolean pending) {
    long elapsed = now - publishedNanos;
    if (elapsed >= (pending ? minNanos : maxNanos)) {
      return new Step(
          new ViewPublisher(minNanos, maxNanos, version + 1, now, false),
          OptionalLong.of(version + 1));
    }
    return new Step(
        new ViewPublisher(minNanos, maxNanos, version, publishedNanos, pending),
        OptionalLong.empty());
  }
}
