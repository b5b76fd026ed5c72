package dev.flotilla.executor.cpu.generated;

import dev.flotilla.executor.cpu.RawMemory;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** Tile kernels of 256-bit vectors. Written by KernelSources, do not edit. */
public final class TileKernels256 {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_256;
  private static final VectorSpecies<Integer> I = IntVector.SPECIES_256;
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final MemorySegment ALL = RawMemory.ALL;

  private TileKernels256() {}

  /** bf16, 1 token(s), 1 tile(s) of 32 rows. */
  public static void bf16Batch1(
      long w, long tileBytes, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    for (int part = 0; part < 2; part++) {
      for (int b = 0; b < 1; b += 1) {
        long w0 = w + 0 * tileBytes + part * 32L;
        FloatVector a0_0 = FloatVector.zero(F);
        FloatVector a1_0 = FloatVector.zero(F);
        for (int i = 0; i < k; i++) {
          IntVector p0 = IntVector.fromMemorySegment(I, ALL, w0 + i * 64L, LE);
          FloatVector v0 = p0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
          FloatVector v1 = p0.and(0xffff0000).reinterpretAsFloats();
          int at = xo + i * 1 + b;
          FloatVector x0 = FloatVector.broadcast(F, x[at + 0]);
          a0_0 = v0.fma(x0, a0_0);
          a1_0 = v1.fma(x0, a1_0);
        }
        a0_0.intoArray(y, yo + (b + 0) * ldy + part * 8 + 0);
        a1_0.intoArray(y, yo + (b + 0) * ldy + part * 8 + 16);
      }
    }
  }

  /** bf16, 1 token(s), 2 tile(s) of 32 rows. */
  public static void bf16Batch1Tiles2(
      long w, long tileBytes, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    for (int part = 0; part < 2; part++) {
      for (int b = 0; b < 1; b += 1) {
        long w0 = w + 0 * tileBytes + part * 32L;
        long w1 = w + 1 * tileBytes + part * 32L;
        FloatVector a0_0 = FloatVector.zero(F);
        FloatVector a1_0 = FloatVector.zero(F);
        FloatVector a2_0 = FloatVector.zero(F);
        FloatVector a3_0 = FloatVector.zero(F);
        for (int i = 0; i < k; i++) {
          IntVector p0 = IntVector.fromMemorySegment(I, ALL, w0 + i * 64L, LE);
          FloatVector v0 = p0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
          FloatVector v1 = p0.and(0xffff0000).reinterpretAsFloats();
          IntVector p1 = IntVector.fromMemorySegment(I, ALL, w1 + i * 64L, LE);
          FloatVector v2 = p1.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
          FloatVector v3 = p1.and(0xffff0000).reinterpretAsFloats();
          int at = xo + i * 1 + b;
          FloatVector x0 = FloatVector.broadcast(F, x[at + 0]);
          a0_0 = v0.fma(x0, a0_0);
          a1_0 = v1.fma(x0, a1_0);
          a2_0 = v2.fma(x0, a2_0);
          a3_0 = v3.fma(x0, a3_0);
        }
        a0_0.intoArray(y, yo + (b + 0) * ldy + part * 8 + 0);
        a1_0.intoArray(y, yo + (b + 0) * ldy + part * 8 + 16);
        a2_0.intoArray(y, yo + (b + 0) * ldy + part * 8 + 32);
        a3_0.intoArray(y, yo + (b + 0) * ldy + part * 8 + 48);
      }
    }
  }

