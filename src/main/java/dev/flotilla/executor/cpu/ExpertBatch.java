package dev.flotilla.executor.cpu;

import dev.flotilla.model.ModelConfig;
import dev.flotilla.model.ModelConfig.Experts;
import java.util.Arrays;
import java.util.List;

/**
 * The tokens that go to each of some experts, grouped per expert, so that each expert's weights are
 * read once a step, and what the experts make of them. An output depends on its token and expert
 * alone.
 */
final class ExpertBatch {
  private final int hidden;
  private final int intermediate;
  private final Linear linear;
  private final ComputePool pool;
  private final Packed[] inputs;
  private final Packed[] products;
  private final int[] counts;
  private final float[][] outputs; // per expert [its tokens, width]

  ExpertBatch(ModelConfig config, Experts of, int count, Linear linear, ComputePool pool) {
    this.hidden = config.hidden();
    this.intermediate = of.intermediate();
    this.linear = linear;
    this.pool = pool;
    this.inputs = new Packed[count];
    this.products = new Packed[count];
    this.counts = new int[count];
    this.outputs = new float[count][0];
    for (int e = 0; e < count; e++) {
      inputs[e] = new Packed();
      products[e] = new Packed();
    }
  }

  /** Forgets all tokens. */
  void clear() {
    Arrays.fill(counts, 0);
  }

  /** One more token for an expert; its place among the expert's. */
  int add(int expert) {
    return counts[expert]++;
  }

  /** Makes room for all that was added. */
  void room() {
    for (int e = 0; e < counts.length; e++) {
      if (counts[e] > 0) {
        inputs[e].reset(counts[e], hidden);
        products[e].reset(counts[e], intermediate);
        outputs[e] = Elementwise.room(outputs[e], Linear.resultLength(counts[e], width()));
      }
    }
  }

  /** Where the tokens of an expert are to be written. */
  Packed input(int expert) {
    return inputs[expert];
  }

  /** Floats of an output row; those beyond the model's width are filled up. */
  int width() {
    return (hidden + Tiles.ROWS - 1) / Tiles.ROWS * Tiles.ROWS;
  }

  /** What an expert made of its tokens, rows of {@link #width()}. */
  float[] output(int expert) {
    return outputs[expert];
  }

  /** Runs all experts that have tokens. */
  void compute(List<CpuWeights.Mlp> mlp) {
    int[] active = active();
    if (active.length == 0) {
      return;
    }
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
  }

  private int[] active() {
    int[] active = new int[counts.length];
    int n = 0;
    for (int e = 0; e < counts.length; e++) {
      if (counts[e] > 0) {
        active[n++] = e;
      }
    }
    return Arrays.copyOf(active, n);
  }
}
