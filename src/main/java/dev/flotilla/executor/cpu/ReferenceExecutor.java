package dev.flotilla.executor.cpu;

import dev.flotilla.model.Batch;
import dev.flotilla.model.Executor;
import dev.flotilla.model.ModelConfig;
import dev.flotilla.model.ModelFolder;
import dev.flotilla.model.Sampler;
import dev.flotilla.model.StepResult;
import dev.flotilla.protocol.Logprobs;
import dev.flotilla.protocol.Sampling;
import java.util.ArrayList;
import java.util.List;

/**
 * The plainest implementation: one token after the other, loops over floats. It is the
 * documentation of the models' mathematics and the control that faster executors are held against;
 * not meant to serve.
 *
 * <p>A token with id t at position p goes this way, with RMS norms {@code norm}:
 *
 * <pre>
 * x = embedding[t]
 * for each layer:
 *   x += o(attention(norm(x)))        queries, keys, values; keys and values go into the cache
 *   x += feedForward(norm(x))         down(silu(gate(x)) * up(x)), or a mixture of such experts
 * logits = head(norm(x))
 * </pre>
 *
 * <p>Each sum runs in the order of its inputs, so a token's result does not depend on the batch.
 * Sequences of a batch are computed in parallel.
 */
public final class ReferenceExecutor implements Executor {
  private final ModelConfig config;
  private final int blocks;
  private final int blockSize;
  private final ReferenceWeights weights;
  private final RotaryAngles angles;

  /** Per layer: position {@code s} of block {@code b} is row {@code b * blockSize + s}. */
  private final float[][] keys; // [layers][blocks * blockSize * kvWidth]

  private final float[][] values; // [layers][blocks * blockSize * kvWidth]

  private ReferenceExecutor(ModelFolder folder, int blocks, int blockSize) {
    this.config = folder.config();
    this.blocks = blocks;
    this.blockSize = blockSize;
    this.weights = ReferenceWeights.read(config, folder.weights());
    this.angles = new RotaryAngles(config);
    int elements = Math.multiplyExact(blocks * blockSize, config.kvWidth());
    this.keys = new float[config.layers()][elements];
    this.values = new float[config.layers()][elements];
  }

  /** Widens all weights to floats. */
  public static ReferenceExecutor open(ModelFolder folder, int blocks, int blockSize) {
    return new ReferenceExecutor(folder, blocks, blockSize);
  }

  @Override
  public ModelConfig config() {
    return config;
  }

  @Override
  public int blocks() {
    return blocks;
  }

  @Override
  public int blockSize() {
    return blockSize;
  }

  @Override
  public StepResult execute(Batch batch) {
    return new StepResult(batch.items().parallelStream().map(this::compute).toList());
  }

  @Override
  public void close() {}

  private StepResult.Item compute(Batch.Item item) {
    Sampler sampler = new Sampler();
    List<Logprobs> prompt = new ArrayList<>();
    int last = item.tokens().size() - 1;
    float[] logits = {};
    for (int i = 0; i <= last; i++) {
      float[] x = hidden(item, i);
      int successor = i < last ? item.tokens().get(i + 1) : item.nextToken();
      boolean report = item.promptLogprobs() >= 0 && successor >= 0;
      if (report || (i == last && item.sampling() != null)) {
        logits = weights.head().times(norm(x, weights.norm()));
      }
      if (report) {
        prompt.add(sampler.logprobs(logits, 0, logits.length, successor, item.promptLogprobs()));
      }
    }
    Sampling sampling = item.sampling();
    if (sampling == null) {
      return new StepResult.Item(-1, null, prompt);
    }
    int token = sampler.draw(logits, 0, logits.length, item, config.eos());
    Logprobs logprobs =
        sampling.logprobs() < 0
            ? null
            : sampler.logprobs(logits, 0, logits.length, token, sampling.logprobs());
    return new StepResult.Item(token, logprobs, prompt);
  }

  /** The residual stream after the last layer, for one token of a stretch. */
  private float[] hidden(Batch.Item item, int index) {
    int position = item.start() + index;
    float[] x = weights.embedding(item.tokens().get(index));
    for (int l = 0; l < config.layers(); l++) {
      ReferenceWeights.Layer layer = weights.layers().get(l);
      add(x, attention(item, l, layer, norm(x, layer.attentionNorm()), position));
      add(x, feedForward(layer, norm(x, layer.feedForwardNorm())));
    }
    return x;
  }

