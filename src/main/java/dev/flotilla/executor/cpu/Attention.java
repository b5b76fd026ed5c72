package dev.flotilla.executor.cpu;

import dev.flotilla.model.Batch;
import dev.flotilla.model.ModelConfig;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Paged attention. Scores go to a buffer, so maximum, weights and sum of a query run over its own
 * positions in ascending order, whatever batch or piece of a prompt it is in.
 */
final class Attention {
  private final ModelConfig config;
  private final KvCache cache;
  private final Kernels kernels;
  private final Rope rope;
  private final ComputePool pool;
  private final int dim;
  private final int share;
  private final int dimTiles;
  private final float scale;
  private final Worker[] workers;

  Attention(ModelConfig config, KvCache cache, Kernels kernels, Rope rope, ComputePool pool) {
    this.config = config;
    this.cache = cache;
    this.kernels = kernels;
    this.rope = rope;
    this.pool = pool;
    this.dim = config.headDim();
    this.share = config.groupSize();
    this.dimTiles = KvCache.dimTiles(dim);
    this.scale = (float) (1 / Math.sqrt(dim));
    this.workers = new Worker[pool.workers()];
    for (int i = 0; i < workers.length; i++) {
      workers[i] = new Worker(dim, dimTiles);
    }
  }

  private static final class Worker {
    private final float[] heads; // [8][dim]
    private final float[] queries; // [dim][batch]
    private final float[] sums; // [8][dimTiles * 32]
    private final float[] totals = new float[Packed.group()];
    private final float[] scratch = new float[Elementwise.SCRATCH];
    private float[] scores = new float[0]; // [8][chunks * 16]
    private float[] weights = new float[0]; // [chunks * 16][batch]

    Worker(int dim, int dimTiles) {
      heads = new float[dim * Packed.group()];
      queries = new float[dim * Packed.group()];
      sums = new float[Packed.group() * dimTiles * Tiles.ROWS];
    }
  }

  /** One layer's attention over the step's tokens. */
  void run(Step step, int index, CpuWeights.Layer layer, float[] qkv, Packed out) {
    int heads = config.kvHeads();
    Call call = new Call(step, index, layer, qkv, layer.qkv().rows(), out);
    if (step.single()) {
      pool.run(
          step.tokens() * heads,
          1,
          (from, to, worker) -> {
            for (int u = from; u < to; u++) {
              write(call, u / heads, u % heads, workers[worker]);
              attend(call, u / heads, u % heads, workers[worker]);
            }
          });
      return;
    }
    int groups = (step.tokens() + Packed.group() - 1) / Packed.group();
    pool.run(
        groups,
        Math.max(2, pool.grain(groups)),
        (from, to, worker) -> {
          for (int u = from * heads; u < to * heads; u++) {
            writeGroup(call, u / heads * Packed.group(), u % heads, workers[worker]);
          }
        });
    // The last pieces of a prompt see the most keys; they go first, so that no worker ends late.
    int pieces = step.pieces();
    pool.run(
        pieces * heads,
        1,
        (from, to, worker) -> {
          for (int u = from; u < to; u++) {
            attend(call, pieces - 1 - u / heads, u % heads, workers[worker]);
          }
        });
  }

  @SuppressWarnings("ArrayRecordComponent") // Never compared; lives for one call.
  private record Call(
      Step step, int layer, CpuWeights.Layer weights, float[] qkv, int ldq, Packed out) {}

  /** Norms and turns the key of a token and writes key and value. */
  private void write(Call call, int token, int head, Worker own) {
    int slot = key(call, token, head, own.heads, 0);
    int block = block(call, token);
    cache.writeKey(call.layer, block, head, slot, own.heads);
    cache.writeValue(call.layer, block, head, slot, call.qkv, value(call, token, head));
  }

