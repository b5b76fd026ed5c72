package dev.flotilla.executor.cpu;

import dev.flotilla.model.LayerNames;
import dev.flotilla.model.ModelConfig;
import dev.flotilla.model.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** The experts {@code from} to {@code to - 1} of every layer, repacked, of one rank. Immutable. */
final class ExpertWeights implements AutoCloseable {
  private final int from;
  private final int to;
  private final List<List<CpuWeights.Mlp>> layers = new ArrayList<>();
  private final NativeBlock memory;

  private ExpertWeights(
      ModelConfig config, Weights weights, int from, int to, Repacking repacking) {
    this.from = from;
    this.to = to;
    for (String name : LayerNames.bind(weights.names(), config.layers())) {
      layers.add(CpuWeights.experts(config, weights, name, from, to, repacking));
    }
    memory = repacking.memory();
  }

  /** Repacks a member's share with the pool that the caller holds. */
  static ExpertWeights repack(
      ModelConfig config,
      Weights weights,
      ExpertShares shares,
      int member,
      ComputePool pool,
      CpuOptions.Progress progress) {
    Objects.requireNonNull(config.experts(), "a dense model has no experts");
    int from = shares.from(member);
    int to = shares.to(member);
    Repacking repacking =
        Repacking.plan(
            sizes -> new ExpertWeights(config, weights, from, to, sizes), "the experts", progress);
    ExpertWeights repacked = new ExpertWeights(config, weights, from, to, repacking);
    repacking.run(pool);
    return repacked;
  }

  /** The number of the first. */
  int from() {
    return from;
  }

  /** The number after the last. */
  int to() {
    return to;
  }

  /** Those of a layer, the first one first. */
  List<CpuWeights.Mlp> layer(int layer) {
    return layers.get(layer);
  }

  /** Bytes of all tiles. */
  long bytes() {
    return memory.bytes();
  }

  @Override
  public void close() {
    memory.close();
  }
}
