package dev.flotilla.config;

import java.util.List;

/**
 * The agent of one node.
 *
 * @param devices what the node can run ranks on; 0: as many as there are cores
 * @param headless whether the node has no front-end
 * @param engines started at once
 * @param processes whether each engine gets a JVM of its own
 * @param stopOnFailure whether the end of one engine ends all
 * @param deviceIds of each local rank, with commas; empty: nothing was said about devices
 * @param headLostMs how long a headless node waits for a coordinator after it has lost one
 * @param children how engines in JVMs of their own join the cluster
 */
public record NodeConfig(
    int devices,
    boolean headless,
    List<EngineConfig> engines,
    boolean processes,
    boolean stopOnFailure,
    List<String> deviceIds,
    long headLostMs,
    Children children) {
  /** As long as an engine looks for a coordinator before it has one. */
  private static final long HEAD_LOST_MS = 300_000;

  /** What is not set. */
  public static final NodeConfig DEFAULT = new NodeConfig(0, false, List.of());

  /**
   * How a child joins; empty texts: as this JVM does.
   *
   * @param member address of this node's member
   * @param clusterName of the cluster
   * @param clusterConfig Hazelcast's file
   * @param spares JVMs that have joined and wait for a rank that dies
   */
  public record Children(String member, String clusterName, String clusterConfig, int spares) {
    /** More would be a second fleet. */
    private static final int SPARES_MAX = 64;

    /** As this JVM joins, without spares. */
    public static final Children DEFAULT = new Children("", "", "", 0);

    /** Checks every bound. */
    public Children {
      Check.that(
          spares >= 0 && spares <= SPARES_MAX,
          "spare-engines must be 0 to %d, not %d",
          SPARES_MAX,
          spares);
    }
  }

  /** Checks every bound. */
  public NodeConfig {
    engines = List.copyOf(engines);
    deviceIds = List.copyOf(deviceIds);
    Check.that(devices >= 0, "devices must not be negative: %d", devices);
    Check.that(
        deviceIds.isEmpty() || deviceIds.size() >= engines.size(),
        "device-ids has %d slices for %d engines",
        deviceIds.size(),
        engines.size());
    Check.that(headLostMs >= 1, "head-lost-ms must be at least 1, not %d", headLostMs);
  }

  /** Engines in this JVM, restarted when they die. */
  public NodeConfig(int devices, boolean headless, List<EngineConfig> engines) {
    this(devices, headless, engines, false, false, List.of(), HEAD_LOST_MS, Children.DEFAULT);
  }
}
