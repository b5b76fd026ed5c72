package dev.flotilla.executor.cpu;

import dev.flotilla.model.ModelException;
import dev.flotilla.model.ModelFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One repacked copy of a folder's weights for all ranks of this JVM. Each rank takes a reference
 * and closes it; the last one frees the memory.
 */
final class SharedWeights implements AutoCloseable {
  private static final Map<Path, Entry> ENTRIES = new HashMap<>();

  private static final class Entry {
    private int references;
    private @Nullable CpuWeights weights;
  }

  private final Path path;
  private final CpuWeights weights;
  private boolean closed;

  private SharedWeights(Path path, CpuWeights weights) {
    this.path = path;
    this.weights = weights;
  }

  /** Takes a reference; the first one repacks, while others of the same folder wait. */
  static SharedWeights open(ModelFolder folder, CpuOptions.Progress progress) {
    Path path = real(folder.path());
    Entry entry;
    synchronized (ENTRIES) {
      entry = ENTRIES.computeIfAbsent(path, p -> new Entry());
      entry.references++;
    }
    try {
      synchronized (entry) {
        CpuWeights weights = entry.weights;
        if (weights == null) {
          weights = repack(folder, progress);
          entry.weights = weights;
        }
        return new SharedWeights(path, weights);
      }
    } catch (RuntimeException | Error e) {
      release(path);
      throw e;
    }
  }

  private static CpuWeights repack(ModelFolder folder, CpuOptions.Progress progress) {
    ComputePool pool = ComputePool.shared();
    CpuWeights[] result = new CpuWeights[1];
    pool.hold(
        () -> result[0] = CpuWeights.repack(folder.config(), folder.weights(), pool, progress));
    return result[0];
  }

  private static Path real(Path folder) {
    try {
      return folder.toRealPath();
    } catch (IOException e) {
      throw new ModelException("model folder %s cannot be read".formatted(folder), e);
    }
  }

  private static void release(Path path) {
    synchronized (ENTRIES) {
      Entry entry = ENTRIES.get(path);
      if (entry != null && --entry.references == 0) {
        ENTRIES.remove(path);
        CpuWeights weights = entry.weights;
        if (weights != null) {
          weights.close();
        }
      }
    }
  }

  CpuWeights weights() {
    return weights;
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      release(path);
    }
  }
}