  /** The same for 8 tokens, or as many as there are. */
  private void writeGroup(Call call, int first, int head, Worker own) {
    int count = Math.min(Packed.group(), call.step.tokens() - first);
    int slot = call.step.position(first) % cache.blockSize();
    if (count < 8 || !cache.together(slot) || !call.step.together(first, first + 7)) {
      for (int t = first; t < first + count; t++) {
        write(call, t, head, own);
      }
      return;
    }
    for (int r = 0; r < 8; r++) {
      key(call, first + r, head, own.heads, r * dim);
    }
    transpose(own.heads, dim, dim, 8, own.queries);
    int block = block(call, first);
    cache.writeKeys(call.layer, block, head, slot, own.queries);
    for (int r = 0; r < 8; r++) {
      int from = value(call, first + r, head);
      cache.writeValue(call.layer, block, head, slot + r, call.qkv, from);
    }
  }

  /** Copies a token's key, normed and turned; tells its slot. */
  private int key(Call call, int token, int head, float[] to, int at) {
    int row = token * call.ldq + (config.heads() + head) * dim;
    System.arraycopy(call.qkv, row, to, at, dim);
    int position = call.step.position(token);
    turn(to, at, call.weights.keyNorm(), position);
    return position % cache.blockSize();
  }

  private int block(Call call, int token) {
    int index = call.step.position(token) / cache.blockSize();
    return call.step.owner(token).blocks().get(index);
  }

  private int value(Call call, int token, int head) {
    return token * call.ldq + (config.heads() + config.kvHeads() + head) * dim;
  }

  private void turn(float[] head, int at, float @Nullable [] norm, int position) {
    if (norm != null) {
      float inverse = Elementwise.inverseRms(head, at, dim, config.normEps());
      Elementwise.norm(head, at, dim, inverse, norm, head, at);
    }
    rope.rotate(head, at, position);
  }

  /**
   * All queries of a piece that share a key head, in groups of 8 rows: head by head, token by
   * token, so that the results of 8 tokens lie side by side where they go.
   */
  private void attend(Call call, int piece, int head, Worker own) {
    int first = call.step.pieceFirst(piece);
    int length = call.step.pieceLength(piece);
    int rows = length * share;
    for (int row = 0; row < rows; row += Packed.group()) {
      int count = Math.min(Packed.group(), rows - row);
      int batch = count > 4 ? 8 : count > 1 ? 4 : 1;
      Rows group = new Rows(first, length, head * share, row, count, batch);
      pack(call, group, own);
      int last = call.step.position(first) + group.furthest();
      scores(call, group, last, own);
      weigh(call, group, last, own);
      sum(call, group, last, own);
      unpack(call, group, own);
    }
  }

  private record Rows(int firstToken, int tokens, int query, int first, int count, int batch) {
    /** Which token of the piece a row is of. */
    int token(int row) {
      return (first + row) % tokens;
    }

    /** Which of all heads. */
    int head(int row) {
      return query + (first + row) / tokens;
    }

    /** The last token of the piece among the rows. */
    int furthest() {
      return first % tokens + count >= tokens ? tokens - 1 : token(count - 1);
    }
  }

  private void pack(Call call, Rows group, Worker own) {
    for (int r = 0; r < group.batch; r++) {
      int at = r * dim;
      if (r >= group.count) {
        Arrays.fill(own.heads, at, at + dim, 0);
      } else {
        int token = group.firstToken + group.token(r);
        System.arraycopy(call.qkv, token * call.ldq + group.head(r) * dim, own.heads, at, dim);
        turn(own.heads, at, call.weights.queryNorm(), call.step.position(token));
      }
    }
    Elementwise.scale(own.heads, 0, group.batch * dim, scale);
    transpose(own.heads, dim, dim, group.batch, own.queries);
  }

  /** Rows, ld apart, column by column. */
  private static void transpose(float[] rows, int ld, int n, int batch, float[] to) {
    if (batch == 8) {
      Elementwise.interleave(rows, 0, ld, n, to, 0);
      return;
    }
    for (int r = 0; r < batch; r++) {
      for (int i = 0; i < n; i++) {
        to[i * batch + r] = rows[r * ld + i];
      }
    }
  }

  private long keys(Call call, Batch.Item item, int head, int chunk) {
    int position = chunk * cache.span();
    int block = item.blocks().get(position / cache.blockSize());
    return cache.keys(call.layer, block, head, position % cache.blockSize() / cache.span());
  }

