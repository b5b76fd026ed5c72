package dev.flotilla;

import dev.flotilla.config.ConfigException;
import dev.flotilla.config.EngineConfig;
import dev.flotilla.config.ExecutorKind;
import dev.flotilla.config.PlacingConfig;
import dev.flotilla.config.Surroundings;
import dev.flotilla.launch.Backend;
import dev.flotilla.launch.Inheritance;
import dev.flotilla.launch.LaunchPlan;
import dev.flotilla.placement.Placement;
import dev.flotilla.placement.PlacementJson;
import dev.flotilla.placement.PlacementRequest;
import dev.flotilla.placement.Planner;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * How the coordinator of a {@code serve} places ranks, from its flags.
 *
 * @param groups of the launch as JSON; empty: they are planned
 * @param phaseMs what each phase of a change takes at least
 * @param surroundings of engines in JVMs of their own
 */
record PlacingPlan(
    PlacementRequest request,
    boolean launch,
    String groups,
    long readyTimeoutMs,
    long phaseMs,
    Surroundings surroundings) {

  /**
   * The plan of the flags.
   *
   * @throws ConfigException for a combination that makes no sense, and for a placement that does
   *     not fit the flags
   */
  static PlacingPlan of(ServeFlags flags, LaunchPlan launch) {
    boolean placed = launch.backend() == Backend.CLUSTER;
    int worldSize = flags.placement.tensorParallelSize;
    if (worldSize > 1 && flags.executor != ExecutorKind.SCRIPTED) {
      throw new ConfigException(
          "--tensor-parallel-size %d: one rank over several devices is not built for --executor %s; leave it out"
              .formatted(worldSize, flags.executor.name().toLowerCase(Locale.ROOT)));
    }
    int size = Math.max(1, launch.size());
    int local =
        Math.min(size, flags.dataParallelSizeLocal == null ? 1 : flags.dataParallelSizeLocal);
    PlacementRequest request = flags.placement.request("head", size, Math.max(0, local));
    String groups = "";
    if (flags.placementFile != null) {
      if (!placed) {
        throw new ConfigException(
            "--placement says where ranks run, so it needs --data-parallel-backend cluster");
      }
      groups = read(flags.placementFile, size, worldSize);
    } else if (placed) {
      verify(request);
    }
    if (flags.devices < 0) {
      throw new ConfigException("--devices must not be negative: " + flags.devices);
    }
    if (flags.scalingPhaseMs < 0) {
      throw new ConfigException(
          "--debug-scaling-phase-ms must not be negative: " + flags.scalingPhaseMs);
    }
    Surroundings surroundings =
        Inheritance.of(
            PlacementFlags.list(flags.engineEnvironment),
            System.getenv(),
            ManagementFactory.getRuntimeMXBean().getInputArguments());
    return new PlacingPlan(
        request,
        placed,
        groups,
        flags.engineReadyTimeout * 1_000L,
        flags.scalingPhaseMs,
        surroundings);
  }

  /** Nobody waits for nodes that could not help. */
  private static void verify(PlacementRequest request) {
    Placement.Refused never = Planner.never(request);
    if (never != null) {
      throw new ConfigException(never.sentence());
    }
  }

  private static String read(Path file, int size, int worldSize) {
    try {
      String text = Files.readString(file);
      PlacementJson.verify(PlacementJson.groups(text), size, worldSize);
      return text;
    } catch (IOException e) {
      throw new ConfigException(
          "--placement %s cannot be read: %s".formatted(file, e.getMessage()));
    } catch (ConfigException e) {
      throw new ConfigException("--placement %s: %s".formatted(file, e.getMessage()));
    }
  }

  /** The coordinator's setting. */
  PlacingConfig with(EngineConfig engine) {
    return new PlacingConfig(
        launch,
        request.sizeLocal(),
        request.worldSize(),
        request.strategy().toString(),
        request.allToAll().toString(),
        request.allowed(),
        groups,
        readyTimeoutMs,
        phaseMs,
        surroundings,
        engine);
  }
}
