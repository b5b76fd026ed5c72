package dev.flotilla.launch;

import dev.flotilla.protocol.Machine;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * When a dead engine of one rank is started again: at once the first time, then after 1, 2, 4 …
 * seconds, at most 60. Once it has died three times within 60 s the circuit opens: it is given up,
 * and started on trial after 60 s, and if it dies within another 60 s after twice as long, at most
 * 16 minutes. An engine that has lived for longer than 60 s begins anew. Times are milliseconds of
 * one monotonic clock.
 *
 * <p>Source: the original never restarts; the circuit keeps a rank that cannot live (out of memory,
 * a bad device) from taking the machine's time, and the trial spares a person the restart of a
 * whole node where the cause has gone.
 *
 * @param deaths of the last 60 s, oldest first
 * @param restarts since the last long life
 * @param openings of the circuit since the last long life; 0: it is closed
 * @param triedMs start of the trial that is under way; null: none is
 */
public record RestartPolicy(List<Long> deaths, int restarts, int openings, @Nullable Long triedMs)
    implements Machine {
  /** Deaths that open the circuit. */
  public static final int DEATHS_MAX = 3;

  /** The time within which they count, and until the first trial. */
  public static final long WINDOW_MS = 60_000;

  private static final long FIRST_WAIT_MS = 1_000;
  private static final long WAIT_MAX_MS = 60_000;
  private static final long TRIAL_MAX_MS = 16 * WINDOW_MS;

  /** An engine that has never died. */
  public static final RestartPolicy FRESH = new RestartPolicy(List.of(), 0, 0, null);

  /** What can happen. */
  public sealed interface Event {
    /** The engine has ended and was not told to. */
    record Died(long nowMs) implements Event {}

    /** It is started although the circuit is open. */
    record Tried(long nowMs) implements Event {}

    /** A person or the coordinator wants it again: the circuit closes. */
    record Reset() implements Event {}
  }

  /** What is to be done. */
  public sealed interface Decision {
    /** Start it again after so long; 0: at once. */
    record Restart(long afterMs) implements Decision {}

    /** Count on it no more: it died too often; start it on trial after so long. */
    record GiveUp(String reason, long trialMs) implements Decision {}

    /** Nothing. */
    record None() implements Decision {}
  }

  /** The next state and what is to be done. */
  public record Step(RestartPolicy next, Decision decision) {}

  /** Keeps a private copy. */
  public RestartPolicy {
    deaths = List.copyOf(deaths);
  }

  /** Whether the circuit is open. */
  public boolean givenUp() {
    return openings > 0;
  }

  /** The only way forward. */
  public Step on(Event event) {
    return switch (event) {
      case Event.Reset _ -> new Step(FRESH, new Decision.None());
      case Event.Tried(long now) when givenUp() ->
          new Step(new RestartPolicy(deaths, restarts, openings, now), new Decision.None());
      case Event.Tried _ -> new Step(this, new Decision.None());
      case Event.Died(long now) -> givenUp() ? diedOnTrial(now) : died(now);
    };
  }

  private Step diedOnTrial(long now) {
    if (triedMs == null) {
      return new Step(this, new Decision.None());
    }
    return now - triedMs >= WINDOW_MS
        ? FRESH.died(now)
        : open(List.of(), "it died again within %d s".formatted(WINDOW_MS / 1000));
  }

  private Step open(List<Long> recent, String why) {
    long trialMs = Math.min(TRIAL_MAX_MS, WINDOW_MS << Math.min(openings, 10));
    return new Step(
        new RestartPolicy(recent, restarts, openings + 1, null),
        new Decision.GiveUp(
            "%s and is given up; it is tried again in %d s".formatted(why, trialMs / 1000),
            trialMs));
  }

  private Step died(long now) {
    List<Long> recent = new ArrayList<>(deaths);
    recent.removeIf(at -> now - at >= WINDOW_MS);
    int before = recent.isEmpty() && !deaths.isEmpty() ? 0 : restarts;
    recent.add(now);
    if (recent.size() >= DEATHS_MAX) {
      return open(
          recent, "it died %d times within %d s".formatted(recent.size(), WINDOW_MS / 1000));
    }
    long wait = before == 0 ? 0 : Math.min(WAIT_MAX_MS, FIRST_WAIT_MS << Math.min(before - 1, 10));
    return new Step(new RestartPolicy(recent, before + 1, 0, null), new Decision.Restart(wait));
  }
}
