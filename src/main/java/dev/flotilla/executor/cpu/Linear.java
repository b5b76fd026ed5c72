package dev.flotilla.executor.cpu;

/** Multiplies tiles with packed activations, on the pool. */
final class Linear implements AutoCloseable {
  /** From so many groups on, converting a bf16 tile once costs less than in every kernel call. */
  private static final int WIDEN_GROUPS = 3;

  private final ComputePool pool;
  private final Kernels kernels;
  private final Worker[] workers;

  Linear(ComputePool pool, Kernels kernels) {
    this.pool = pool;
    this.kernels = kernels;
    this.workers = new Worker[pool.workers()];
    for (int i = 0; i < workers.length; i++) {
      workers[i] = new Worker();
    }
  }

  /** What one worker needs for itself. */
  private static final class Worker {
    private NativeBlock panel = NativeBlock.NONE;
    private final float[] gateUp = new float[2 * Packed.group() * Tiles.ROWS];
    private final float[] product = new float[Packed.group() * Tiles.ROWS];

    long panel(int cols) {
      long bytes = (long) cols * Format.F32.columnBytes() * 2;
      if (panel.bytes() < bytes) {
        panel.close();
        panel = NativeBlock.allocate(bytes, "a panel of weights");
      }
      return panel.address();
    }
  }

  /**
   * Computes {@code y[token * ldy + row]} for all rows and tokens; y has room for the tokens of
   * whole groups.
   */
  void multiply(Tiles w, Packed x, float[] y) {
    boolean single = x.tokens() == 1;
    int unit = single ? 2 : 1;
    int units = (w.tiles() + unit - 1) / unit;
    pool.run(
        units,
        grain(units, x),
        (from, to, worker) ->
            tiles(w, from * unit, Math.min(to * unit, w.tiles()), x, y, 0, w.rows(), worker));
  }

  /**
   * Units of a chunk. With many tokens a unit takes as long as many claims of one, and a worker
   * that ends early should not wait for more than one.
   */
  int grain(int units, Packed x) {
    return x.groups() >= WIDEN_GROUPS ? 1 : pool.grain(units);
  }

  /** Tiles {@code from} to {@code to - 1}, on the calling worker. */
  void tiles(Tiles w, int from, int to, Packed x, float[] y, int yo, int ldy, int worker) {
    boolean widen = w.format() == Format.BF16 && x.groups() >= WIDEN_GROUPS;
    int tile = from;
    while (tile < to) {
      int count = x.tokens() == 1 && tile + 1 < to ? 2 : 1;
      long at = w.tile(tile);
      Format format = w.format();
      int first = 0;
      if (widen) {
        long panel = workers[worker].panel(w.cols());
        int out = yo + tile * Tiles.ROWS;
        kernels.widenBatch8()[0].run(at, panel, x.data(), x.offset(0), y, out, ldy, w.cols());
        at = panel;
        format = Format.F32;
        first = 1;
      }
      long step = w.tileBytes();
      for (int g = first; g < x.groups(); g++) {
        TileKernel kernel = count == 2 ? kernels.pair(format) : kernels.tile(format, x.batch(g));
        int out = yo + g * Packed.group() * ldy + tile * Tiles.ROWS;
        kernel.run(at, step, x.data(), x.offset(g), y, out, ldy, w.cols());
      }
      tile += count;
    }
  }

  /** Gate and up rows of tile pairs, joined by SwiGLU, into {@code to}, packed. */
  void gateUp(Tiles w, int from, int to, Packed x, Packed target, int worker) {
    boolean widen = w.format() == Format.BF16 && x.groups() >= WIDEN_GROUPS;
    Worker own = workers[worker];
    Format format = widen ? Format.F32 : w.format();
    for (int pair = from; pair < to; pair++) {
      long gate = w.tile(2 * pair);
      long step = w.tileBytes();
      int first = 0;
      float[] y = own.gateUp;
      int ldy = 2 * Tiles.ROWS;
      if (widen) {
        long panel = own.panel(w.cols());
        TileKernel.WidenBatch8 kernel = kernels.widenBatch8()[0];
        long second = gate + step;
        step = (long) w.cols() * Format.F32.columnBytes();
        kernel.run(gate, panel, x.data(), x.offset(0), y, 0, ldy, w.cols());
        kernel.run(second, panel + step, x.data(), x.offset(0), y, Tiles.ROWS, ldy, w.cols());
        join(own, 8, pair, target, 0);
        gate = panel;
        first = 1;
      }
      for (int g = first; g < x.groups(); g++) {
        int batch = x.batch(g);
        if (batch == 1) {
          kernels.pair(format).run(gate, step, x.data(), x.offset(g), y, 0, ldy, w.cols());
        } else {
          TileKernel kernel = kernels.tile(format, batch);
          kernel.run(gate, step, x.data(), x.offset(g), y, 0, ldy, w.cols());
          kernel.run(gate + step, step, x.data(), x.offset(g), y, Tiles.ROWS, ldy, w.cols());
        }
        join(own, batch, pair, target, g);
      }
    }
  }

  private static void join(Worker own, int batch, int pair, Packed target, int group) {
    int width = Math.min(Tiles.ROWS, target.cols() - pair * Tiles.ROWS);
    int at = target.offset(group) + pair * Tiles.ROWS * batch;
    float[] data = target.data();
    float[] product = own.product;
    for (int b = 0; b < batch; b++) {
      int row = b * 2 * Tiles.ROWS;
      int to = b * Tiles.ROWS;
      Elementwise.swiglu(own.gateUp, row, own.gateUp, row + Tiles.ROWS, product, to, Tiles.ROWS);
    }
    if (batch == 8) {
      Elementwise.interleave(product, 0, Tiles.ROWS, width, data, at);
      return;
    }
    for (int b = 0; b < batch; b++) {
      for (int i = 0; i < width; i++) {
        data[at + i * batch + b] = product[b * Tiles.ROWS + i];
      }
    }
  }

  /** Floats of a row-major result for so many tokens, whole groups. */
  static int resultLength(int tokens, int width) {
    int groups = (tokens + Packed.group() - 1) / Packed.group();
    return Math.multiplyExact(groups * Packed.group(), width);
  }

  @Override
  public void close() {
    for (Worker worker : workers) {
      worker.panel.close();
    }
  }
}