  private void scores(Call call, Rows group, int last, Worker own) {
    int chunks = last / cache.span() + 1;
    int width = (chunks + 1) * KvCache.CHUNK;
    own.scores = Elementwise.room(own.scores, width * Packed.group());
    Batch.Item item = call.step.owner(group.firstToken);
    TileKernel.Keys kernel = kernels.keys()[Kernels.index(group.batch)];
    for (int c = 0; c < chunks; c += 2) {
      long first = keys(call, item, group.query / share, c);
      long second = c + 1 < chunks ? keys(call, item, group.query / share, c + 1) : first;
      kernel.run(first, second, own.queries, 0, own.scores, c * KvCache.CHUNK, width, dim);
    }
  }

  /** Softmax of each row over its own positions; what lies beyond them weighs 0. */
  private void weigh(Call call, Rows group, int last, Worker own) {
    int chunks = last / cache.span() + 1;
    int width = (chunks + 1) * KvCache.CHUNK;
    int length = chunks * KvCache.CHUNK;
    int batch = group.batch;
    own.weights = Elementwise.room(own.weights, length * batch);
    for (int r = 0; r < group.count; r++) {
      int position = call.step.position(group.firstToken + group.token(r));
      mask(own.scores, r * width, position, chunks);
      if (batch < 8) {
        own.totals[r] = Elementwise.softmaxWeights(own.scores, r * width, length);
      }
    }
    transpose(own.scores, width, length, batch, own.weights);
    if (batch == 8) {
      Elementwise.softmaxWeights8(own.weights, length, own.scratch, own.totals);
    }
  }

  /** No query sees what is beyond its own position. */
  private void mask(float[] scores, int row, int position, int chunks) {
    int span = cache.span();
    for (int c = span == KvCache.CHUNK ? position / span : 0; c < chunks; c++) {
      int valid = Math.clamp(position + 1 - c * span, 0, span);
      int at = row + c * KvCache.CHUNK;
      Elementwise.mask(scores, at + valid, at + KvCache.CHUNK);
    }
  }

  private void sum(Call call, Rows group, int last, Worker own) {
    int span = cache.span();
    int width = dimTiles * Tiles.ROWS;
    Arrays.fill(own.sums, 0, group.batch * width, 0);
    Batch.Item item = call.step.owner(group.firstToken);
    TileKernel.Values kernel = kernels.values()[Kernels.index(group.batch)];
    for (int c = 0; c <= last / span; c++) {
      int position = c * span;
      int block = item.blocks().get(position / cache.blockSize());
      long at =
          cache.values(call.layer, block, group.query / share, position % cache.blockSize() / span);
      // Not beyond the last position: what lies there is another sequence's or none's.
      int valid = Math.min(span, last + 1 - position);
      for (int tile = 0; tile < dimTiles; tile++) {
        kernel.run(
            at + tile * (KvCache.CHUNK * Tiles.ROWS * 4L),
            own.weights,
            c * KvCache.CHUNK * group.batch,
            own.sums,
            tile * Tiles.ROWS,
            width,
            valid);
      }
    }
  }

  private void unpack(Call call, Rows group, Worker own) {
    float[] data = call.out.data();
    int width = dimTiles * Tiles.ROWS;
    for (int r = 0; r < group.count; r++) {
      Elementwise.scale(own.sums, r * width, dim, 1 / own.totals[r]);
    }
    int first = group.firstToken + group.token(0);
    if (group.count == 8
        && group.head(0) == group.head(7)
        && first % Packed.group() == 0
        && call.out.stride(first) == 8) {
      int at = call.out.start(first) + group.head(0) * dim * 8;
      Elementwise.interleave(own.sums, 0, width, dim, data, at);
      return;
    }
    for (int r = 0; r < group.count; r++) {
      int token = group.firstToken + group.token(r);
      int stride = call.out.stride(token);
      int at = call.out.start(token) + group.head(r) * dim * stride;
      for (int d = 0; d < dim; d++) {
        data[at + d * stride] = own.sums[r * width + d];
      }
    }
  }
}
