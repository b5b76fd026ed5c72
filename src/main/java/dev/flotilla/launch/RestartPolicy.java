package dev.flotilla.launch;

import dev.flotilla.protocol.Machine;
import java.util.ArrayList;
import java.util.List;

/**
 * When a dead engine of one rank is started again: at once the first time, then after 1, 2, 4 …
 * seconds, at most 60; not any more once it has died three times within 60 s. An engine that has
 * lived for longer than that begins anew. Times are milliseconds of one monotonic clock.
 *
 * <p>Source: the original never restarts; the circuit keeps a rank that cannot live (out of memory,
 * a bad device) from taking the machine's time for ever.
 *
 * @param deaths of the last 60 s, oldest first
 * @param restarts since the last long life
 * @param givenUp whether the circuit is open
 */
public record RestartPolicy(List<Long> deaths, int restarts, boolean givenUp) implements Machine {
  /** Deaths that open the circuit. */
  public static final int DEATHS_MAX = 3;

  /** The time within which they count. */
  public static final long WINDOW_MS = 60_000;

  private static final long FIRST_WAIT_MS = 1_000;
  private static final long WAIT_MAX_MS = 60_000;

  /** An engine that has never died. */
  public static final RestartPolicy FRESH = new RestartPolicy(List.of(), 0, false);

  /** What can happen. */
  public sealed interface Event {
    /** The engine has ended and was not told to. */
    record Died(long nowMs) implements Event {}

    /** A person or the coordinator wants it again: the circuit closes. */
    record Reset() implements Event {}
  }

  /** What is to be done. */
  public sealed interface Decision {
    /** Start it again after so long; 0: at once. */
    record Restart(long afterMs) implements Decision {}

    /** Leave it: it died too often. */
    record GiveUp(String reason) implements Decision {}

    /** Nothing. */
    record None() implements Decision {}
  }

  /** The next state and what is to be done. */
  public record Step(RestartPolicy next, Decision decision) {}

  /** Keeps a private copy. */
  public RestartPolicy {
    deaths = List.copyOf(deaths);
  }

  /** The only way forward. */
  public Step on(Event event) {
    return switch (event) {
      case Event.Reset _ -> new Step(FRESH, new Decision.None());
      case Event.Died _ when givenUp -> new Step(this, new Decision.None());
      case Event.Died(long now) -> died(now);
    };
  }

  private Step died(long now) {
    List<Long> recent = new ArrayList<>(deaths);
    recent.removeIf(at -> now - at >= WINDOW_MS);
    int before = recent.isEmpty() && !deaths.isEmpty() ? 0 : restarts;
    recent.add(now);
    if (recent.size() >= DEATHS_MAX) {
      return new Step(
          new RestartPolicy(recent, before, true),
          new Decision.GiveUp(
              "it died %d times within %d s and is not started again"
                  .formatted(recent.size(), WINDOW_MS / 1000)));
    }
    long wait = before == 0 ? 0 : Math.min(WAIT_MAX_MS, FIRST_WAIT_MS << Math.min(before - 1, 10));
    return new Step(new RestartPolicy(recent, before + 1, false), new Decision.Restart(wait));
  }
}
