package dev.flotilla.executor.cpu.generated;

import dev.flotilla.executor.cpu.RawMemory;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** Tile kernels of 512-bit vectors. Written by KernelSources, do not edit. */
public final class TileKernels512 {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_512;
  private static final VectorSpecies<Integer> I = IntVector.SPECIES_512;
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final MemorySegment ALL = RawMemory.ALL;

  private TileKernels512() {}

  /** bf16, 1 token(s), 1 tile(s) of 32 rows. */
  public static void bf16Batch1(
      long w, long tileBytes, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    for (int part = 0; part < 1; part++) {
      for (int b = 0; b < 1; b += 1) {
        long w0 = w + 0 * tileBytes + part * 64L;
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
        a0_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 0);
        a1_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 16);
      }
    }
  }

  /** bf16, 1 token(s), 2 tile(s) of 32 rows. */
  public static void bf16Batch1Tiles2(
      long w, long tileBytes, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    for (int part = 0; part < 1; part++) {
      for (int b = 0; b < 1; b += 1) {
        long w0 = w + 0 * tileBytes + part * 64L;
        long w1 = w + 1 * tileBytes + part * 64L;
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
        a0_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 0);
        a1_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 16);
        a2_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 32);
        a3_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 48);
      }
    }
  }

  /** bf16, 4 token(s), 1 tile(s) of 32 rows. */
  public static void bf16Batch4(
      long w, long tileBytes, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    for (int part = 0; part < 1; part++) {
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
        a0_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 0);
        a0_1.intoArray(y, yo + (b + 1) * ldy + part * 16 + 0);
        a0_2.intoArray(y, yo + (b + 2) * ldy + part * 16 + 0);
        a0_3.intoArray(y, yo + (b + 3) * ldy + part * 16 + 0);
        a1_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 16);
        a1_1.intoArray(y, yo + (b + 1) * ldy + part * 16 + 16);
        a1_2.intoArray(y, yo + (b + 2) * ldy + part * 16 + 16);
        a1_3.intoArray(y, yo + (b + 3) * ldy + part * 16 + 16);
      }
    }
  }

  /** bf16, 8 token(s), 1 tile(s) of 32 rows. */
  public static void bf16Batch8(
      long w, long tileBytes, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    for (int part = 0; part < 1; part++) {
      for (int b = 0; b < 8; b += 8) {
        long w0 = w + 0 * tileBytes + part * 64L;
        FloatVector a0_0 = FloatVector.zero(F);
        FloatVector a0_1 = FloatVector.zero(F);
        FloatVector a0_2 = FloatVector.zero(F);
        FloatVector a0_3 = FloatVector.zero(F);
        FloatVector a0_4 = FloatVector.zero(F);
        FloatVector a0_5 = FloatVector.zero(F);
        FloatVector a0_6 = FloatVector.zero(F);
        FloatVector a0_7 = FloatVector.zero(F);
        FloatVector a1_0 = FloatVector.zero(F);
        FloatVector a1_1 = FloatVector.zero(F);
        FloatVector a1_2 = FloatVector.zero(F);
        FloatVector a1_3 = FloatVector.zero(F);
        FloatVector a1_4 = FloatVector.zero(F);
        FloatVector a1_5 = FloatVector.zero(F);
        FloatVector a1_6 = FloatVector.zero(F);
        FloatVector a1_7 = FloatVector.zero(F);
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
          FloatVector x4 = FloatVector.broadcast(F, x[at + 4]);
          a0_4 = v0.fma(x4, a0_4);
          a1_4 = v1.fma(x4, a1_4);
          FloatVector x5 = FloatVector.broadcast(F, x[at + 5]);
          a0_5 = v0.fma(x5, a0_5);
          a1_5 = v1.fma(x5, a1_5);
          FloatVector x6 = FloatVector.broadcast(F, x[at + 6]);
          a0_6 = v0.fma(x6, a0_6);
          a1_6 = v1.fma(x6, a1_6);
          FloatVector x7 = FloatVector.broadcast(F, x[at + 7]);
          a0_7 = v0.fma(x7, a0_7);
          a1_7 = v1.fma(x7, a1_7);
        }
        a0_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 0);
        a0_1.intoArray(y, yo + (b + 1) * ldy + part * 16 + 0);
        a0_2.intoArray(y, yo + (b + 2) * ldy + part * 16 + 0);
        a0_3.intoArray(y, yo + (b + 3) * ldy + part * 16 + 0);
        a0_4.intoArray(y, yo + (b + 4) * ldy + part * 16 + 0);
        a0_5.intoArray(y, yo + (b + 5) * ldy + part * 16 + 0);
        a0_6.intoArray(y, yo + (b + 6) * ldy + part * 16 + 0);
        a0_7.intoArray(y, yo + (b + 7) * ldy + part * 16 + 0);
        a1_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 16);
        a1_1.intoArray(y, yo + (b + 1) * ldy + part * 16 + 16);
        a1_2.intoArray(y, yo + (b + 2) * ldy + part * 16 + 16);
        a1_3.intoArray(y, yo + (b + 3) * ldy + part * 16 + 16);
        a1_4.intoArray(y, yo + (b + 4) * ldy + part * 16 + 16);
        a1_5.intoArray(y, yo + (b + 5) * ldy + part * 16 + 16);
        a1_6.intoArray(y, yo + (b + 6) * ldy + part * 16 + 16);
        a1_7.intoArray(y, yo + (b + 7) * ldy + part * 16 + 16);
      }
    }
  }

  /** f32, 1 token(s), 1 tile(s) of 32 rows. */
  public static void f32Batch1(
      long w, long tileBytes, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    for (int part = 0; part < 1; part++) {
      for (int b = 0; b < 1; b += 1) {
        long w0 = w + 0 * tileBytes + part * 128L;
        FloatVector a0_0 = FloatVector.zero(F);
        FloatVector a1_0 = FloatVector.zero(F);
        for (int i = 0; i < k; i++) {
          FloatVector v0 = FloatVector.fromMemorySegment(F, ALL, w0 + i * 128L + 0, LE);
          FloatVector v1 = FloatVector.fromMemorySegment(F, ALL, w0 + i * 128L + 64, LE);
          int at = xo + i * 1 + b;
          FloatVector x0 = FloatVector.broadcast(F, x[at + 0]);
          a0_0 = v0.fma(x0, a0_0);
          a1_0 = v1.fma(x0, a1_0);
        }
        a0_0.intoArray(y, yo + (b + 0) * ldy + part * 32 + 0);
        a1_0.intoArray(y, yo + (b + 0) * ldy + part * 32 + 16);
      }
    }
  }

  /** f32, 1 token(s), 2 tile(s) of 32 rows. */
  public static void f32Batch1Tiles2(
      long w, long tileBytes, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    for (int part = 0; part < 1; part++) {
      for (int b = 0; b < 1; b += 1) {
        long w0 = w + 0 * tileBytes + part * 128L;
        long w1 = w + 1 * tileBytes + part * 128L;
        FloatVector a0_0 = FloatVector.zero(F);
        FloatVector a1_0 = FloatVector.zero(F);
        FloatVector a2_0 = FloatVector.zero(F);
        FloatVector a3_0 = FloatVector.zero(F);
        for (int i = 0; i < k; i++) {
          FloatVector v0 = FloatVector.fromMemorySegment(F, ALL, w0 + i * 128L + 0, LE);
          FloatVector v1 = FloatVector.fromMemorySegment(F, ALL, w0 + i * 128L + 64, LE);
          FloatVector v2 = FloatVector.fromMemorySegment(F, ALL, w1 + i * 128L + 0, LE);
          FloatVector v3 = FloatVector.fromMemorySegment(F, ALL, w1 + i * 128L + 64, LE);
          int at = xo + i * 1 + b;
          FloatVector x0 = FloatVector.broadcast(F, x[at + 0]);
          a0_0 = v0.fma(x0, a0_0);
          a1_0 = v1.fma(x0, a1_0);
          a2_0 = v2.fma(x0, a2_0);
          a3_0 = v3.fma(x0, a3_0);
        }
        a0_0.intoArray(y, yo + (b + 0) * ldy + part * 32 + 0);
        a1_0.intoArray(y, yo + (b + 0) * ldy + part * 32 + 16);
        a2_0.intoArray(y, yo + (b + 0) * ldy + part * 32 + 32);
        a3_0.intoArray(y, yo + (b + 0) * ldy + part * 32 + 48);
      }
    }
  }

  /** f32, 4 token(s), 1 tile(s) of 32 rows. */
  public static void f32Batch4(
      long w, long tileBytes, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    for (int part = 0; part < 1; part++) {
      for (int b = 0; b < 4; b += 4) {
        long w0 = w + 0 * tileBytes + part * 128L;
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
          FloatVector v1 = FloatVector.fromMemorySegment(F, ALL, w0 + i * 128L + 64, LE);
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
        a0_0.intoArray(y, yo + (b + 0) * ldy + part * 32 + 0);
        a0_1.intoArray(y, yo + (b + 1) * ldy + part * 32 + 0);
        a0_2.intoArray(y, yo + (b + 2) * ldy + part * 32 + 0);
        a0_3.intoArray(y, yo + (b + 3) * ldy + part * 32 + 0);
        a1_0.intoArray(y, yo + (b + 0) * ldy + part * 32 + 16);
        a1_1.intoArray(y, yo + (b + 1) * ldy + part * 32 + 16);
        a1_2.intoArray(y, yo + (b + 2) * ldy + part * 32 + 16);
        a1_3.intoArray(y, yo + (b + 3) * ldy + part * 32 + 16);
      }
    }
  }

  /** f32, 8 token(s), 1 tile(s) of 32 rows. */
  public static void f32Batch8(
      long w, long tileBytes, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    for (int part = 0; part < 1; part++) {
      for (int b = 0; b < 8; b += 8) {
        long w0 = w + 0 * tileBytes + part * 128L;
        FloatVector a0_0 = FloatVector.zero(F);
        FloatVector a0_1 = FloatVector.zero(F);
        FloatVector a0_2 = FloatVector.zero(F);
        FloatVector a0_3 = FloatVector.zero(F);
        FloatVector a0_4 = FloatVector.zero(F);
        FloatVector a0_5 = FloatVector.zero(F);
        FloatVector a0_6 = FloatVector.zero(F);
        FloatVector a0_7 = FloatVector.zero(F);
        FloatVector a1_0 = FloatVector.zero(F);
        FloatVector a1_1 = FloatVector.zero(F);
        FloatVector a1_2 = FloatVector.zero(F);
        FloatVector a1_3 = FloatVector.zero(F);
        FloatVector a1_4 = FloatVector.zero(F);
        FloatVector a1_5 = FloatVector.zero(F);
        FloatVector a1_6 = FloatVector.zero(F);
        FloatVector a1_7 = FloatVector.zero(F);
        for (int i = 0; i < k; i++) {
          FloatVector v0 = FloatVector.fromMemorySegment(F, ALL, w0 + i * 128L + 0, LE);
          FloatVector v1 = FloatVector.fromMemorySegment(F, ALL, w0 + i * 128L + 64, LE);
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
          FloatVector x4 = FloatVector.broadcast(F, x[at + 4]);
          a0_4 = v0.fma(x4, a0_4);
          a1_4 = v1.fma(x4, a1_4);
          FloatVector x5 = FloatVector.broadcast(F, x[at + 5]);
          a0_5 = v0.fma(x5, a0_5);
          a1_5 = v1.fma(x5, a1_5);
          FloatVector x6 = FloatVector.broadcast(F, x[at + 6]);
          a0_6 = v0.fma(x6, a0_6);
          a1_6 = v1.fma(x6, a1_6);
          FloatVector x7 = FloatVector.broadcast(F, x[at + 7]);
          a0_7 = v0.fma(x7, a0_7);
          a1_7 = v1.fma(x7, a1_7);
        }
        a0_0.intoArray(y, yo + (b + 0) * ldy + part * 32 + 0);
        a0_1.intoArray(y, yo + (b + 1) * ldy + part * 32 + 0);
        a0_2.intoArray(y, yo + (b + 2) * ldy + part * 32 + 0);
        a0_3.intoArray(y, yo + (b + 3) * ldy + part * 32 + 0);
        a0_4.intoArray(y, yo + (b + 4) * ldy + part * 32 + 0);
        a0_5.intoArray(y, yo + (b + 5) * ldy + part * 32 + 0);
        a0_6.intoArray(y, yo + (b + 6) * ldy + part * 32 + 0);
        a0_7.intoArray(y, yo + (b + 7) * ldy + part * 32 + 0);
        a1_0.intoArray(y, yo + (b + 0) * ldy + part * 32 + 16);
        a1_1.intoArray(y, yo + (b + 1) * ldy + part * 32 + 16);
        a1_2.intoArray(y, yo + (b + 2) * ldy + part * 32 + 16);
        a1_3.intoArray(y, yo + (b + 3) * ldy + part * 32 + 16);
        a1_4.intoArray(y, yo + (b + 4) * ldy + part * 32 + 16);
        a1_5.intoArray(y, yo + (b + 5) * ldy + part * 32 + 16);
        a1_6.intoArray(y, yo + (b + 6) * ldy + part * 32 + 16);
        a1_7.intoArray(y, yo + (b + 7) * ldy + part * 32 + 16);
      }
    }
  }

  /** Writes a bf16 tile of k columns as an f32 tile, exactly. */
  public static void widen(long from, long to, int k) {
    for (int part = 0; part < 1; part++) {
      for (int i = 0; i < k; i++) {
        IntVector p = IntVector.fromMemorySegment(I, ALL, from + part * 64L + i * 64L, LE);
        p.lanewise(VectorOperators.LSHL, 16).intoMemorySegment(ALL, to + part * 64L + i * 128L, LE);
        p.and(0xffff0000).intoMemorySegment(ALL, to + part * 64L + i * 128L + 64, LE);
      }
    }
  }

  /** Writes a bf16 tile as an f32 tile and multiplies it with 8 tokens. */
  public static void widenBatch8(
      long w, long panel, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    FloatVector a0_0 = FloatVector.zero(F);
    FloatVector a0_1 = FloatVector.zero(F);
    FloatVector a0_2 = FloatVector.zero(F);
    FloatVector a0_3 = FloatVector.zero(F);
    FloatVector a0_4 = FloatVector.zero(F);
    FloatVector a0_5 = FloatVector.zero(F);
    FloatVector a0_6 = FloatVector.zero(F);
    FloatVector a0_7 = FloatVector.zero(F);
    FloatVector a1_0 = FloatVector.zero(F);
    FloatVector a1_1 = FloatVector.zero(F);
    FloatVector a1_2 = FloatVector.zero(F);
    FloatVector a1_3 = FloatVector.zero(F);
    FloatVector a1_4 = FloatVector.zero(F);
    FloatVector a1_5 = FloatVector.zero(F);
    FloatVector a1_6 = FloatVector.zero(F);
    FloatVector a1_7 = FloatVector.zero(F);
    for (int i = 0; i < k; i++) {
      IntVector p0 = IntVector.fromMemorySegment(I, ALL, w + i * 64L, LE);
      FloatVector v0 = p0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      v0.intoMemorySegment(ALL, panel + i * 128L + 0, LE);
      FloatVector v1 = p0.and(0xffff0000).reinterpretAsFloats();
      v1.intoMemorySegment(ALL, panel + i * 128L + 64, LE);
      int at = xo + i * 8;
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
      FloatVector x4 = FloatVector.broadcast(F, x[at + 4]);
      a0_4 = v0.fma(x4, a0_4);
      a1_4 = v1.fma(x4, a1_4);
      FloatVector x5 = FloatVector.broadcast(F, x[at + 5]);
      a0_5 = v0.fma(x5, a0_5);
      a1_5 = v1.fma(x5, a1_5);
      FloatVector x6 = FloatVector.broadcast(F, x[at + 6]);
      a0_6 = v0.fma(x6, a0_6);
      a1_6 = v1.fma(x6, a1_6);
      FloatVector x7 = FloatVector.broadcast(F, x[at + 7]);
      a0_7 = v0.fma(x7, a0_7);
      a1_7 = v1.fma(x7, a1_7);
    }
    a0_0.intoArray(y, yo + 0 * ldy + 0);
    a0_1.intoArray(y, yo + 1 * ldy + 0);
    a0_2.intoArray(y, yo + 2 * ldy + 0);
    a0_3.intoArray(y, yo + 3 * ldy + 0);
    a0_4.intoArray(y, yo + 4 * ldy + 0);
    a0_5.intoArray(y, yo + 5 * ldy + 0);
    a0_6.intoArray(y, yo + 6 * ldy + 0);
    a0_7.intoArray(y, yo + 7 * ldy + 0);
    a1_0.intoArray(y, yo + 0 * ldy + 16);
    a1_1.intoArray(y, yo + 1 * ldy + 16);
    a1_2.intoArray(y, yo + 2 * ldy + 16);
    a1_3.intoArray(y, yo + 3 * ldy + 16);
    a1_4.intoArray(y, yo + 4 * ldy + 16);
    a1_5.intoArray(y, yo + 5 * ldy + 16);
    a1_6.intoArray(y, yo + 6 * ldy + 16);
    a1_7.intoArray(y, yo + 7 * ldy + 16);
  }

  /** Products of 1 query(s) with the 16 keys at each of two addresses. */
  public static void keysBatch1(
      long first, long second, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    for (int part = 0; part < 1; part++) {
      for (int b = 0; b < 1; b += 1) {
        long w0 = first + part * 64L;
        long w1 = second + part * 64L;
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
        a0_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 0);
        a1_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 16);
      }
    }
  }

  /** Adds k values of 32 dimensions, weighted for 1 query(s), to y. */
  public static void valuesBatch1(long w, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    for (int part = 0; part < 1; part++) {
      for (int b = 0; b < 1; b += 1) {
        long w0 = w + part * 128L;
        FloatVector a0_0 = FloatVector.fromArray(F, y, yo + (b + 0) * ldy + part * 32 + 0);
        FloatVector a1_0 = FloatVector.fromArray(F, y, yo + (b + 0) * ldy + part * 32 + 16);
        for (int i = 0; i < k; i++) {
          FloatVector v0 = FloatVector.fromMemorySegment(F, ALL, w0 + i * 128L + 0, LE);
          FloatVector v1 = FloatVector.fromMemorySegment(F, ALL, w0 + i * 128L + 64, LE);
          int at = xo + i * 1 + b;
          FloatVector x0 = FloatVector.broadcast(F, x[at + 0]);
          a0_0 = v0.fma(x0, a0_0);
          a1_0 = v1.fma(x0, a1_0);
        }
        a0_0.intoArray(y, yo + (b + 0) * ldy + part * 32 + 0);
        a1_0.intoArray(y, yo + (b + 0) * ldy + part * 32 + 16);
      }
    }
  }

  /** Products of 4 query(s) with the 16 keys at each of two addresses. */
  public static void keysBatch4(
      long first, long second, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    for (int part = 0; part < 1; part++) {
      for (int b = 0; b < 4; b += 4) {
        long w0 = first + part * 64L;
        long w1 = second + part * 64L;
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
        a0_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 0);
        a0_1.intoArray(y, yo + (b + 1) * ldy + part * 16 + 0);
        a0_2.intoArray(y, yo + (b + 2) * ldy + part * 16 + 0);
        a0_3.intoArray(y, yo + (b + 3) * ldy + part * 16 + 0);
        a1_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 16);
        a1_1.intoArray(y, yo + (b + 1) * ldy + part * 16 + 16);
        a1_2.intoArray(y, yo + (b + 2) * ldy + part * 16 + 16);
        a1_3.intoArray(y, yo + (b + 3) * ldy + part * 16 + 16);
      }
    }
  }

  /** Adds k values of 32 dimensions, weighted for 4 query(s), to y. */
  public static void valuesBatch4(long w, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    for (int part = 0; part < 1; part++) {
      for (int b = 0; b < 4; b += 4) {
        long w0 = w + part * 128L;
        FloatVector a0_0 = FloatVector.fromArray(F, y, yo + (b + 0) * ldy + part * 32 + 0);
        FloatVector a0_1 = FloatVector.fromArray(F, y, yo + (b + 1) * ldy + part * 32 + 0);
        FloatVector a0_2 = FloatVector.fromArray(F, y, yo + (b + 2) * ldy + part * 32 + 0);
        FloatVector a0_3 = FloatVector.fromArray(F, y, yo + (b + 3) * ldy + part * 32 + 0);
        FloatVector a1_0 = FloatVector.fromArray(F, y, yo + (b + 0) * ldy + part * 32 + 16);
        FloatVector a1_1 = FloatVector.fromArray(F, y, yo + (b + 1) * ldy + part * 32 + 16);
        FloatVector a1_2 = FloatVector.fromArray(F, y, yo + (b + 2) * ldy + part * 32 + 16);
        FloatVector a1_3 = FloatVector.fromArray(F, y, yo + (b + 3) * ldy + part * 32 + 16);
        for (int i = 0; i < k; i++) {
          FloatVector v0 = FloatVector.fromMemorySegment(F, ALL, w0 + i * 128L + 0, LE);
          FloatVector v1 = FloatVector.fromMemorySegment(F, ALL, w0 + i * 128L + 64, LE);
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
        a0_0.intoArray(y, yo + (b + 0) * ldy + part * 32 + 0);
        a0_1.intoArray(y, yo + (b + 1) * ldy + part * 32 + 0);
        a0_2.intoArray(y, yo + (b + 2) * ldy + part * 32 + 0);
        a0_3.intoArray(y, yo + (b + 3) * ldy + part * 32 + 0);
        a1_0.intoArray(y, yo + (b + 0) * ldy + part * 32 + 16);
        a1_1.intoArray(y, yo + (b + 1) * ldy + part * 32 + 16);
        a1_2.intoArray(y, yo + (b + 2) * ldy + part * 32 + 16);
        a1_3.intoArray(y, yo + (b + 3) * ldy + part * 32 + 16);
      }
    }
  }

  /** Products of 8 query(s) with the 16 keys at each of two addresses. */
  public static void keysBatch8(
      long first, long second, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    for (int part = 0; part < 1; part++) {
      for (int b = 0; b < 8; b += 8) {
        long w0 = first + part * 64L;
        long w1 = second + part * 64L;
        FloatVector a0_0 = FloatVector.zero(F);
        FloatVector a0_1 = FloatVector.zero(F);
        FloatVector a0_2 = FloatVector.zero(F);
        FloatVector a0_3 = FloatVector.zero(F);
        FloatVector a0_4 = FloatVector.zero(F);
        FloatVector a0_5 = FloatVector.zero(F);
        FloatVector a0_6 = FloatVector.zero(F);
        FloatVector a0_7 = FloatVector.zero(F);
        FloatVector a1_0 = FloatVector.zero(F);
        FloatVector a1_1 = FloatVector.zero(F);
        FloatVector a1_2 = FloatVector.zero(F);
        FloatVector a1_3 = FloatVector.zero(F);
        FloatVector a1_4 = FloatVector.zero(F);
        FloatVector a1_5 = FloatVector.zero(F);
        FloatVector a1_6 = FloatVector.zero(F);
        FloatVector a1_7 = FloatVector.zero(F);
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
          FloatVector x4 = FloatVector.broadcast(F, x[at + 4]);
          a0_4 = v0.fma(x4, a0_4);
          a1_4 = v1.fma(x4, a1_4);
          FloatVector x5 = FloatVector.broadcast(F, x[at + 5]);
          a0_5 = v0.fma(x5, a0_5);
          a1_5 = v1.fma(x5, a1_5);
          FloatVector x6 = FloatVector.broadcast(F, x[at + 6]);
          a0_6 = v0.fma(x6, a0_6);
          a1_6 = v1.fma(x6, a1_6);
          FloatVector x7 = FloatVector.broadcast(F, x[at + 7]);
          a0_7 = v0.fma(x7, a0_7);
          a1_7 = v1.fma(x7, a1_7);
        }
        a0_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 0);
        a0_1.intoArray(y, yo + (b + 1) * ldy + part * 16 + 0);
        a0_2.intoArray(y, yo + (b + 2) * ldy + part * 16 + 0);
        a0_3.intoArray(y, yo + (b + 3) * ldy + part * 16 + 0);
        a0_4.intoArray(y, yo + (b + 4) * ldy + part * 16 + 0);
        a0_5.intoArray(y, yo + (b + 5) * ldy + part * 16 + 0);
        a0_6.intoArray(y, yo + (b + 6) * ldy + part * 16 + 0);
        a0_7.intoArray(y, yo + (b + 7) * ldy + part * 16 + 0);
        a1_0.intoArray(y, yo + (b + 0) * ldy + part * 16 + 16);
        a1_1.intoArray(y, yo + (b + 1) * ldy + part * 16 + 16);
        a1_2.intoArray(y, yo + (b + 2) * ldy + part * 16 + 16);
        a1_3.intoArray(y, yo + (b + 3) * ldy + part * 16 + 16);
        a1_4.intoArray(y, yo + (b + 4) * ldy + part * 16 + 16);
        a1_5.intoArray(y, yo + (b + 5) * ldy + part * 16 + 16);
        a1_6.intoArray(y, yo + (b + 6) * ldy + part * 16 + 16);
        a1_7.intoArray(y, yo + (b + 7) * ldy + part * 16 + 16);
      }
    }
  }

  /** Adds k values of 32 dimensions, weighted for 8 query(s), to y. */
  public static void valuesBatch8(long w, float[] x, int xo, float[] y, int yo, int ldy, int k) {
    for (int part = 0; part < 1; part++) {
      for (int b = 0; b < 8; b += 8) {
        long w0 = w + part * 128L;
        FloatVector a0_0 = FloatVector.fromArray(F, y, yo + (b + 0) * ldy + part * 32 + 0);
        FloatVector a0_1 = FloatVector.fromArray(F, y, yo + (b + 1) * ldy + part * 32 + 0);
        FloatVector a0_2 = FloatVector.fromArray(F, y, yo + (b + 2) * ldy + part * 32 + 0);
        FloatVector a0_3 = FloatVector.fromArray(F, y, yo + (b + 3) * ldy + part * 32 + 0);
        FloatVector a0_4 = FloatVector.fromArray(F, y, yo + (b + 4) * ldy + part * 32 + 0);
        FloatVector a0_5 = FloatVector.fromArray(F, y, yo + (b + 5) * ldy + part * 32 + 0);
        FloatVector a0_6 = FloatVector.fromArray(F, y, yo + (b + 6) * ldy + part * 32 + 0);
        FloatVector a0_7 = FloatVector.fromArray(F, y, yo + (b + 7) * ldy + part * 32 + 0);
        FloatVector a1_0 = FloatVector.fromArray(F, y, yo + (b + 0) * ldy + part * 32 + 16);
        FloatVector a1_1 = FloatVector.fromArray(F, y, yo + (b + 1) * ldy + part * 32 + 16);
        FloatVector a1_2 = FloatVector.fromArray(F, y, yo + (b + 2) * ldy + part * 32 + 16);
        FloatVector a1_3 = FloatVector.fromArray(F, y, yo + (b + 3) * ldy + part * 32 + 16);
        FloatVector a1_4 = FloatVector.fromArray(F, y, yo + (b + 4) * ldy + part * 32 + 16);
        FloatVector a1_5 = FloatVector.fromArray(F, y, yo + (b + 5) * ldy + part * 32 + 16);
        FloatVector a1_6 = FloatVector.fromArray(F, y, yo + (b + 6) * ldy + part * 32 + 16);
        FloatVector a1_7 = FloatVector.fromArray(F, y, yo + (b + 7) * ldy + part * 32 + 16);
        for (int i = 0; i < k; i++) {
          FloatVector v0 = FloatVector.fromMemorySegment(F, ALL, w0 + i * 128L + 0, LE);
          FloatVector v1 = FloatVector.fromMemorySegment(F, ALL, w0 + i * 128L + 64, LE);
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
          FloatVector x4 = FloatVector.broadcast(F, x[at + 4]);
          a0_4 = v0.fma(x4, a0_4);
          a1_4 = v1.fma(x4, a1_4);
          FloatVector x5 = FloatVector.broadcast(F, x[at + 5]);
          a0_5 = v0.fma(x5, a0_5);
          a1_5 = v1.fma(x5, a1_5);
          FloatVector x6 = FloatVector.broadcast(F, x[at + 6]);
          a0_6 = v0.fma(x6, a0_6);
          a1_6 = v1.fma(x6, a1_6);
          FloatVector x7 = FloatVector.broadcast(F, x[at + 7]);
          a0_7 = v0.fma(x7, a0_7);
          a1_7 = v1.fma(x7, a1_7);
        }
        a0_0.intoArray(y, yo + (b + 0) * ldy + part * 32 + 0);
        a0_1.intoArray(y, yo + (b + 1) * ldy + part * 32 + 0);
        a0_2.intoArray(y, yo + (b + 2) * ldy + part * 32 + 0);
        a0_3.intoArray(y, yo + (b + 3) * ldy + part * 32 + 0);
        a0_4.intoArray(y, yo + (b + 4) * ldy + part * 32 + 0);
        a0_5.intoArray(y, yo + (b + 5) * ldy + part * 32 + 0);
        a0_6.intoArray(y, yo + (b + 6) * ldy + part * 32 + 0);
        a0_7.intoArray(y, yo + (b + 7) * ldy + part * 32 + 0);
        a1_0.intoArray(y, yo + (b + 0) * ldy + part * 32 + 16);
        a1_1.intoArray(y, yo + (b + 1) * ldy + part * 32 + 16);
        a1_2.intoArray(y, yo + (b + 2) * ldy + part * 32 + 16);
        a1_3.intoArray(y, yo + (b + 3) * ldy + part * 32 + 16);
        a1_4.intoArray(y, yo + (b + 4) * ldy + part * 32 + 16);
        a1_5.intoArray(y, yo + (b + 5) * ldy + part * 32 + 16);
        a1_6.intoArray(y, yo + (b + 6) * ldy + part * 32 + 16);
        a1_7.intoArray(y, yo + (b + 7) * ldy + part * 32 + 16);
      }
    }
  }
}
