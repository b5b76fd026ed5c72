package dev.flotilla.protocol;

import java.util.Locale;

/** What a pause does to the requests that are there; the names are those of the original's API. */
public enum PauseMode {
  /** All end now, with finish reason {@code abort}. */
  ABORT,
  /** Those that have begun run to their end; the others stay queued. */
  WAIT,
  /** All stay as they are, and go on where they were. */
  KEEP;

  /** The name in the API. */
  public String apiName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