  private float[] attention(
      Batch.Item item, int l, ReferenceWeights.Layer layer, float[] x, int position) {
    float[] q = layer.q().times(x);
    float[] k = layer.k().times(x);
    float[] v = layer.v().times(x);
    int dim = config.headDim();
    if (layer.qNorm().length > 0) {
      normHeads(q, layer.qNorm());
      normHeads(k, layer.kNorm());
    }
    angles.rotate(q, position);
    angles.rotate(k, position);
    System.arraycopy(k, 0, keys[l], row(item, position), k.length);
    System.arraycopy(v, 0, values[l], row(item, position), v.length);

    float[] out = new float[q.length];
    for (int head = 0; head < config.heads(); head++) {
      // Several query heads share one head of keys and values.
      int shared = head / config.groupSize() * dim;
      float[] shares = new float[position + 1];
      for (int p = 0; p <= position; p++) {
        shares[p] = dot(q, head * dim, keys[l], row(item, p) + shared, dim);
      }
      softmax(shares, (float) (1 / Math.sqrt(dim)));
      for (int p = 0; p <= position; p++) {
        int value = row(item, p) + shared;
        for (int d = 0; d < dim; d++) {
          out[head * dim + d] += shares[p] * values[l][value + d];
        }
      }
    }
    return layer.o().times(out);
  }

  /** Where a position of a sequence starts in the cache of a layer. */
  private int row(Batch.Item item, int position) {
    int block = item.blocks().get(position / blockSize);
    return (block * blockSize + position % blockSize) * config.kvWidth();
  }

  private float[] feedForward(ReferenceWeights.Layer layer, float[] x) {
    ModelConfig.Experts mixture = config.experts();
    if (mixture == null) {
      return layer.experts().getFirst().apply(x);
    }
    float[] shares = layer.router().times(x);
    softmax(shares, 1);
    int[] chosen = greatest(shares, mixture.perToken());
    float sum = 0;
    for (int expert : chosen) {
      sum += shares[expert];
    }
    float[] out = new float[config.hidden()];
    for (int expert : chosen) {
      float share = mixture.normTopK() ? shares[expert] / sum : shares[expert];
      float[] y = layer.experts().get(expert).apply(x);
      for (int i = 0; i < out.length; i++) {
        out[i] += share * y[i];
      }
    }
    return out;
  }

  /** The places of the greatest values, greatest first, the lower place on ties. */
  private static int[] greatest(float[] values, int count) {
    float[] left = values.clone();
    int[] places = new int[count];
    for (int i = 0; i < count; i++) {
      places[i] = Sampler.argmax(left, 0, left.length);
      left[places[i]] = Float.NEGATIVE_INFINITY;
    }
    return places;
  }

  private float[] norm(float[] x, float[] scale) {
    float[] y = x.clone();
    normPart(y, 0, scale);
    return y;
  }

  private void normHeads(float[] x, float[] scale) {
    for (int at = 0; at < x.length; at += scale.length) {
      normPart(x, at, scale);
    }
  }

  /** Divides by the root of the mean square, then scales each element. */
  private void normPart(float[] x, int at, float[] scale) {
    float squares = dot(x, at, x, at, scale.length);
    float inverse = (float) (1 / Math.sqrt(squares / scale.length + config.normEps()));
    for (int i = 0; i < scale.length; i++) {
      x[at + i] = x[at + i] * inverse * scale[i];
    }
  }

  private static float dot(float[] a, int atA, float[] b, int atB, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += (double) a[atA + i] * b[atB + i];
    }
    return (float) sum;
  }

  private static void softmax(float[] x, float scale) {
    float max = x[0] * scale;
    for (float value : x) {
      max = Math.max(max, value * scale);
    }
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) Math.exp(x[i] * scale - max);
      sum += x[i];
    }
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) (x[i] / sum);
    }
  }

  private static void add(float[] x, float[] y) {
    for (int i = 0; i < x.length; i++) {
      x[i] += y[i];
    }
  }
}
