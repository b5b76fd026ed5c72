package dev.flotilla.scheduler;

import dev.flotilla.protocol.ToFrontend;

/** What {@link Scheduler#submit} says to a request. */
public sealed interface Admission {

  /** Waits, and ends exactly once. */
  record Accepted() implements Admission {}

  /** This attempt is known, whether it lives or has ended; nothing changes. */
  record Repeated() implements Admission {}

  /** A later attempt is known, or this one was cancelled before it came; nothing changes. */
  record Outdated() implements Admission {}

  /** What was delivered is all there is to compute: the delta says how it ended. */
  record Complete(ToFrontend.Delta delta) implements Admission {}

  /**
   * Will not be computed here.
   *
   * @param status as in HTTP: 400 for ever, 429 for now
   * @param reason one sentence
   */
  record Refused(int status, String reason) implements Admission {}
}
