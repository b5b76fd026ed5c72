package dev.flotilla.config;

/**
 * How ranks step together.
 *
 * @param syncInterval steps between two agreements whether any rank has work left; the original's
 *     is 32
 * @param timeoutMs how long a rank waits for the others in one exchange. It must exceed the longest
 *     stretch of a step between two exchanges, of all ranks of a machine that take turns on its
 *     cores, and is the time after which a rank that hangs is noticed
 * @param host at which a rank takes the connections of ranks of other JVMs
 */
public record LockstepConfig(int syncInterval, long timeoutMs, String host) {
  /** What is not set. */
  public static final LockstepConfig DEFAULT = new LockstepConfig(32, 5_000, "127.0.0.1");

  /** Checks every bound. */
  public LockstepConfig {
    Check.that(syncInterval >= 1, "dp-sync-interval must be at least 1, not %d", syncInterval);
    Check.that(
        timeoutMs >= 10 && timeoutMs <= 600_000,
        "collective-timeout-ms must be 10 to 600000, not %d",
        timeoutMs);
    Check.that(!host.isBlank(), "the host of the ranks' exchange must not be empty");
  }
}
