package dev.flotilla.executor.cpu;

import dev.flotilla.model.ModelConfig;
import dev.flotilla.model.ModelConfig.Experts;
import java.util.Arrays;

/** A mixture layer whose experts are all here. */
final class LocalMixture implements Mixture {
  private final Experts experts;
  private final int hidden;
  private final Linear linear;
  private final ComputePool pool;
  private final Routing routing;
  private final ExpertBatch batch;
  private float[] scores = new float[0]; // [tokens, router rows]
  private int[] slots = new int[0]; // [tokens, perToken]: row of the token among its expert's

  LocalMixture(ModelConfig config, Experts experts, Linear linear, ComputePool pool) {
    this.experts = experts;
    this.hidden = config.hidden();
    this.linear = linear;
    this.pool = pool;
    this.routing = new Routing(experts);
    this.batch = new ExpertBatch(config, experts, experts.count(), linear, pool);
  }

  @Override
  public void run(int index, CpuWeights.Layer layer, Tiles router, Packed x, float[] out, int ldy) {
    scores = Elementwise.room(scores, Linear.resultLength(x.tokens(), router.rows()));
    linear.multiply(router, x, scores);
    routing.route(scores, x.tokens(), router.rows());
    gather(x);
    batch.compute(layer.mlp());
    combine(x.tokens(), out, ldy);
  }

  private void gather(Packed x) {
    int k = experts.perToken();
    int pairs = x.tokens() * k;
    if (slots.length < pairs) {
      slots = new int[pairs];
    }
    batch.clear();
    for (int i = 0; i < pairs; i++) {
      slots[i] = batch.add(routing.expert(i));
    }
    batch.room();
    pool.run(
        x.tokens(),
        8,
        (from, to, worker) -> {
          for (int i = from * k; i < to * k; i++) {
            batch.input(routing.expert(i)).copy(slots[i], x, i / k);
          }
        });
  }

  private void combine(int tokens, float[] out, int ldy) {
    int k = experts.perToken();
    pool.run(
        tokens,
        16,
        (from, to, worker) -> {
          for (int t = from; t < to; t++) {
            Arrays.fill(out, t * ldy, t * ldy + hidden, 0);
            for (int i = t * k; i < t * k + k; i++) {
              float[] part = batch.output(routing.expert(i));
              int row = slots[i] * batch.width();
              Elementwise.addScaled(out, t * ldy, routing.weight(i), part, row, hidden);
            }
          }
        });
  }
}
