package dev.flotilla.executor.cpu;

import dev.flotilla.model.Collective;
import dev.flotilla.model.DType;
import dev.flotilla.model.ModelConfig;
import dev.flotilla.model.ModelConfig.Experts;
import dev.flotilla.model.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The forward pass of one rank. A layer is five dispatches to the pool (qkv, attention, output,
 * gate-up, down); norms run between them, on the pool too when there are many tokens. Buffers grow
 * to the greatest step seen.
 */
final class Forward implements AutoCloseable {
  /** Up to so many tokens a dispatch would cost more than the norms. */
  private static final int SERIAL_TOKENS = 8;

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final ModelConfig config;
  private final CpuWeights weights;
  private final ComputePool pool;
  private final Linear linear;
  private final Rope rope;
  private final Attention attention;
  private @Nullable Mixture mixture; // null in a dense model
  private final Packed normed = new Packed();
  private final Packed attended = new Packed();
  private final Packed product = new Packed();
  private final float[][] rows; // by worker, [8, hidden]
  private float[] stream = new float[0]; // [tokens, hidden]
  private float[] qkv = new float[0]; // [tokens, qkv rows]
  private float[] change = new float[0]; // [tokens, hidden rows], not yet added to the stream

  Forward(
      ModelConfig config,
      CpuWeights weights,
      KvCache cache,
      Kernels kernels,
      ComputePool pool,
      int maxModelLen) {
    this.config = config;
    this.weights = weights;
    this.pool = pool;
    this.linear = new Linear(pool, kernels);
    this.rope = new Rope(config, maxModelLen);
    this.attention = new Attention(config, cache, kernels, rope, pool);
    this.rows = new float[pool.workers()][8 * config.hidden()];
    Experts experts = config.experts();
    this.mixture = experts == null ? null : new LocalMixture(config, experts, linear, pool);
  }

  /** From now on the experts are spread over the group; nothing of an earlier group is kept. */
  SpreadMixture spread(ExpertWeights own, Collective collective) {
    Experts experts = Objects.requireNonNull(config.experts(), "a dense model has no experts");
    SpreadMixture spread = new SpreadMixture(config, experts, own, collective, linear, pool);
    mixture = spread;
    return spread;
  }

  private static int padded(int rows) {
    return (rows + Tiles.ROWS - 1) / Tiles.ROWS * Tiles.ROWS;
  }

  /**
   * No tokens of its own, but its part in every exchange of a spread model, at the place where a
   * step with tokens takes it.
   */
  void runDummy() {
    normed.reset(0, config.hidden());
    for (int i = 0; i < config.layers(); i++) {
      mlp(i, weights.layers().get(i), 0);
    }
  }

  /** All layers; the stream then lacks the last layer's change. */
  void run(Step step) {
    int tokens = step.tokens();
    int hidden = config.hidden();
    int heads = config.heads() * config.headDim();
    rope.ensure(step.reach());
    stream = Elementwise.room(stream, tokens * hidden);
    change = Elementwise.room(change, Linear.resultLength(tokens, padded(hidden)));
    qkv = Elementwise.room(qkv, Linear.resultLength(tokens, padded(heads + 2 * config.kvWidth())));
    embed(step);
    boolean first = true;
    for (int i = 0; i < config.layers(); i++) {
      CpuWeights.Layer layer = weights.layers().get(i);
      norm(tokens, layer.attentionNorm(), !first);
      linear.multiply(layer.qkv(), normed, qkv);
      attention.run(step, i, layer, qkv, attended.reset(tokens, heads));
      linear.multiply(layer.output(), attended, change);
      norm(tokens, layer.mlpNorm(), true);
      mlp(i, layer, tokens);
      first = false;
    }
  }

