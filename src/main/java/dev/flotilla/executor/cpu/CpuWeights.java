package dev.flotilla.executor.cpu;

import dev.flotilla.model.LayerNames;
import dev.flotilla.model.ModelConfig;
import dev.flotilla.model.ModelConfig.Experts;
import dev.flotilla.model.Tensor;
import dev.flotilla.model.Weights;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A model's weights as the kernels read them: linear layers repacked into tiles in one block of
 * memory, norms as arrays. The embedding is read where the file is mapped. Immutable.
 */
final class CpuWeights implements AutoCloseable {
  /**
   * One transformer layer.
   *
   * @param qkv query, key and value rows one after the other
   * @param output of attention
   * @param mlp dense feed-forward layer, or one per expert
   * @param router of a mixture; null in a dense layer
   */
  @SuppressWarnings("ArrayRecordComponent") // Never compared, and nobody writes to them.
  record Layer(
      float[] attentionNorm,
      Tiles qkv,
      float @Nullable [] queryNorm,
      float @Nullable [] keyNorm,
      Tiles output,
      float[] mlpNorm,
      List<Mlp> mlp,
      @Nullable Tiles router) {}

  /**
   * One gated feed-forward layer.
   *
   * @param gateUp a tile of gate rows, a tile of up rows, and so on
   */
  record Mlp(Tiles gateUp, Tiles down) {}

  private final List<Layer> layers = new ArrayList<>();
  private final float[] finalNorm;
  private final Tensor embedding;
  private final Tiles head;
  private final NativeBlock memory;

  private CpuWeights(ModelConfig config, Weights weights, Repacking repacking) {
    // In this order the KV cache numbers its layers.
    for (String name : LayerNames.bind(weights.names(), config.layers())) {
      layers.add(layer(config, weights, name, repacking));
    }
    embedding = weights.tensor("model.embed_tokens.weight", config.vocab(), config.hidden());
    Tensor output =
        config.tied()
            ? embedding
            : weights.tensor("lm_head.weight", config.vocab(), config.hidden());
    head = repacking.tiles(Tiles.Plan.stacked(output));
    finalNorm = weights.tensor("model.norm.weight", config.hidden()).toFloats();
    memory = repacking.memory();
  }

  /** Repacks with the pool that the caller holds. */
  static CpuWeights repack(
      ModelConfig config, Weights weights, ComputePool pool, CpuOptions.Progress progress) {
    Repacking sizes = new Repacking(null, progress);
    new CpuWeights(config, weights, sizes);
    Repacking repacking = new Repacking(NativeBlock.allocate(sizes.at, "the weights"), progress);
    CpuWeights repacked = new CpuWeights(config, weights, repacking);
    repacking.run(pool);
    return repacked;
  }

  /** Plans the tiles in one block of memory, first without memory to learn its size. */
  private static final class Repacking {
    private final @Nullable NativeBlock memory;
    private final CpuOptions.Progress progress;
    private final List<Tiles.Plan> plans = new ArrayList<>();
    private final List<Tiles> targets = new ArrayList<>();
    private long at;

    Repacking(@Nullable NativeBlock memory, CpuOptions.Progress progress) {
      this.memory = memory;
      this.progress = progress;
    }

    NativeBlock memory() {
      return memory == null ? NativeBlock.NONE : memory;
    }

    Tiles tiles(Tiles.Plan plan) {
      long base = memory == null ? 0 : memory.address();
      Tiles tiles = new Tiles(plan.format(), plan.tiles(), plan.cols(), base + at);
      plans.add(plan);
      targets.add(tiles);
      at += plan.bytes();
      return tiles;
    }

    void run(ComputePool pool) {
      long done = 0;
      for (int i = 0; i < plans.size(); i++) {
        Tiles.Plan plan = plans.get(i);
        Tiles target = targets.get(i);
        pool.run(target.tiles(), 4, (from, to, worker) -> plan.write(target, from, to));
        done += plan.bytes();
        progress.repacked(done, at);
      }
    }
  }

  private static Layer layer(ModelConfig config, Weights w, String name, Repacking repacking) {
    int hidden = config.hidden();
    int dim = config.headDim();
    String attention = name + ".self_attn.";
    Experts experts = config.experts();
    List<Mlp> mlp = new ArrayList<>();
    if (experts == null) {
      mlp.add(mlp(w, name + ".mlp.", hidden, config.intermediate(), repacking));
    } else {
      for (int e = 0; e < experts.count(); e++) {
        String prefix = name + ".mlp.experts." + e + ".";
        mlp.add(mlp(w, prefix, hidden, experts.intermediate(), repacking));
      }
    }
    return new Layer(
        w.tensor(name + ".input_layernorm.weight", hidden).toFloats(),
        repacking.tiles(
            Tiles.Plan.stacked(
                w.tensor(attention + "q_proj.weight", config.heads() * dim, hidden),
                w.tensor(attention + "k_proj.weight", config.kvWidth(), hidden),
                w.tensor(attention + "v_proj.weight", config.kvWidth(), hidden))),
        config.qkNorm() ? w.tensor(attention + "q_norm.weight", dim).toFloats() : null,
        config.qkNorm() ? w.tensor(attention + "k_norm.weight", dim).toFloats() : null,
        repacking.tiles(
            Tiles.Plan.stacked(
                w.tensor(attention + "o_proj.weight", hidden, config.heads() * dim))),
        w.tensor(name + ".post_attention_layernorm.weight", hidden).toFloats(),
        List.copyOf(mlp),
        experts == null
            ? null
            : repacking.tiles(
                Tiles.Plan.stacked(w.tensor(name + ".mlp.gate.weight", experts.count(), hidden))));
  }

  private static Mlp mlp(
      Weights w, String prefix, int hidden, int intermediate, Repacking repacking) {
    return new Mlp(
        repacking.tiles(
            Tiles.Plan.interleaved(
                w.tensor(prefix + "gate_proj.weight", intermediate, hidden),
                w.tensor(prefix + "up_proj.weight", intermediate, hidden))),
        repacking.tiles(
            Tiles.Plan.stacked(w.tensor(prefix + "down_proj.weight", hidden, intermediate))));
  }

  List<Layer> layers() {
    return layers;
  }

  float[] finalNorm() {
    return finalNorm;
  }

  /** [vocab, hidden], in the mapped file. */
  Tensor embedding() {
    return embedding;
  }

  /** The output layer. */
  Tiles head() {
    return head;
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
