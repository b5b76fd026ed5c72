package dev.flotilla.executor.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.SourceText;
import dev.flotilla.model.DType;
import dev.flotilla.model.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TileKernelTest {
  private static final Path BASE = Path.of(System.getProperty("flotilla.basedir", "."));

  private final RandomGenerator random = RandomGenerator.of("L64X128MixRandom");

  private Tensor tensor(DType dtype, int rows, int cols) {
    MemorySegment data = Arena.ofAuto().allocate((long) rows * cols * dtype.bytes());
    for (long i = 0; i < (long) rows * cols; i++) {
      float value = random.nextFloat() - 0.5f;
      switch (dtype) {
        case F32 -> data.set(ValueLayout.JAVA_FLOAT_UNALIGNED, i * 4, value);
        case F16 -> data.set(ValueLayout.JAVA_SHORT_UNALIGNED, i * 2, Float.floatToFloat16(value));
        case BF16 ->
            data.set(
                ValueLayout.JAVA_SHORT_UNALIGNED,
                i * 2,
                (short) (Float.floatToRawIntBits(value) >>> 16));
      }
    }
    return new Tensor("random", dtype, List.of(rows, cols), data);
  }

  private static Packed pack(float[][] rows, int cols) {
    Packed packed = new Packed().reset(rows.length, cols);
    for (int t = 0; t < rows.length; t++) {
      for (int k = 0; k < cols; k++) {
        packed.data()[packed.start(t) + k * packed.stride(t)] = rows[t][k];
      }
    }
    return packed;
  }

  private float[][] activations(int tokens, int cols) {
    float[][] rows = new float[tokens][cols];
    for (float[] row : rows) {
      for (int k = 0; k < cols; k++) {
        row[k] = random.nextFloat() - 0.5f;
      }
    }
    return rows;
  }

  private static float[] product(Kernels kernels, Tiles tiles, Packed x) {
    ComputePool pool = new ComputePool(1);
    float[] y = new float[Linear.resultLength(x.tokens(), tiles.rows())];
    try (Linear linear = new Linear(pool, kernels)) {
      pool.hold(() -> linear.multiply(tiles, x, y));
    }
    return y;
  }

  @ParameterizedTest
  @ValueSource(ints = {512, 256, 128, 0})
  void multipliesOddShapesExactlyInOrder(int bits) {
    Kernels kernels = Kernels.of(bits);
    for (DType dtype : DType.values()) {
      for (int[] shape : new int[][] {{1, 1}, {31, 7}, {33, 65}, {96, 40}, {130, 3}}) {
        Tensor weights = tensor(dtype, shape[0], shape[1]);
        Tiles.Plan plan = Tiles.Plan.stacked(weights);
        try (NativeBlock memory = NativeBlock.allocate(plan.bytes(), "a test")) {
          Tiles tiles = new Tiles(plan.format(), plan.tiles(), plan.cols(), memory.address());
          plan.write(tiles, 0, tiles.tiles());
          for (int tokens : new int[] {1, 2, 3, 4, 5, 7, 8, 9, 17, 29}) {
            float[][] x = activations(tokens, shape[1]);
            float[] y = product(kernels, tiles, pack(x, shape[1]));
            compare(weights, x, y, tiles.rows());
          }
        }
      }
    }
  }

  private static void compare(Tensor weights, float[][] x, float[] y, int ldy) {
    int rows = weights.shape().get(0);
    int cols = weights.shape().get(1);
    for (int t = 0; t < x.length; t++) {
      for (int r = 0; r < ldy; r++) {
        float sum = 0;
        for (int k = 0; r < rows && k < cols; k++) {
          sum = Math.fma(weights.get((long) r * cols + k), x[t][k], sum);
        }
        assertEquals(sum, y[t * ldy + r], "row " + r + " of token " + t);
      }
    }
  }

  @Test
  void plainLoopsGiveEveryPlaceToTheTestedKernels() {
    Kernels used = Kernels.of(0);
    Kernels tested = Kernels.of(128);
    used.adopt(tested);
    for (Format format : Format.values()) {
      assertArrayEquals(tested.tiles(format), used.tiles(format));
    }
    assertArrayEquals(tested.keys(), used.keys());
    assertArrayEquals(tested.values(), used.values());
    assertArrayEquals(tested.widenBatch8(), used.widenBatch8());
  }

  @Test
  void everyWidthAndFormatPassesTheSelfTestsComparison() {
    for (int bits : KernelSources.WIDTHS) {
      List<String> warnings = new ArrayList<>();
      SelfTest.test(Kernels.of(bits), TimeUnit.MILLISECONDS.toNanos(300), warnings::add);
      assertTrue(
          warnings.stream().noneMatch(w -> w.contains("something else")), warnings::toString);
    }
  }

  @Test
  void replacesAWrongAndASlowKernelAndSaysSo() {
    Kernels kernels = Kernels.of(Kernels.preferredBits());
    TileKernel right = kernels.tile(Format.BF16, 8);
    kernels.tiles(Format.BF16)[2] =
        (w, step, x, xo, y, yo, ldy, k) -> {
          right.run(w, step, x, xo, y, yo, ldy, k);
          y[yo] += 1;
        };
    kernels.tiles(Format.F32)[1] = PlainKernels.tile(Format.F32, 4, 1);
    List<String> warnings = new ArrayList<>();
    SelfTest.test(kernels, TimeUnit.SECONDS.toNanos(2), warnings::add);
    assertTrue(
        warnings.stream().anyMatch(w -> w.startsWith("kernel BF16 batch 8") && w.contains("else")),
        warnings::toString);
    assertTrue(
        warnings.stream().anyMatch(w -> w.startsWith("kernel F32 batch 4") && w.contains("speed")),
        warnings::toString);
    float[][] x = activations(8, 40);
    Tensor weights = tensor(DType.BF16, 32, 40);
    Tiles.Plan plan = Tiles.Plan.stacked(weights);
    try (NativeBlock memory = NativeBlock.allocate(plan.bytes(), "a test")) {
      Tiles tiles = new Tiles(plan.format(), plan.tiles(), plan.cols(), memory.address());
      plan.write(tiles, 0, tiles.tiles());
      assertArrayEquals(
          product(Kernels.of(0), tiles, pack(x, 40)), product(kernels, tiles, pack(x, 40)));
    }
  }

  @Test
  void committedKernelsAreWhatTheGeneratorWrites() throws Exception {
    for (int bits : KernelSources.WIDTHS) {
      String committed = Files.readString(BASE.resolve(KernelSources.file(bits)));
      assertEquals(SourceText.formatted(KernelSources.source(bits)), committed);
    }
  }
}