  private void mlp(int index, CpuWeights.Layer layer, int tokens) {
    Tiles router = layer.router();
    if (mixture != null && router != null) {
      mixture.run(index, layer, router, normed, change, padded(config.hidden()));
      return;
    }
    CpuWeights.Mlp mlp = layer.mlp().getFirst();
    product.reset(tokens, config.intermediate());
    int pairs = mlp.gateUp().tiles() / 2;
    pool.run(
        pairs,
        linear.grain(pairs, normed),
        (from, to, worker) -> linear.gateUp(mlp.gateUp(), from, to, normed, product, worker));
    linear.multiply(mlp.down(), product, change);
  }

  private void embed(Step step) {
    Tensor table = weights.embedding();
    int hidden = config.hidden();
    for (int t = 0; t < step.tokens(); t++) {
      long row = (long) step.id(t) * hidden;
      if (table.dtype() == DType.BF16) {
        MemorySegment data = table.data();
        for (int k = 0; k < hidden; k++) {
          stream[t * hidden + k] = Float.intBitsToFloat(data.get(SHORT, (row + k) * 2) << 16);
        }
      } else {
        for (int k = 0; k < hidden; k++) {
          stream[t * hidden + k] = table.get(row + k);
        }
      }
    }
  }

  /** Adds the change to the stream, then norms and packs it. */
  private void norm(int tokens, float[] weight, boolean add) {
    normed.reset(tokens, config.hidden());
    if (tokens <= SERIAL_TOKENS) {
      norm(0, tokens, weight, add);
    } else {
      pool.run(
          tokens,
          Packed.group(),
          (from, to, worker) -> {
            int at = from;
            for (; at <= to - Packed.group(); at += Packed.group()) {
              normGroup(at, weight, add, rows[worker]);
            }
            norm(at, to, weight, add);
          });
    }
  }

  /**
   * A whole group, side by side first: writing every element to its place one by one costs more.
   */
  private void normGroup(int from, float[] weight, boolean add, float[] scratch) {
    int hidden = config.hidden();
    for (int i = 0; i < 8; i++) {
      int row = (from + i) * hidden;
      if (add) {
        Elementwise.add(stream, row, change, (from + i) * padded(hidden), hidden);
      }
      float inverse = Elementwise.inverseRms(stream, row, hidden, config.normEps());
      Elementwise.norm(stream, row, hidden, inverse, weight, scratch, i * hidden);
    }
    Elementwise.interleave(scratch, 0, hidden, hidden, normed.data(), normed.start(from));
  }

  private void norm(int from, int to, float[] weight, boolean add) {
    int hidden = config.hidden();
    for (int t = from; t < to; t++) {
      if (add) {
        Elementwise.add(stream, t * hidden, change, t * padded(hidden), hidden);
      }
      float inverse = Elementwise.inverseRms(stream, t * hidden, hidden, config.normEps());
      int at = normed.start(t);
      Elementwise.norm(
          stream, t * hidden, hidden, inverse, weight, normed.data(), at, normed.stride(t));
    }
  }

  /**
   * Logits of some of the step's tokens, once: it adds the last change to their stream.
   *
   * @param rows tokens of the step
   * @param logits receives {@code [rows, logitsWidth()]}, whole groups
   */
  void logits(int[] rows, int from, int to, float[] logits) {
    int hidden = config.hidden();
    normed.reset(to - from, hidden);
    for (int i = from; i < to; i++) {
      int t = rows[i];
      Elementwise.add(stream, t * hidden, change, t * padded(hidden), hidden);
      float inverse = Elementwise.inverseRms(stream, t * hidden, hidden, config.normEps());
      int at = normed.start(i - from);
      int stride = normed.stride(i - from);
      Elementwise.norm(
          stream, t * hidden, hidden, inverse, weights.finalNorm(), normed.data(), at, stride);
    }
    linear.multiply(weights.head(), normed, logits);
  }

  /** Floats of a row of logits; ids beyond the vocabulary are filled up. */
  int logitsWidth() {
    return weights.head().rows();
  }

  @Override
  public void close() {
    linear.close();
  }
}