  /** bf16, 4 token(s), 1 tile(s) of 32 rows. */
  public static void bf16Batch4(
      long w, long tileBytes, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    for (int part = 0; part < 2; part++) {
      for (int b = 0; b < 4; b += 4) {
        long w0 = w + 0 * tileBytes + part * 32L;
        FloatVector a0_0 = FloatVector.zero(F);
        FloatVector a0_1 = FloatVector.zero(F);
        FloatVector a0_2 = FloatVector.zero(F);
        FloatVector a0_3 = FloatVector.zero(F);
        FloatVector a1_0 = FloatVector.zero(F);
        FloatVector a1_1 = FloatVector.zero(F);
        FloatVector a1_2 = FloatVector.zero(F);
        FloatVector a1_3 = FloatVector.zero(F);
        for (int i = 0; i < k; i++) {
          IntVector p0 = IntVector.fromMemorySegment(I, ALL, w0 + i * 64L, LE);
          FloatVector v0 = p0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
          FloatVector v1 = p0.and(0xffff0000).reinterpretAsFloats();
          int at = xo + i * 4 + b;
          FloatVector x0 = FloatVector.broadcast(F, x[at + 0]);
          a0_0 = v0.fma(x0, a0_0);
          a1_0 = v1.fma(x0, a1_0);
          FloatVector x1 = FloatVector.broadcast(F, x[at + 1]);
          a0_1 = v0.fma(x1, a0_1);
          a1_1 = v1.fma(x1, a1_1);
          FloatVector x2 = FloatVector.broadcast(F, x[at + 2]);
          a0_2 = v0.fma(x2, a0_2);
          a1_2 = v1.fma(x2, a1_2);
          FloatVector x3 = FloatVector.broadcast(F, x[at + 3]);
          a0_3 = v0.fma(x3, a0_3);
          a1_3 = v1.fma(x3, a1_3);
        }
        a0_0.intoArray(y, yo + (b + 0) * ldy + part * 8 + 0);
        a0_1.intoArray(y, yo + (b + 1) * ldy + part * 8 + 0);
        a0_2.intoArray(y, yo + (b + 2) * ldy + part * 8 + 0);
        a0_3.intoArray(y, yo + (b + 3) * ldy + part * 8 + 0);
        a1_0.intoArray(y, yo + (b + 0) * ldy + part * 8 + 16);
        a1_1.intoArray(y, yo + (b + 1) * ldy + part * 8 + 16);
        a1_2.intoArray(y, yo + (b + 2) * ldy + part * 8 + 16);
        a1_3.intoArray(y, yo + (b + 3) * ldy + part * 8 + 16);
      }
    }
  }

  /** bf16, 8 token(s), 1 tile(s) of 32 rows. */
  public static void bf16Batch8(
      long w, long tileBytes, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    for (int part = 0; part < 2; part++) {
      for (int b = 0; b < 8; b += 4) {
        long w0 = w + 0 * tileBytes + part * 32L;
        FloatVector a0_0 = FloatVector.zero(F);
        FloatVector a0_1 = FloatVector.zero(F);
        FloatVector a0_2 = FloatVector.zero(F);
        FloatVector a0_3 = FloatVector.zero(F);
        FloatVector a1_0 = FloatVector.zero(F);
        FloatVector a1_1 = FloatVector.zero(F);
        FloatVector a1_2 = FloatVector.zero(F);
        FloatVector a1_3 = FloatVector.zero(F);
        for (int i = 0; i < k; i++) {
          IntVector p0 = IntVector.fromMemorySegment(I, ALL, w0 + i * 64L, LE);
          FloatVector v0 = p0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
          FloatVector v1 = p0.and(0xffff0000).reinterpretAsFloats();
          int at = xo + i * 8 + b;
          FloatVector x0 = FloatVector.broadcast(F, x[at + 0]);
          a0_0 = v0.fma(x0, a0_0);
          a1_0 = v1.fma(x0, a1_0);
          FloatVector x1 = FloatVector.broadcast(F, x[at + 1]);
          a0_1 = v0.fma(x1, a0_1);
          a1_1 = v1.fma(x1, a1_1);
          FloatVector x2 = FloatVector.broadcast(F, x[at + 2]);
          a0_2 = v0.fma(x2, a0_2);
          a1_2 = v1.fma(x2, a1_2);
          FloatVector x3 = FloatVector.broadcast(F, x[at + 3]);
          a0_3 = v0.fma(x3, a0_3);
          a1_3 = v1.fma(x3, a1_3);
        }
        a0_0.intoArray(y, yo + (b + 0) * ldy + part * 8 + 0);
        a0_1.intoArray(y, yo + (b + 1) * ldy + part * 8 + 0);
        a0_2.intoArray(y, yo + (b + 2) * ldy + part * 8 + 0);
        a0_3.intoArray(y, yo + (b + 3) * ldy + part * 8 + 0);
        a1_0.intoArray(y, yo + (b + 0) * ldy + part * 8 + 16);
        a1_1.intoArray(y, yo + (b + 1) * ldy + part * 8 + 16);
        a1_2.intoArray(y, yo + (b + 2) * ldy + part * 8 + 16);
        a1_3.intoArray(y, yo + (b + 3) * ldy + part * 8 + 16);
      }
    }
  }

