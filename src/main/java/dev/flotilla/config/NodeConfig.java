package dev.flotilla.config;

import java.util.List;

/**
 * The agent of one node.
 *
 * @param devices what the node can run ranks on; 0: as many as there are cores
 * @param headless whether the node has no front-end
 * @param engines started at once
 */
public record NodeConfig(int devices, boolean headless, List<EngineConfig> engines) {
  /** What is not set. */
  public static final NodeConfig DEFAULT = new NodeConfig(0, false, List.of());

  /** Checks every bound. */
  public NodeConfig {
    engines = List.copyOf(engines);
    Check.that(devices >= 0, "devices must not be negative: %d", devices);
  }
}
