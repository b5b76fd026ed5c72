package dev.flotilla.executor.cpu;

import dev.flotilla.model.LayerNames;
import dev.flotilla.model.ModelConfig;
import dev.flotilla.model.ModelConfig.Experts;
import dev.flotilla.model.Tensor;
import dev.flotilla.model.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
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
   * @param mlp dense feed-forward layer, or one per expert; none if those are spread over ranks
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

  private CpuWeights(ModelConfig config, Weights weights, boolean spread, Repacking repacking) {
    // In this order the KV cache numbers its layers.
    for (String name : LayerNames.bind(weights.names(), config.layers())) {
      layers.add(layer(config, weights, name, spread, repacking));
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

  /**
   * Repacks with the pool that the caller holds.
   *
   * @param spread whether the experts are left out, since they are spread over ranks
   */
  static CpuWeights repack(
      ModelConfig config,
      Weights weights,
      boolean spread,
      ComputePool pool,
      CpuOptions.Progress progress) {
    Repacking repacking =
        Repacking.plan(
            sizes -> new CpuWeights(config, weights, spread, sizes), "the weights", progress);
    CpuWeights repacked = new CpuWeights(config, weights, spread, repacking);
    repacking.run(pool);
    return repacked;
  }

  private static Layer layer(
      ModelConfig config, Weights w, String name, boolean spread, Repacking repacking) {
    int hidden = config.hidden();
    int dim = config.headDim();
    String attention = name + ".self_attn.";
    Experts experts = config.experts();
    List<Mlp> mlp =
        experts == null
            ? List.of(mlp(w, name + ".mlp.", hidden, config.intermediate(), repacking))
            : experts(config, w, name, 0, spread ? 0 : experts.count(), repacking);
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
        mlp,
        experts == null
            ? null
            : repacking.tiles(
                Tiles.Plan.stacked(w.tensor(name + ".mlp.gate.weight", experts.count(), hidden))));
  }

  /** Experts of a layer. */
  static List<Mlp> experts(
      ModelConfig config, Weights w, String layer, int from, int to, Repacking repacking) {
    Experts experts = Objects.requireNonNull(config.experts());
    List<Mlp> mlp = new ArrayList<>();
    for (int e = from; e < to; e++) {
      String prefix = layer + ".mlp.experts." + e + ".";
      mlp.add(mlp(w, prefix, config.hidden(), experts.intermediate(), repacking));
    }
    return List.copyOf(mlp);
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
