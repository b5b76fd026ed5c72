package dev.flotilla.executor.cpu;

import java.lang.foreign.ValueLayout;

/**
 * The kernels as plain loops: the control of the generated ones, whose bits they give, and what
 * runs in their place where those are too slow or wrong.
 */
final class PlainKernels {
  private PlainKernels() {}

  private static float bf16(long tile, int row, int k) {
    int pair = RawMemory.ALL.get(ValueLayout.JAVA_INT_UNALIGNED, tile + k * 64L + (row % 16) * 4L);
    return Float.intBitsToFloat(row < 16 ? pair << 16 : pair & 0xffff0000);
  }

  private static float f32(long tile, int row, int k) {
    return RawMemory.ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, tile + k * 128L + row * 4L);
  }

  /** Any batch and number of tiles. */
  static TileKernel tile(Format format, int batch, int tiles) {
    boolean half = format == Format.BF16;
    return (w, tileBytes, x, xo, y, yo, ldy, k) -> {
      for (int row = 0; row < 32 * tiles; row++) {
        long tile = w + row / 32 * tileBytes;
        for (int b = 0; b < batch; b++) {
          float sum = 0;
          for (int i = 0; i < k; i++) {
            float weight = half ? bf16(tile, row % 32, i) : f32(tile, row % 32, i);
            sum = Math.fma(weight, x[xo + i * batch + b], sum);
          }
          y[yo + b * ldy + row] = sum;
        }
      }
    };
  }

  /** Any batch. */
  static TileKernel.Keys keys(int batch) {
    return (first, second, x, xo, y, yo, ldy, k) -> {
      for (int token = 0; token < 32; token++) {
        long at = (token < 16 ? first : second) + token % 16 * 4L;
        for (int b = 0; b < batch; b++) {
          float sum = 0;
          for (int i = 0; i < k; i++) {
            float key = RawMemory.ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, at + i * 64L);
            sum = Math.fma(key, x[xo + i * batch + b], sum);
          }
          y[yo + b * ldy + token] = sum;
        }
      }
    };
  }

  /** Any batch. */
  static TileKernel.Values values(int batch) {
    return (w, x, xo, y, yo, ldy, k) -> {
      for (int dim = 0; dim < 32; dim++) {
        for (int b = 0; b < batch; b++) {
          float sum = y[yo + b * ldy + dim];
          for (int i = 0; i < k; i++) {
            sum = Math.fma(f32(w, dim, i), x[xo + i * batch + b], sum);
          }
          y[yo + b * ldy + dim] = sum;
        }
      }
    };
  }

  /** One after the other. */
  static void widenBatch8(
      long w, long panel, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    for (int i = 0; i < k; i++) {
      for (int row = 0; row < 32; row++) {
        RawMemory.ALL.set(
            ValueLayout.JAVA_FLOAT_UNALIGNED, panel + i * 128L + row * 4L, bf16(w, row, i));
      }
    }
    tile(Format.F32, 8, 1).run(panel, 0, x, xo, y, yo, ldy, k);
  }
}
