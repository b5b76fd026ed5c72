package dev.flotilla.model;

import dev.flotilla.protocol.TokenIds;
import org.jspecify.annotations.Nullable;

/**
 * The architecture of a decoder-only transformer, as {@code config.json} gives it.
 *
 * @param kind family of the architecture
 * @param hidden width of the residual stream
 * @param intermediate width of the dense feed-forward layer
 * @param layers transformer layers
 * @param heads query heads
 * @param kvHeads key and value heads; divides {@code heads}
 * @param headDim width of a head
 * @param vocab rows of the embedding
 * @param normEps of every RMS norm
 * @param rope rotary position embedding
 * @param maxPositions longest sequence the model knows
 * @param tied whether the output layer is the embedding
 * @param qkNorm whether queries and keys are normed per head (Qwen3)
 * @param experts null in a dense model
 * @param eos tokens that end a generation: generation_config.json's, else config.json's
 * @param bos -1 if there is none
 */
public record ModelConfig(
    Kind kind,
    int hidden,
    int intermediate,
    int layers,
    int heads,
    int kvHeads,
    int headDim,
    int vocab,
    float normEps,
    Rope rope,
    int maxPositions,
    boolean tied,
    boolean qkNorm,
    @Nullable Experts experts,
    TokenIds eos,
    int bos) {

  /** The families that can be computed. */
  public enum Kind {
    /** {@code LlamaForCausalLM}. */
    LLAMA,
    /** {@code Qwen3ForCausalLM}: Llama with query and key norms. */
    QWEN3,
    /** {@code Qwen3MoeForCausalLM}. */
    QWEN3_MOE
  }

  /**
   * Rotary position embedding in the half-split form of Hugging Face.
   *
   * @param theta base
   * @param scaling null: none
   */
  public record Rope(double theta, @Nullable Llama3Scaling scaling) {}

  /** The frequency scaling of Llama 3.1 and later ({@code rope_type: llama3}). */
  public record Llama3Scaling(
      double factor, double lowFreqFactor, double highFreqFactor, int originalMaxPositions) {}

  /**
   * A mixture layer in place of every dense feed-forward layer.
   *
   * @param count experts of a layer
   * @param perToken experts that a token goes to
   * @param intermediate width of one expert
   * @param normTopK whether the chosen experts' weights are scaled to sum 1
   */
  public record Experts(int count, int perToken, int intermediate, boolean normTopK) {}

  /** Elements of keys (or values) of one token in one layer. */
  public int kvWidth() {
    return kvHeads * headDim;
  }

  /** Query heads that share one key and value head. */
  public int groupSize() {
    return heads / kvHeads;
  }
}