  /** f32, 1 token(s), 1 tile(s) of 32 rows. */
  public static void f32Batch1(
      long w, long tileBytes, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    for (int part = 0; part < 2; part++) {
      for (int b = 0; b < 1; b += 1) {
        long w0 = w + 0 * tileBytes + part * 64L;
        FloatVector a0_0 = FloatVector.zero(F);
        FloatVector a1_0 = FloatVector.zero(F);
        for (int i = 0; i < k; i++) {
          FloatVector v0 = FloatVector.fromMemorySegment(F, ALL, w0 + i * 128L + 0, LE);
          FloatVector v1 = FloatVector.fromMemorySegment(F, ALL, w0 + i * 128L + 32, LE);
          int at = xo + i * 1 + b;
          FloatVector x0 = FloatVector.broadcast(F, x[at + 0]);
          a0_0 = v0.fma(x0, a0_0);
          a1_0 = v1.fma(x0, a1_0);
        }
        a0_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 0);
        a1_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 8);
      }
    }
  }

  /** f32, 1 token(s), 2 tile(s) of 32 rows. */
  public static void f32Batch1Tiles2(
      long w, long tileBytes, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    for (int part = 0; part < 2; part++) {
      for (int b = 0; b < 1; b += 1) {
        long w0 = w + 0 * tileBytes + part * 64L;
        long w1 = w + 1 * tileBytes + part * 64L;
        FloatVector a0_0 = FloatVector.zero(F);
        FloatVector a1_0 = FloatVector.zero(F);
        FloatVector a2_0 = FloatVector.zero(F);
        FloatVector a3_0 = FloatVector.zero(F);
        for (int i = 0; i < k; i++) {
          FloatVector v0 = FloatVector.fromMemorySegment(F, ALL, w0 + i * 128L + 0, LE);
          FloatVector v1 = FloatVector.fromMemorySegment(F, ALL, w0 + i * 128L + 32, LE);
          FloatVector v2 = FloatVector.fromMemorySegment(F, ALL, w1 + i * 128L + 0, LE);
          FloatVector v3 = FloatVector.fromMemorySegment(F, ALL, w1 + i * 128L + 32, LE);
          int at = xo + i * 1 + b;
          FloatVector x0 = FloatVector.broadcast(F, x[at + 0]);
          a0_0 = v0.fma(x0, a0_0);
          a1_0 = v1.fma(x0, a1_0);
          a2_0 = v2.fma(x0, a2_0);
          a3_0 = v3.fma(x0, a3_0);
        }
        a0_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 0);
        a1_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 8);
        a2_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 32);
        a3_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 40);
      }
    }
  }

  /** f32, 4 token(s), 1 tile(s) of 32 rows. */
  public static void f32Batch4(
      long w, long tileBytes, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    for (int part = 0; part < 2; part++) {
      for (int b = 0; b < 4; b += 4) {
        long w0 = w + 0 * tileBytes + part * 64L;
        FloatVector a0_0 = FloatVector.zero(F);
        FloatVector a0_1 = FloatVector.zero(F);
        FloatVector a0_2 = FloatVector.zero(F);
        FloatVector a0_3 = FloatVector.zero(F);
        FloatVector a1_0 = FloatVector.zero(F);
        FloatVector a1_1 = FloatVector.zero(F);
        FloatVector a1_2 = FloatVector.zero(F);
        FloatVector a1_3 = FloatVector.zero(F);
        for (int i = 0; i < k; i++) {
          FloatVector v0 = FloatVector.fromMemorySegment(F, ALL, w0 + i * 128L + 0, LE);
          FloatVector v1 = FloatVector.fromMemorySegment(F, ALL, w0 + i * 128L + 32, LE);
          int at = xo + i * 4 + b;
          FloatVector x0 = FloatVector.broadcast(F, x[at + 0]);
          a0_0 = v0.fma(x0, a0_0);
          a1_0 = v1.fma(x0, a1_0);
          FloatVector x1 = FloatVector.broadcast(F, x[at + 1]);
          a0_1 = v0.fma(x1, a0_1);
          a1_1 = v1.fma(x1, a1_1);
          FloatVector x2 = FloatVector.broadcast(F, x[at + 2]);
          a0_2 = v0.fma(x2, a0_2);
          a1_2 = v1.fma(x2, a1_2);
          FloatVector x3 = FloatVector.broadcast(F, x[at + 3]);
          a0_3 = v0.fma(x3, a0_3);
          a1_3 = v1.fma(x3, a1_3);
        }
        a0_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 0);
        a0_1.intoArray(y, yo + (b + 1) * ldy + part * 16 + 0);
        a0_2.intoArray(y, yo + (b + 2) * ldy + part * 16 + 0);
        a0_3.intoArray(y, yo + (b + 3) * ldy + part * 16 + 0);
        a1_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 8);
        a1_1.intoArray(y, yo + (b + 1) * ldy + part * 16 + 8);
        a1_2.intoArray(y, yo + (b + 2) * ldy + part * 16 + 8);
        a1_3.intoArray(y, yo + (b + 3) * ldy + part * 16 + 8);
      }
    }
  }

  /** f32, 8 token(s), 1 tile(s) of 32 rows. */
  public static void f32Batch8(
      long w, long tileBytes, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    for (int part = 0; part < 2; part++) {
      for (int b = 0; b < 8; b += 4) {
        long w0 = w + 0 * tileBytes + part * 64L;
        FloatVector a0_0 = FloatVector.zero(F);
        FloatVector a0_1 = FloatVector.zero(F);
        FloatVector a0_2 = FloatVector.zero(F);
        FloatVector a0_3 = FloatVector.zero(F);
        FloatVector a1_0 = FloatVector.zero(F);
        FloatVector a1_1 = FloatVector.zero(F);
        FloatVector a1_2 = FloatVector.zero(F);
        FloatVector a1_3 = FloatVector.zero(F);
        for (int i = 0; i < k; i++) {
          FloatVector v0 = FloatVector.fromMemorySegment(F, ALL, w0 + i * 128L + 0, LE);
          FloatVector v1 = FloatVector.fromMemorySegment(F, ALL, w0 + i * 128L + 32, LE);
          int at = xo + i * 8 + b;
          FloatVector x0 = FloatVector.broadcast(F, x[at + 0]);
          a0_0 = v0.fma(x0, a0_0);
          a1_0 = v1.fma(x0, a1_0);
          FloatVector x1 = FloatVector.broadcast(F, x[at + 1]);
          a0_1 = v0.fma(x1, a0_1);
          a1_1 = v1.fma(x1, a1_1);
          FloatVector x2 = FloatVector.broadcast(F, x[at + 2]);
          a0_2 = v0.fma(x2, a0_2);
          a1_2 = v1.fma(x2, a1_2);
          FloatVector x3 = FloatVector.broadcast(F, x[at + 3]);
          a0_3 = v0.fma(x3, a0_3);
          a1_3 = v1.fma(x3, a1_3);
        }
        a0_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 0);
        a0_1.intoArray(y, yo + (b + 1) * ldy + part * 16 + 0);
        a0_2.intoArray(y, yo + (b + 2) * ldy + part * 16 + 0);
        a0_3.intoArray(y, yo + (b + 3) * ldy + part * 16 + 0);
        a1_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 8);
        a1_1.intoArray(y, yo + (b + 1) * ldy + part * 16 + 8);
        a1_2.intoArray(y, yo + (b + 2) * ldy + part * 16 + 8);
        a1_3.intoArray(y, yo + (b + 3) * ldy + part * 16 + 8);
      }
    }
  }

  /** Writes a bf16 tile of k columns as an f32 tile, exactly. */
  public static void widen(long from, long to, int k) {
    for (int part = 0; part < 2; part++) {
      for (int i = 0; i < k; i++) {
        IntVector p = IntVector.fromMemorySegment(I, ALL, from + part * 32L + i * 64L, LE);
        p.lanewise(VectorOperators.LSHL, 16).intoMemorySegment(ALL, to + part * 32L + i * 128L, LE);
        p.and(0xffff0000).intoMemorySegment(ALL, to + part * 32L + i * 128L + 64, LE);
      }
    }
  }

  /** Writes a bf16 tile as an f32 tile and multiplies it with 8 tokens. */
  public static void widenBatch8(
      long w, long panel, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    widen(w, panel, k);
    f32Batch8(panel, 0, x, xo, y, yo, ldy, k);
  }

  /** Products of 1 query(s) with the 16 keys at each of two addresses. */
  public static void keysBatch1(
      long first, long second, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    for (int part = 0; part < 2; part++) {
      for (int b = 0; b < 1; b += 1) {
        long w0 = first + part * 32L;
        long w1 = second + part * 32L;
        FloatVector a0_0 = FloatVector.zero(F);
        FloatVector a1_0 = FloatVector.zero(F);
        for (int i = 0; i < k; i++) {
          FloatVector v0 = FloatVector.fromMemorySegment(F, ALL, w0 + i * 64L, LE);
          FloatVector v1 = FloatVector.fromMemorySegment(F, ALL, w1 + i * 64L, LE);
          int at = xo + i * 1 + b;
          FloatVector x0 = FloatVector.broadcast(F, x[at + 0]);
          a0_0 = v0.fma(x0, a0_0);
          a1_0 = v1.fma(x0, a1_0);
        }
        a0_0.intoArray(y, yo + (b + 0) * ldy + part * 8 + 0);
        a1_0.intoArray(y, yo + (b + 0) * ldy + part * 8 + 16);
      }
    }
  }

  /** Adds k values of 32 dimensions, weighted for 1 query(s), to y. */
  public static void valuesBatch1(long w, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    for (int part = 0; part < 2; part++) {
      for (int b = 0; b < 1; b += 1) {
        long w0 = w + part * 64L;
        FloatVector a0_0 = FloatVector.fromArray(F, y, yo + (b + 0) * ldy + part * 16 + 0);
        FloatVector a1_0 = FloatVector.fromArray(F, y, yo + (b + 0) * ldy + part * 16 + 8);
        for (int i = 0; i < k; i++) {
          FloatVector v0 = FloatVector.fromMemorySegment(F, ALL, w0 + i * 128L + 0, LE);
          FloatVector v1 = FloatVector.fromMemorySegment(F, ALL, w0 + i * 128L + 32, LE);
          int at = xo + i * 1 + b;
          FloatVector x0 = FloatVector.broadcast(F, x[at + 0]);
          a0_0 = v0.fma(x0, a0_0);
          a1_0 = v1.fma(x0, a1_0);
        }
        a0_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 0);
        a1_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 8);
      }
    }
  }

  /** Products of 4 query(s) with the 16 keys at each of two addresses. */
  public static void keysBatch4(
      long first, long second, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    for (int part = 0; part < 2; part++) {
      for (int b = 0; b < 4; b += 4) {
        long w0 = first + part * 32L;
        long w1 = second + part * 32L;
        FloatVector a0_0 = FloatVector.zero(F);
        FloatVector a0_1 = FloatVector.zero(F);
        FloatVector a0_2 = FloatVector.zero(F);
        FloatVector a0_3 = FloatVector.zero(F);
        FloatVector a1_0 = FloatVector.zero(F);
        FloatVector a1_1 = FloatVector.zero(F);
        FloatVector a1_2 = FloatVector.zero(F);
        FloatVector a1_3 = FloatVector.zero(F);
        for (int i = 0; i < k; i++) {
          FloatVector v0 = FloatVector.fromMemorySegment(F, ALL, w0 + i * 64L, LE);
          FloatVector v1 = FloatVector.fromMemorySegment(F, ALL, w1 + i * 64L, LE);
          int at = xo + i * 4 + b;
          FloatVector x0 = FloatVector.broadcast(F, x[at + 0]);
          a0_0 = v0.fma(x0, a0_0);
          a1_0 = v1.fma(x0, a1_0);
          FloatVector x1 = FloatVector.broadcast(F, x[at + 1]);
          a0_1 = v0.fma(x1, a0_1);
          a1_1 = v1.fma(x1, a1_1);
          FloatVector x2 = FloatVector.broadcast(F, x[at + 2]);
          a0_2 = v0.fma(x2, a0_2);
          a1_2 = v1.fma(x2, a1_2);
          FloatVector x3 = FloatVector.broadcast(F, x[at + 3]);
          a0_3 = v0.fma(x3, a0_3);
          a1_3 = v1.fma(x3, a1_3);
        }
        a0_0.intoArray(y, yo + (b + 0) * ldy + part * 8 + 0);
        a0_1.intoArray(y, yo + (b + 1) * ldy + part * 8 + 0);
        a0_2.intoArray(y, yo + (b + 2) * ldy + part * 8 + 0);
        a0_3.intoArray(y, yo + (b + 3) * ldy + part * 8 + 0);
        a1_0.intoArray(y, yo + (b + 0) * ldy + part * 8 + 16);
        a1_1.intoArray(y, yo + (b + 1) * ldy + part * 8 + 16);
        a1_2.intoArray(y, yo + (b + 2) * ldy + part * 8 + 16);
        a1_3.intoArray(y, yo + (b + 3) * ldy + part * 8 + 16);
      }
    }
  }

  /** Adds k values of 32 dimensions, weighted for 4 query(s), to y. */
  public static void valuesBatch4(long w, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    for (int part = 0; part < 2; part++) {
      for (int b = 0; b < 4; b += 4) {
        long w0 = w + part * 64L;
        FloatVector a0_0 = FloatVector.fromArray(F, y, yo + (b + 0) * ldy + part * 16 + 0);
        FloatVector a0_1 = FloatVector.fromArray(F, y, yo + (b + 1) * ldy + part * 16 + 0);
        FloatVector a0_2 = FloatVector.fromArray(F, y, yo + (b + 2) * ldy + part * 16 + 0);
        FloatVector a0_3 = FloatVector.fromArray(F, y, yo + (b + 3) * ldy + part * 16 + 0);
        FloatVector a1_0 = FloatVector.fromArray(F, y, yo + (b + 0) * ldy + part * 16 + 8);
        FloatVector a1_1 = FloatVector.fromArray(F, y, yo + (b + 1) * ldy + part * 16 + 8);
        FloatVector a1_2 = FloatVector.fromArray(F, y, yo + (b + 2) * ldy + part * 16 + 8);
        FloatVector a1_3 = FloatVector.fromArray(F, y, yo + (b + 3) * ldy + part * 16 + 8);
        for (int i = 0; i < k; i++) {
          FloatVector v0 = FloatVector.fromMemorySegment(F, ALL, w0 + i * 128L + 0, LE);
          FloatVector v1 = FloatVector.fromMemorySegment(F, ALL, w0 + i * 128L + 32, LE);
          int at = xo + i * 4 + b;
          FloatVector x0 = FloatVector.broadcast(F, x[at + 0]);
          a0_0 = v0.fma(x0, a0_0);
          a1_0 = v1.fma(x0, a1_0);
          FloatVector x1 = FloatVector.broadcast(F, x[at + 1]);
          a0_1 = v0.fma(x1, a0_1);
          a1_1 = v1.fma(x1, a1_1);
          FloatVector x2 = FloatVector.broadcast(F, x[at + 2]);
          a0_2 = v0.fma(x2, a0_2);
          a1_2 = v1.fma(x2, a1_2);
          FloatVector x3 = FloatVector.broadcast(F, x[at + 3]);
          a0_3 = v0.fma(x3, a0_3);
          a1_3 = v1.fma(x3, a1_3);
        }
        a0_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 0);
        a0_1.intoArray(y, yo + (b + 1) * ldy + part * 16 + 0);
        a0_2.intoArray(y, yo + (b + 2) * ldy + part * 16 + 0);
        a0_3.intoArray(y, yo + (b + 3) * ldy + part * 16 + 0);
        a1_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 8);
        a1_1.intoArray(y, yo + (b + 1) * ldy + part * 16 + 8);
        a1_2.intoArray(y, yo + (b + 2) * ldy + part * 16 + 8);
        a1_3.intoArray(y, yo + (b + 3) * ldy + part * 16 + 8);
      }
    }
  }

  /** Products of 8 query(s) with the 16 keys at each of two addresses. */
  public static void keysBatch8(
      long first, long second, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    for (int part = 0; part < 2; part++) {
      for (int b = 0; b < 8; b += 4) {
        long w0 = first + part * 32L;
        long w1 = second + part * 32L;
        FloatVector a0_0 = FloatVector.zero(F);
        FloatVector a0_1 = FloatVector.zero(F);
        FloatVector a0_2 = FloatVector.zero(F);
        FloatVector a0_3 = FloatVector.zero(F);
        FloatVector a1_0 = FloatVector.zero(F);
        FloatVector a1_1 = FloatVector.zero(F);
        FloatVector a1_2 = FloatVector.zero(F);
        FloatVector a1_3 = FloatVector.zero(F);
        for (int i = 0; i < k; i++) {
          FloatVector v0 = FloatVector.fromMemorySegment(F, ALL, w0 + i * 64L, LE);
          FloatVector v1 = FloatVector.fromMemorySegment(F, ALL, w1 + i * 64L, LE);
          int at = xo + i * 8 + b;
          FloatVector x0 = FloatVector.broadcast(F, x[at + 0]);
          a0_0 = v0.fma(x0, a0_0);
          a1_0 = v1.fma(x0, a1_0);
          FloatVector x1 = FloatVector.broadcast(F, x[at + 1]);
          a0_1 = v0.fma(x1, a0_1);
          a1_1 = v1.fma(x1, a1_1);
          FloatVector x2 = FloatVector.broadcast(F, x[at + 2]);
          a0_2 = v0.fma(x2, a0_2);
          a1_2 = v1.fma(x2, a1_2);
          FloatVector x3 = FloatVector.broadcast(F, x[at + 3]);
          a0_3 = v0.fma(x3, a0_3);
          a1_3 = v1.fma(x3, a1_3);
        }
        a0_0.intoArray(y, yo + (b + 0) * ldy + part * 8 + 0);
        a0_1.intoArray(y, yo + (b + 1) * ldy + part * 8 + 0);
        a0_2.intoArray(y, yo + (b + 2) * ldy + part * 8 + 0);
        a0_3.intoArray(y, yo + (b + 3) * ldy + part * 8 + 0);
        a1_0.intoArray(y, yo + (b + 0) * ldy + part * 8 + 16);
        a1_1.intoArray(y, yo + (b + 1) * ldy + part * 8 + 16);
        a1_2.intoArray(y, yo + (b + 2) * ldy + part * 8 + 16);
        a1_3.intoArray(y, yo + (b + 3) * ldy + part * 8 + 16);
      }
    }
  }

  /** Adds k values of 32 dimensions, weighted for 8 query(s), to y. */
  public static void valuesBatch8(long w, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    for (int part = 0; part < 2; part++) {
      for (int b = 0; b < 8; b += 4) {
        long w0 = w + part * 64L;
        FloatVector a0_0 = FloatVector.fromArray(F, y, yo + (b + 0) * ldy + part * 16 + 0);
        FloatVector a0_1 = FloatVector.fromArray(F, y, yo + (b + 1) * ldy + part * 16 + 0);
        FloatVector a0_2 = FloatVector.fromArray(F, y, yo + (b + 2) * ldy + part * 16 + 0);
        FloatVector a0_3 = FloatVector.fromArray(F, y, yo + (b + 3) * ldy + part * 16 + 0);
        FloatVector a1_0 = FloatVector.fromArray(F, y, yo + (b + 0) * ldy + part * 16 + 8);
        FloatVector a1_1 = FloatVector.fromArray(F, y, yo + (b + 1) * ldy + part * 16 + 8);
        FloatVector a1_2 = FloatVector.fromArray(F, y, yo + (b + 2) * ldy + part * 16 + 8);
        FloatVector a1_3 = FloatVector.fromArray(F, y, yo + (b + 3) * ldy + part * 16 + 8);
        for (int i = 0; i < k; i++) {
          FloatVector v0 = FloatVector.fromMemorySegment(F, ALL, w0 + i * 128L + 0, LE);
          FloatVector v1 = FloatVector.fromMemorySegment(F, ALL, w0 + i * 128L + 32, LE);
          int at = xo + i * 8 + b;
          FloatVector x0 = FloatVector.broadcast(F, x[at + 0]);
          a0_0 = v0.fma(x0, a0_0);
          a1_0 = v1.fma(x0, a1_0);
          FloatVector x1 = FloatVector.broadcast(F, x[at + 1]);
          a0_1 = v0.fma(x1, a0_1);
          a1_1 = v1.fma(x1, a1_1);
          FloatVector x2 = FloatVector.broadcast(F, x[at + 2]);
          a0_2 = v0.fma(x2, a0_2);
          a1_2 = v1.fma(x2, a1_2);
          FloatVector x3 = FloatVector.broadcast(F, x[at + 3]);
          a0_3 = v0.fma(x3, a0_3);
          a1_3 = v1.fma(x3, a1_3);
        }
        a0_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 0);
        a0_1.intoArray(y, yo + (b + 1) * ldy + part * 16 + 0);
        a0_2.intoArray(y, yo + (b + 2) * ldy + part * 16 + 0);
        a0_3.intoArray(y, yo + (b + 3) * ldy + part * 16 + 0);
        a1_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 8);
        a1_1.intoArray(y, yo + (b + 1) * ldy + part * 16 + 8);
        a1_2.intoArray(y, yo + (b + 2) * ldy + part * 16 + 8);
        a1_3.intoArray(y, yo + (b + 3) * ldy + part * 16 + 8);
      }
    }
  }
}
