package dev.flotilla.config;

import org.jspecify.annotations.Nullable;

/**
 * The coordinator.
 *
 * @param dataParallelSize ranks expected
 * @param publishMinMs shortest time between two published views
 * @param publishMaxMs longest time between two published views
 * @param suspectMs silence after which a rank gets no new work
 * @param deadMs silence after which a rank is gone
 * @param balancing who chooses ranks; under external balancing no counts are published
 * @param policy by which the coordinator chooses, and the front-ends do
 * @param localRanks ranks 0 to this, exclusive, are expected on the coordinator's own node and all
 *     others elsewhere; null: an engine may take any rank from anywhere
 * @param lockstep whether all ranks step together, so that their settings must be the same
 * @param configHash of those settings; null: the first engine's
 * @param candidacy when it leads
 * @param placing how ranks are placed on nodes
 */
public record CoordinatorConfig(
    int dataParallelSize,
    long publishMinMs,
    long publishMaxMs,
    long suspectMs,
    long deadMs,
    Balancing balancing,
    LoadBalancing policy,
    @Nullable Integer localRanks,
    boolean lockstep,
    @Nullable String configHash,
    Candidacy candidacy,
    PlacingConfig placing) {

  /** What is not set; heartbeats come every 250 ms. */
  public static final CoordinatorConfig DEFAULT =
      new CoordinatorConfig(
          1,
          20,
          1_000,
          1_500,
          8_000,
          Balancing.INTERNAL,
          LoadBalancing.FLOTILLA,
          null,
          false,
          null,
          Candidacy.AT_ONCE,
          PlacingConfig.DEFAULT);

  /** The original publishes a snapshot so long after the last, if something has changed. */
  private static final long SNAPSHOT_MS = 100;

  /** And otherwise after so long. */
  private static final long SNAPSHOT_MAX_MS = 5_000;

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
    Check.that(
        localRanks == null || (localRanks >= 0 && localRanks <= dataParallelSize),
        "local-ranks must be 0 to data-parallel-size (%d), not %s",
        dataParallelSize,
        localRanks);
  }

  /** What is not set, for so many ranks. */
  public static CoordinatorConfig ofSize(int dataParallelSize) {
    return new CoordinatorConfig(
        dataParallelSize,
        DEFAULT.publishMinMs,
        DEFAULT.publishMaxMs,
        DEFAULT.suspectMs,
        DEFAULT.deadMs,
        DEFAULT.balancing,
        DEFAULT.policy,
        DEFAULT.localRanks,
        DEFAULT.lockstep,
        DEFAULT.configHash,
        DEFAULT.candidacy,
        DEFAULT.placing);
  }

  /** The same, with what a launch expects of its engines. */
  public CoordinatorConfig expecting(
      Balancing mode, @Nullable Integer local, boolean steppingTogether, String hash) {
    return new CoordinatorConfig(
        dataParallelSize,
        publishMinMs,
        publishMaxMs,
        suspectMs,
        deadMs,
        mode,
        policy,
        local,
        steppingTogether,
        hash,
        candidacy,
        placing);
  }

  /** The same, for a node of a cluster that may have other coordinators. */
  public CoordinatorConfig standingBy(Candidacy its) {
    return new CoordinatorConfig(
        dataParallelSize,
        publishMinMs,
        publishMaxMs,
        suspectMs,
        deadMs,
        balancing,
        policy,
        localRanks,
        lockstep,
        configHash,
        its,
        placing);
  }

  /** The same under a policy; the original's two get snapshots as rarely as the original's. */
  public CoordinatorConfig under(LoadBalancing other) {
    return new CoordinatorConfig(
        dataParallelSize,
        other.bySnapshots() ? SNAPSHOT_MS : publishMinMs,
        other.bySnapshots() ? SNAPSHOT_MAX_MS : publishMaxMs,
        suspectMs,
        deadMs,
        balancing,
        other,
        localRanks,
        lockstep,
        configHash,
        candidacy,
        placing);
  }

  /** The same, placing ranks like this. */
  public CoordinatorConfig placing(PlacingConfig how) {
    return new CoordinatorConfig(
        dataParallelSize,
        publishMinMs,
        publishMaxMs,
        suspectMs,
        deadMs,
        balancing,
        policy,
        localRanks,
        lockstep,
        configHash,
        candidacy,
        how);
  }
}
