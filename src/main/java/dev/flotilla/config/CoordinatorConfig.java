package dev.flotilla.config;

/**
 * The coordinator.
 *
 * @param dataParallelSize ranks expected
 * @param publishMinMs shortest time between two published views
 * @param publishMaxMs longest time between two published views
 * @param suspectMs silence after which a rank gets no new work
 * @param deadMs silence after which a rank is gone
 */
public record CoordinatorConfig(
    int dataParallelSize, long publishMinMs, long publishMaxMs, long suspectMs, long deadMs) {

  /** What is not set; heartbeats come every 250 ms. */
  public static final CoordinatorConfig DEFAULT = new CoordinatorConfig(1, 20, 1_000, 1_500, 8_000);

  /** Checks every bound and relation. */
  public CoordinatorConfig {
    Check.that(
        dataParallelSize >= 1 && dataParallelSize <= 65_535,
        "data-parallel-size must be 1 to 65535, not %d",
        dataParallelSize);
    Check.that(
        publishMinMs >= 1 && publishMinMs <= publishMaxMs,
        "publish-min-ms must be 1 to publish-max-ms (%d), not %d",
        publishMaxMs,
        publishMinMs);
    Check.that(
        suspectMs >= 500 && suspectMs < deadMs,
        "suspect-ms must be at least 500 and below dead-ms (%d), not %d",
        deadMs,
        suspectMs);
  }
}
