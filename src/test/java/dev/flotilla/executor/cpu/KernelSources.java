package dev.flotilla.executor.cpu;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Writes the kernel classes, one per vector width. Every kernel keeps one accumulator per output
 * and goes through k in ascending order with fused multiply-adds, so all of them give the same bits
 * for the same token; what differs is only how many outputs are computed side by side. Methods stay
 * below about 60 vector operations: beyond C2's inlining budget vectors are boxed.
 */
final class KernelSources {
  /** Widths in bits that are generated. */
  static final List<Integer> WIDTHS = List.of(512, 256, 128);

  /** Most accumulators of one loop; the registers of the width, less weights and activations. */
  private static int accumulators(int bits) {
    return bits == 512 ? 16 : 8;
  }

  private final int bits;
  private final StringBuilder out = new StringBuilder();

  private KernelSources(int bits) {
    this.bits = bits;
  }

  /** Where the class of a width lies below the project's folder. */
  static Path file(int bits) {
    return Path.of(
        "src/main/java/dev/flotilla/executor/cpu/generated/TileKernels" + bits + ".java");
  }

  /** The class of a width, not yet formatted. */
  static String source(int bits) {
    return new KernelSources(bits).all();
  }

  /** Rewrites the committed classes; format them afterwards. */
  public static void main(String[] args) throws IOException {
    for (int bits : WIDTHS) {
      Files.writeString(file(bits), source(bits));
    }
  }

  private String all() {
    line("package dev.flotilla.executor.cpu.generated;");
    line("import dev.flotilla.executor.cpu.RawMemory;");
    line("import java.lang.foreign.MemorySegment;");
    line("import java.nio.ByteOrder;");
    line("import jdk.incubator.vector.FloatVector;");
    line("import jdk.incubator.vector.IntVector;");
    line("import jdk.incubator.vector.VectorOperators;");
    line("import jdk.incubator.vector.VectorSpecies;");
    line("/** Tile kernels of %d-bit vectors. Written by KernelSources, do not edit. */", bits);
    line("public final class TileKernels%d {", bits);
    line("private static final VectorSpecies<Float> F = FloatVector.SPECIES_%d;", bits);
    line("private static final VectorSpecies<Integer> I = IntVector.SPECIES_%d;", bits);
    line("private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;");
    line("private static final MemorySegment ALL = RawMemory.ALL;");
    line("private TileKernels%d() {}", bits);
    for (String format : List.of("bf16", "f32")) {
      tile(format, 1, 1);
      tile(format, 1, 2);
      tile(format, 4, 1);
      tile(format, 8, 1);
    }
    widen();
    widenBatch8();
    for (int batch : new int[] {1, 4, 8}) {
      keys(batch);
      values(batch);
    }
    line("}");
    return out.toString();
  }

  /** Outputs of {@code tiles} tiles of 32 rows for {@code batch} tokens. */
  private void tile(String format, int batch, int tiles) {
    boolean half = format.equals("bf16");
    int lanes = bits / 32;
    int vectors = 2;
    int parts = 32 / lanes / vectors;
    int sub = Math.min(batch, Math.max(1, accumulators(bits) / (vectors * tiles)));
    line("/** %s, %d token(s), %d tile(s) of 32 rows. */", format, batch, tiles);
    line("public static void %sBatch%d%s(", format, batch, tiles == 1 ? "" : "Tiles" + tiles);
    line("long w, long tileBytes, float[] x, int xo, float[] y, int yo, int ldy, int k) {");
    line("for (int part = 0; part < %d; part++) {", parts);
    line("for (int b = 0; b < %d; b += %d) {", batch, sub);
    for (int t = 0; t < tiles; t++) {
      line(
          "long w%d = w + %d * tileBytes + part * %dL;",
          t, t, half ? lanes * 4 : lanes * 4 * vectors);
    }
    zeros(tiles * vectors, sub);
    line("for (int i = 0; i < k; i++) {");
    for (int t = 0; t < tiles; t++) {
      loadWeights(half, t, vectors, lanes);
    }
    line("int at = xo + i * %d + b;", batch);
    fmas(tiles * vectors, sub);
    line("}");
    for (int t = 0; t < tiles; t++) {
      for (int v = 0; v < vectors; v++) {
        for (int s = 0; s < sub; s++) {
          String row =
              half
                  ? "part * " + lanes + " + " + (t * 32 + v * 16)
                  : "part * " + lanes * vectors + " + " + (t * 32 + v * lanes);
          line("a%d_%d.intoArray(y, yo + (b + %d) * ldy + %s);", t * vectors + v, s, s, row);
        }
      }
    }
    line("}}}");
  }

  /** One bf16 tile as an f32 tile. */
  private void widen() {
    int lanes = bits / 32;
    line("/** Writes a bf16 tile of k columns as an f32 tile, exactly. */");
    line("public static void widen(long from, long to, int k) {");
    line("for (int part = 0; part < %d; part++) {", 16 / lanes);
    line("for (int i = 0; i < k; i++) {");
    line(
        "IntVector p = IntVector.fromMemorySegment(I, ALL, from + part * %dL + i * 64L, LE);",
        lanes * 4);
    line("p.lanewise(VectorOperators.LSHL, 16)");
    line(".intoMemorySegment(ALL, to + part * %dL + i * 128L, LE);", lanes * 4);
    line(
        "p.and(0xffff0000).intoMemorySegment(ALL, to + part * %dL + i * 128L + 64, LE);",
        lanes * 4);
    line("}}}");
  }

