package dev.flotilla.executor.cpu;

import dev.flotilla.model.ModelConfig;
import dev.flotilla.model.ModelConfig.Experts;
import java.util.Arrays;
import java.util.List;

/**
 * A mixture layer. Tokens are grouped per expert, so that each expert's weights are read once a
 * step; a token's experts are added in ascending order of their numbers.
 */
final class Mixture {
  private final Experts experts;
  private final int hidden;
  private final Linear linear;
  private final ComputePool pool;
  private final Packed[] inputs;
  private final Packed[] products;
  private final int[] counts;
  private float[] scores = new float[0]; // [tokens, router rows]
  private float[][] outputs; // per expert [its tokens, down rows]
  private int[] chosen = new int[0]; // [tokens, perToken], ascending
  private int[] slots = new int[0]; // row of the token among its expert's
  private float[] weights = new float[0];

  Mixture(ModelConfig config, Experts experts, Linear linear, ComputePool pool) {
    this.experts = experts;
    this.hidden = config.hidden();
    this.linear = linear;
    this.pool = pool;
    this.inputs = new Packed[experts.count()];
    this.products = new Packed[experts.count()];
    this.counts = new int[experts.count()];
    this.outputs = new float[experts.count()][0];
    for (int e = 0; e < experts.count(); e++) {
      inputs[e] = new Packed();
      products[e] = new Packed();
    }
  }

  /** Computes the layer of the packed, normed tokens into {@code out}, {@code ldy} apart. */
  void run(CpuWeights.Layer layer, Tiles router, Packed x, float[] out, int ldy) {
    scores = Elementwise.room(scores, Linear.resultLength(x.tokens(), router.rows()));
    linear.multiply(router, x, scores);
    route(x.tokens(), router.rows());
    gather(x);
    List<CpuWeights.Mlp> mlp = layer.mlp();
    int[] active = active();
    int pairs = mlp.getFirst().gateUp().tiles() / 2;
    pool.run(
        active.length * pairs,
        pool.grain(active.length * pairs),
        (from, to, worker) -> {
          for (int u = from; u < to; u++) {
            int e = active[u / pairs];
            Tiles w = mlp.get(e).gateUp();
            linear.gateUp(w, u % pairs, u % pairs + 1, inputs[e], products[e], worker);
          }
        });
    int tiles = mlp.getFirst().down().tiles();
    int halves = (tiles + 1) / 2;
    pool.run(
        active.length * halves,
        pool.grain(active.length * halves),
        (from, to, worker) -> {
          for (int u = from; u < to; u++) {
            int e = active[u / halves];
            Tiles w = mlp.get(e).down();
            int tile = u % halves * 2;
            linear.tiles(
                w, tile, Math.min(tiles, tile + 2), products[e], outputs[e], 0, w.rows(), worker);
          }
        });
    combine(x.tokens(), mlp.getFirst().down().rows(), out, ldy);
  }

  private int[] active() {
    int[] active = new int[experts.count()];
    int n = 0;
    for (int e = 0; e < experts.count(); e++) {
      if (counts[e] > 0) {
        active[n++] = e;
      }
    }
    return Arrays.copyOf(active, n);
  }

  /** Softmax over all experts, then the greatest; the lower number on ties. */
  private void route(int tokens, int width) {
    int k = experts.perToken();
    if (chosen.length < tokens * k) {
      chosen = new int[tokens * k];
      slots = new int[tokens * k];
      weights = new float[tokens * k];
    }
    Arrays.fill(counts, 0);
    float[] shares = new float[experts.count()];
    for (int t = 0; t < tokens; t++) {
      softmax(t * width, shares);
      for (int i = 0; i < k; i++) {
        int best = -1;
        for (int e = 0; e < shares.length; e++) {
          if (!taken(t * k, i, e) && (best < 0 || shares[e] > shares[best])) {
            best = e;
          }
        }
        chosen[t * k + i] = best;
      }
      Arrays.sort(chosen, t * k, t * k + k);
      float sum = 0;
      for (int i = 0; i < k; i++) {
        int e = chosen[t * k + i];
        slots[t * k + i] = counts[e]++;
        weights[t * k + i] = shares[e];
        sum += shares[e];
      }
      for (int i = 0; experts.normTopK() && i < k; i++) {
        weights[t * k + i] /= sum;
      }
    }
  }

  private void softmax(int row, float[] shares) {
    float max = Float.NEGATIVE_INFINITY;
    for (int e = 0; e < shares.length; e++) {
      max = Math.max(max, scores[row + e]);
    }
    double sum = 0;
    for (int e = 0; e < shares.length; e++) {
      double weight = Math.exp((double) scores[row + e] - max);
      shares[e] = (float) weight;
      sum += weight;
    }
    for (int e = 0; e < shares.length; e++) {
      shares[e] = (float) (shares[e] / sum);
    }
  }

  private boolean taken(int from, int count, int expert) {
    for (int i = from; i < from + count; i++) {
      if (chosen[i] == expert) {
        return true;
      }
    }
    return false;
  }

  private void gather(Packed x) {
    for (int e = 0; e < experts.count(); e++) {
      if (counts[e] > 0) {
        inputs[e].reset(counts[e], hidden);
        products[e].reset(counts[e], experts.intermediate());
        int rows = (hidden + Tiles.ROWS - 1) / Tiles.ROWS * Tiles.ROWS;
        outputs[e] = Elementwise.room(outputs[e], Linear.resultLength(counts[e], rows));
      }
    }
    int k = experts.perToken();
    pool.run(
        x.tokens(),
        8,
        (from, to, worker) -> {
          for (int i = from * k; i < to * k; i++) {
            inputs[chosen[i]].copy(slots[i], x, i / k);
          }
        });
  }

  private void combine(int tokens, int width, float[] out, int ldy) {
    int k = experts.perToken();
    pool.run(
        tokens,
        16,
        (from, to, worker) -> {
          for (int t = from; t < to; t++) {
            Arrays.fill(out, t * ldy, t * ldy + hidden, 0);
            for (int i = t * k; i < t * k + k; i++) {
              float[] part = outputs[chosen[i]];
              int row = slots[i] * width;
              for (int d = 0; d < hidden; d++) {
                out[t * ldy + d] = Math.fma(weights[i], part[row + d], out[t * ldy + d]);
              }
            }
          }
        });
  }
}
