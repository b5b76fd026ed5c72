package dev.flotilla.executor.cpu;

import dev.flotilla.model.ModelConfig;
import dev.flotilla.model.ModelException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/** How many blocks a rank's KV cache gets. */
final class CacheSize {
  /** Most that a rank takes by itself; several ranks and other programs share the machine. */
  private static final long BYTES_MAX = 1L << 30;

  private static final int FREE_SHARE = 5;

  private CacheSize() {}

  /**
   * The number asked for; else a fifth of the free memory, at most 1 GiB, never less than one
   * longest sequence and never more than the sequences of a step can use.
   */
  static int blocks(ModelConfig config, CpuOptions options) {
    Integer asked = options.blocks();
    if (asked != null) {
      return asked;
    }
    long bytes = Math.min(BYTES_MAX, free() / FREE_SHARE);
    long least = (options.maxModelLen() + options.blockSize() - 1L) / options.blockSize();
    long most = least * options.maxNumSeqs();
    long affordable = bytes / KvCache.blockBytes(config, options.blockSize());
    long blocks = Math.max(least, Math.min(most, affordable));
    if (blocks > Integer.MAX_VALUE) {
      throw new ModelException(
          "a sequence of %d tokens needs %d KV cache blocks, more than can be numbered"
              .formatted(options.maxModelLen(), blocks));
    }
    return (int) blocks;
  }

  /** Bytes that can be had; on Linux the caches of files count as free. */
  private static long free() {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
        if (line.startsWith("MemAvailable:")) {
          return Long.parseLong(line.replaceAll("\\D", "")) << 10;
        }
      }
    } catch (IOException e) {
      // Not Linux: the JVM's own figure, below, will do.
    }
    return ManagementFactory.getOperatingSystemMXBean()
            instanceof com.sun.management.OperatingSystemMXBean system
        ? system.getFreeMemorySize()
        : BYTES_MAX;
  }
}