  /**
   * One bf16 tile as an f32 tile and its outputs for 8 tokens, so that the tile comes from memory
   * while there is something to compute. Widths whose registers do not hold 16 sums do one after
   * the other.
   */
  private void widenBatch8() {
    int lanes = bits / 32;
    line("/** Writes a bf16 tile as an f32 tile and multiplies it with 8 tokens. */");
    line("public static void widenBatch8(");
    line("long w, long panel, float[] x, int xo, float[] y, int yo, int ldy, int k) {");
    if (accumulators(bits) < 16) {
      line("widen(w, panel, k);");
      line("f32Batch8(panel, 0, x, xo, y, yo, ldy, k);");
      line("}");
      return;
    }
    zeros(2, 8);
    line("for (int i = 0; i < k; i++) {");
    line("IntVector p0 = IntVector.fromMemorySegment(I, ALL, w + i * 64L, LE);");
    for (int v = 0; v < 2; v++) {
      String half = v == 0 ? "p0.lanewise(VectorOperators.LSHL, 16)" : "p0.and(0xffff0000)";
      line("FloatVector v%d = %s.reinterpretAsFloats();", v, half);
      line("v%d.intoMemorySegment(ALL, panel + i * 128L + %d, LE);", v, v * lanes * 4);
    }
    line("int at = xo + i * 8;");
    fmas(2, 8);
    line("}");
    for (int v = 0; v < 2; v++) {
      for (int b = 0; b < 8; b++) {
        line("a%d_%d.intoArray(y, yo + %d * ldy + %d);", v, b, b, v * lanes);
      }
    }
    line("}");
  }

  private void loadWeights(boolean half, int t, int vectors, int lanes) {
    if (half) {
      line("IntVector p%d = IntVector.fromMemorySegment(I, ALL, w%d + i * 64L, LE);", t, t);
      line(
          "FloatVector v%d = p%d.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();",
          t * 2, t);
      line("FloatVector v%d = p%d.and(0xffff0000).reinterpretAsFloats();", t * 2 + 1, t);
      return;
    }
    for (int v = 0; v < vectors; v++) {
      line(
          "FloatVector v%d = FloatVector.fromMemorySegment(F, ALL, w%d + i * 128L + %d, LE);",
          t * vectors + v, t, v * lanes * 4);
    }
  }

  /** Scores of 2 x 16 keys, each [dim][16 tokens], for {@code batch} queries. */
  private void keys(int batch) {
    int lanes = bits / 32;
    int parts = 16 / lanes;
    int sub = Math.min(batch, accumulators(bits) / 2);
    line("/** Products of %d query(s) with the 16 keys at each of two addresses. */", batch);
    line("public static void keysBatch%d(", batch);
    line("long first, long second, float[] x, int xo, float[] y, int yo, int ldy, int k) {");
    line("for (int part = 0; part < %d; part++) {", parts);
    line("for (int b = 0; b < %d; b += %d) {", batch, sub);
    line("long w0 = first + part * %dL;", lanes * 4);
    line("long w1 = second + part * %dL;", lanes * 4);
    zeros(2, sub);
    line("for (int i = 0; i < k; i++) {");
    for (int t = 0; t < 2; t++) {
      line("FloatVector v%d = FloatVector.fromMemorySegment(F, ALL, w%d + i * 64L, LE);", t, t);
    }
    line("int at = xo + i * %d + b;", batch);
    fmas(2, sub);
    line("}");
    for (int t = 0; t < 2; t++) {
      for (int s = 0; s < sub; s++) {
        line("a%d_%d.intoArray(y, yo + (b + %d) * ldy + part * %d + %d);", t, s, s, lanes, t * 16);
      }
    }
    line("}}}");
  }

  /** Adds values [token][32 dims], weighted, to what y holds. */
  private void values(int batch) {
    int lanes = bits / 32;
    int parts = 32 / lanes / 2;
    int sub = Math.min(batch, accumulators(bits) / 2);
    line("/** Adds k values of 32 dimensions, weighted for %d query(s), to y. */", batch);
    line("public static void valuesBatch%d(", batch);
    line("long w, float[] x, int xo, float[] y, int yo, int ldy, int k) {");
    line("for (int part = 0; part < %d; part++) {", parts);
    line("for (int b = 0; b < %d; b += %d) {", batch, sub);
    line("long w0 = w + part * %dL;", lanes * 8);
    for (int v = 0; v < 2; v++) {
      for (int s = 0; s < sub; s++) {
        line(
            "FloatVector a%d_%d = FloatVector.fromArray(F, y, yo + (b + %d) * ldy + part * %d + %d);",
            v, s, s, lanes * 2, v * lanes);
      }
    }
    line("for (int i = 0; i < k; i++) {");
    loadWeights(false, 0, 2, lanes);
    line("int at = xo + i * %d + b;", batch);
    fmas(2, sub);
    line("}");
    for (int v = 0; v < 2; v++) {
      for (int s = 0; s < sub; s++) {
        line(
            "a%d_%d.intoArray(y, yo + (b + %d) * ldy + part * %d + %d);",
            v, s, s, lanes * 2, v * lanes);
      }
    }
    line("}}}");
  }

  private void zeros(int vectors, int batch) {
    for (int v = 0; v < vectors; v++) {
      for (int s = 0; s < batch; s++) {
        line("FloatVector a%d_%d = FloatVector.zero(F);", v, s);
      }
    }
  }

  private void fmas(int vectors, int batch) {
    for (int s = 0; s < batch; s++) {
      line("FloatVector x%d = FloatVector.broadcast(F, x[at + %d]);", s, s);
      for (int v = 0; v < vectors; v++) {
        line("a%d_%d = v%d.fma(x%d, a%d_%d);", v, s, v, s, v, s);
      }
    }
  }

  @FormatMethod
  private void line(@FormatString String format, Object... args) {
    out.append(format.formatted(args)).append('\n');
  }
}
