package dev.flotilla;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.flotilla.config.EngineConfig;
import dev.flotilla.launch.LaunchPlan;
import dev.flotilla.model.ModelConfig;
import dev.flotilla.model.ModelFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What is served, with which settings, on what kind of machine; written into a file where {@code
 * --usage-report} asks for it, and never sent anywhere.
 *
 * <p>Source: the original's {@code report_usage_stats}, which sends the like to a server unless
 * told not to.
 *
 * @param context what ran
 * @param settings that change what is computed, or how fast
 */
record UsageReport(
    String version,
    String architecture,
    String model,
    String context,
    Machine machine,
    Settings settings) {

  /** The machine. */
  record Machine(String os, String arch, int cores, long heapBytesMax, String java) {}

  /** The settings. */
  record Settings(
      String executor,
      String mode,
      String backend,
      int dataParallelSize,
      int dataParallelSizeLocal,
      int tensorParallelSize,
      boolean expertParallel,
      boolean lockstep,
      int apiServers,
      int layers,
      int blockSize,
      @Nullable Integer kvBlocks,
      int maxNumSeqs,
      int maxNumBatchedTokens,
      @Nullable Integer maxModelLen) {}

  /** Of a plan and its model. */
  static UsageReport of(ServePlan plan, ModelFolder folder) {
    LaunchPlan launch = plan.launch();
    EngineConfig engine = plan.engine();
    ModelConfig model = folder.config();
    String built = UsageReport.class.getPackage().getImplementationVersion();
    return new UsageReport(
        built == null ? "development" : built,
        model.kind().name(),
        folder.name(),
        "serve",
        new Machine(
            System.getProperty("os.name"),
            System.getProperty("os.arch"),
            Runtime.getRuntime().availableProcessors(),
            Runtime.getRuntime().maxMemory(),
            Runtime.version().toString()),
        new Settings(
            lower(engine.executor()),
            lower(launch.mode()),
            lower(launch.backend()),
            launch.size(),
            launch.starts().count(),
            1,
            engine.expertParallel(),
            launch.lockstep(),
            launch.apiServers(),
            model.layers(),
            engine.blockSize(),
            engine.numGpuBlocksOverride(),
            engine.maxNumSeqs(),
            engine.maxNumBatchedTokens(),
            engine.maxModelLen()));
  }

  /**
   * Writes it as JSON.
   *
   * @throws FailedCommand if the file cannot be written
   */
  void write(Path file) {
    JsonMapper mapper =
        JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .enable(SerializationFeature.INDENT_OUTPUT)
            .build();
    try {
      Files.writeString(file, mapper.writeValueAsString(this) + "\n");
    } catch (IOException e) {
      throw new FailedCommand("--usage-report: %s cannot be written: %s".formatted(file, e), e);
    }
  }

  private static String lower(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }
}
