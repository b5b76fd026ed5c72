package dev.flotilla.config;

import java.util.List;

/**
 * How the coordinator places ranks on nodes.
 *
 * @param launch whether the first ranks are placed too; otherwise only those that the group grows
 *     by
 * @param sizeLocal ranks of the head at the launch
 * @param worldSize devices of a rank
 * @param strategy name of the way to pack
 * @param allToAll name of the way to exchange tokens of experts
 * @param allowed addresses of nodes; empty: all
 * @param groups of the launch as JSON, instead of a plan; empty: they are planned
 * @param readyTimeoutMs what an engine may take to become ready
 * @param phaseMs what each phase of a change of the group takes at least; for tests of what happens
 *     in it
 * @param surroundings what engines in JVMs of their own get of the head's
 * @param engine what every rank is configured with
 */
public record PlacingConfig(
    boolean launch,
    int sizeLocal,
    int worldSize,
    String strategy,
    String allToAll,
    List<String> allowed,
    String groups,
    long readyTimeoutMs,
    long phaseMs,
    Surroundings surroundings,
    EngineConfig engine) {

  /** What is not set. */
  public static final PlacingConfig DEFAULT =
      new PlacingConfig(
          false,
          1,
          1,
          "fill",
          "allgather_reducescatter",
          List.of(),
          "",
          600_000,
          0,
          Surroundings.DEFAULT,
          EngineConfig.DEFAULT);

  /** Keeps a private copy. */
  public PlacingConfig {
    allowed = List.copyOf(allowed);
    Check.that(worldSize >= 1, "world-size must be at least 1, not %d", worldSize);
    Check.that(sizeLocal >= 0, "size-local must be at least 0, not %d", sizeLocal);
    Check.that(phaseMs >= 0, "phase-ms must not be negative: %d", phaseMs);
    Check.that(readyTimeoutMs >= 1, "ready-timeout-ms must be at least 1, not %d", readyTimeoutMs);
  }
}
