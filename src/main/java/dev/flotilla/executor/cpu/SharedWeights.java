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
  private static final Map<Key, Entry> ENTRIES = new HashMap<>();

  private record Key(Path folder, boolean spread) {}

  private static final class Entry {
    private int references;
    private @Nullable CpuWeights weights;
  }

  private final Key key;
  private final CpuWeights weights;
  private boolean closed;

  private SharedWeights(Key key, CpuWeights weights) {
    this.key = key;
    this.weights = weights;
  }

  /**
   * Takes a reference; the first one repacks, while others of the same folder wait.
   *
   * @param spread whether the experts are left out
   */
  static SharedWeights open(ModelFolder folder, boolean spread, CpuOptions.Progress progress) {
    Key key = new Key(real(folder.path()), spread);
    Entry entry;
    synchronized (ENTRIES) {
      entry = ENTRIES.computeIfAbsent(key, k -> new Entry());
      entry.references++;
    }
    try {
      synchronized (entry) {
        CpuWeights weights = entry.weights;
        if (weights == null) {
          weights = repack(folder, spread, progress);
          entry.weights = weights;
        }
        return new SharedWeights(key, weights);
      }
    } catch (RuntimeException | Error e) {
      release(key);
      throw e;
    }
  }

  private static CpuWeights repack(
      ModelFolder folder, boolean spread, CpuOptions.Progress progress) {
    ComputePool pool = ComputePool.shared();
    CpuWeights[] result = new CpuWeights[1];
    pool.hold(
        () ->
            result[0] =
                CpuWeights.repack(folder.config(), folder.weights(), spread, pool, progress));
    return result[0];
  }

  private static Path real(Path folder) {
    try {
      return folder.toRealPath();
    } catch (IOException e) {
      throw new ModelException("model folder %s cannot be read".formatted(folder), e);
    }
  }

  private static void release(Key key) {
    synchronized (ENTRIES) {
      Entry entry = ENTRIES.get(key);
      if (entry != null && --entry.references == 0) {
        ENTRIES.remove(key);
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
      release(key);
    }
  }
}
