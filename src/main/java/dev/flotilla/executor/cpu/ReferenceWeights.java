package dev.flotilla.executor.cpu;

import dev.flotilla.model.ModelConfig;
import dev.flotilla.model.Tensor;
import dev.flotilla.model.Weights;
import java.util.ArrayList;
import java.util.List;

/** All weights of a model as floats, under the names of what they do; nobody compares them. */
@SuppressWarnings("ArrayRecordComponent")
record ReferenceWeights(
    float[][] embeddings, // [vocab][hidden]
    List<Layer> layers,
    float[] norm, // [hidden]
    Matrix head) { // hidden to vocab

  /** One layer; norms that the architecture does not have are empty. */
  record Layer(
      float[] attentionNorm, // [hidden]
      Matrix q, // hidden to heads * headDim
      Matrix k, // hidden to kvWidth
      Matrix v, // hidden to kvWidth
      Matrix o, // heads * headDim to hidden
      float[] qNorm, // [headDim] or empty
      float[] kNorm, // [headDim] or empty
      float[] feedForwardNorm, // [hidden]
      Matrix router, // hidden to experts; nothing in a dense model
      List<FeedForward> experts) {} // one in a dense model

  /** The gated feed-forward layer, {@code down(silu(gate(x)) * up(x))}. */
  record FeedForward(Matrix gate, Matrix up, Matrix down) {
    float[] apply(float[] x) {
      float[] y = gate.times(x);
      float[] u = up.times(x);
      for (int i = 0; i < y.length; i++) {
        y[i] = y[i] / (1 + (float) Math.exp(-y[i])) * u[i];
      }
      return down.times(y);
    }
  }

  /**
   * A linear map. Its columns lie one after the other, so that the inner loop adds up all outputs
   * at once, each in the order of the inputs.
   */
  record Matrix(int outputs, float[] columns) { // [inputs][outputs]
    static final Matrix NONE = new Matrix(0, new float[0]);

    static Matrix of(Tensor tensor) {
      int outputs = tensor.shape().get(0);
      int inputs = tensor.shape().get(1);
      float[] columns = new float[Math.multiplyExact(inputs, outputs)];
      for (int row = 0; row < outputs; row++) {
        for (int column = 0; column < inputs; column++) {
          columns[column * outputs + row] = tensor.get((long) row * inputs + column);
        }
      }
      return new Matrix(outputs, columns);
    }

    float[] times(float[] x) {
      double[] sums = new double[outputs];
      for (int i = 0; i < x.length; i++) {
        double input = x[i];
        for (int j = 0; j < outputs; j++) {
          sums[j] += input * columns[i * outputs + j];
        }
      }
      float[] y = new float[outputs];
      for (int j = 0; j < outputs; j++) {
        y[j] = (float) sums[j];
      }
      return y;
    }
  }

  static ReferenceWeights read(ModelConfig c, Weights weights) {
    Tensor embedding = weights.tensor("model.embed_tokens.weight", c.vocab(), c.hidden());
    float[][] embeddings = new float[c.vocab()][c.hidden()];
    for (int i = 0; i < c.vocab(); i++) {
      for (int j = 0; j < c.hidden(); j++) {
        embeddings[i][j] = embedding.get((long) i * c.hidden() + j);
      }
    }
    List<Layer> layers = new ArrayList<>();
    for (int i = 0; i < c.layers(); i++) {
      layers.add(layer(c, weights, "model.layers." + i + "."));
    }
    Tensor head = c.tied() ? embedding : weights.tensor("lm_head.weight", c.vocab(), c.hidden());
    return new ReferenceWeights(
        embeddings,
        layers,
        weights.tensor("model.norm.weight", c.hidden()).toFloats(),
        Matrix.of(head));
  }

  private static Layer layer(ModelConfig c, Weights w, String name) {
    int width = c.heads() * c.headDim();
    String attention = name + "self_attn.";
    return new Layer(
        w.tensor(name + "input_layernorm.weight", c.hidden()).toFloats(),
        Matrix.of(w.tensor(attention + "q_proj.weight", width, c.hidden())),
        Matrix.of(w.tensor(attention + "k_proj.weight", c.kvWidth(), c.hidden())),
        Matrix.of(w.tensor(attention + "v_proj.weight", c.kvWidth(), c.hidden())),
        Matrix.of(w.tensor(attention + "o_proj.weight", c.hidden(), width)),
        c.qkNorm() ? w.tensor(attention + "q_norm.weight", c.headDim()).toFloats() : new float[0],
        c.qkNorm() ? w.tensor(attention + "k_norm.weight", c.headDim()).toFloats() : new float[0],
        w.tensor(name + "post_attention_layernorm.weight", c.hidden()).toFloats(),
        router(c, w, name),
        experts(c, w, name + "mlp."));
  }

  private static Matrix router(ModelConfig c, Weights w, String name) {
    ModelConfig.Experts experts = c.experts();
    return experts == null
        ? Matrix.NONE
        : Matrix.of(w.tensor(name + "mlp.gate.weight", experts.count(), c.hidden()));
  }

  private static List<FeedForward> experts(ModelConfig c, Weights w, String name) {
    ModelConfig.Experts experts = c.experts();
    if (experts == null) {
      return List.of(feedForward(w, name, c.hidden(), c.intermediate()));
    }
    List<FeedForward> all = new ArrayList<>();
    for (int e = 0; e < experts.count(); e++) {
      all.add(feedForward(w, name + "experts." + e + ".", c.hidden(), experts.intermediate()));
    }
    return all;
  }

  private static FeedForward feedForward(Weights w, String name, int hidden, int width) {
    return new FeedForward(
        Matrix.of(w.tensor(name + "gate_proj.weight", width, hidden)),
        Matrix.of(w.tensor(name + "up_proj.weight", width, hidden)),
        Matrix.of(w.tensor(name + "down_proj.weight", hidden, width)));
  }

  /** A copy of a token's row. */
  float[] embedding(int token) {
    return embeddings[token].clone();
  }
}
