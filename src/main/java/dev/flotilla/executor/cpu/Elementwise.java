package dev.flotilla.executor.cpu;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Operations on rows. Each result depends on its row alone, summed in a fixed order: by lane, then
 * the lanes in order.
 */
final class Elementwise {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
  private static final int LANES = F.length();

  /** Picks from two vectors, in turns, their lower halves. */
  private static final IntVector LOW = turns(0);

  /** The same of their upper halves. */
  private static final IntVector HIGH = turns(LANES / 2);

  /** Below it, e^x is taken as 0; 2^-126 is the least normal float. */
  private static final float EXP_MIN = -87.3f;

  private static final float EXP_MAX = 88.3f;

  private static final int MAXIMA = 16;

  /** What {@link #softmaxWeights8} needs for itself. */
  static final int SCRATCH = MAXIMA + 8 * LANES;

  private Elementwise() {}

  private static IntVector turns(int first) {
    int[] lanes = new int[LANES];
    for (int i = 0; i < LANES; i++) {
      lanes[i] = first + i / 2 + i % 2 * LANES;
    }
    return IntVector.fromArray(I, lanes, 0);
  }

  /** Adds {@code b} to {@code a}. */
  static void add(float[] a, int ao, float[] b, int bo, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector.fromArray(F, a, ao + i)
          .add(FloatVector.fromArray(F, b, bo + i))
          .intoArray(a, ao + i);
    }
    for (; i < n; i++) {
      a[ao + i] += b[bo + i];
    }
  }

  /** Adds {@code b} times a number to {@code a}, rounding once. */
  static void addScaled(float[] a, int ao, float by, float[] b, int bo, int n) {
    int i = 0;
    FloatVector factor = FloatVector.broadcast(F, by);
    for (; i <= n - LANES; i += LANES) {
      factor
          .fma(FloatVector.fromArray(F, b, bo + i), FloatVector.fromArray(F, a, ao + i))
          .intoArray(a, ao + i);
    }
    for (; i < n; i++) {
      a[ao + i] = Math.fma(by, b[bo + i], a[ao + i]);
    }
  }

  /** Multiplies {@code n} elements by a number. */
  static void scale(float[] x, int at, int n, float by) {
    int i = at;
    for (; i <= at + n - LANES; i += LANES) {
      FloatVector.fromArray(F, x, i).mul(by).intoArray(x, i);
    }
    for (; i < at + n; i++) {
      x[i] *= by;
    }
  }

  /** One over the root of the mean square. */
  static float inverseRms(float[] x, int xo, int n, float eps) {
    FloatVector sums = FloatVector.zero(F);
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector v = FloatVector.fromArray(F, x, xo + i);
      sums = v.fma(v, sums);
    }
    double sum = ordered(sums);
    for (; i < n; i++) {
      sum += (double) x[xo + i] * x[xo + i];
    }
    return (float) (1 / Math.sqrt(sum / n + eps));
  }

  private static double ordered(FloatVector lanes) {
    double sum = 0;
    for (float lane : lanes.toArray()) {
      sum += lane;
    }
    return sum;
  }

  /** The normed row into {@code to} from {@code at} on, {@code stride} apart. */
  static void norm(
      float[] x, int xo, int n, float inverse, float[] weight, float[] to, int at, int stride) {
    for (int i = 0; i < n; i++) {
      to[at + i * stride] = x[xo + i] * inverse * weight[i];
    }
  }

  /** The normed row, as {@link #norm} computes it, side by side from {@code at} on. */
  static void norm(float[] x, int xo, int n, float inverse, float[] weight, float[] to, int at) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector.fromArray(F, x, xo + i)
          .mul(inverse)
          .mul(FloatVector.fromArray(F, weight, i))
          .intoArray(to, at + i);
    }
    for (; i < n; i++) {
      to[at + i] = x[xo + i] * inverse * weight[i];
    }
  }

  /**
   * Writes 8 rows of {@code n} elements, {@code ld} apart, column by column. Merging rows k and k +
   * 4 element by element, then those pairs two apart, then one apart, brings 8 rows into order in
   * three rounds whatever the width of a vector.
   *
   * <p>As whole numbers, since vectors of floats would be picked from by indexes that are floats
   * too, converted every time. In one piece, since a method so long is not inlined: inside a larger
   * one the compiler gives up half-way and passes vectors as objects, at five times the cost.
   */
  static void interleave(float[] rows, int ro, int ld, int n, float[] to, int at) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      int p = ro + i;
      IntVector a = bits(rows, p);
      IntVector e = bits(rows, p + 4 * ld);
      IntVector ae = LOW.selectFrom(a, e);
      IntVector ae2 = HIGH.selectFrom(a, e);
      IntVector c = bits(rows, p + 2 * ld);
      IntVector g = bits(rows, p + 6 * ld);
      IntVector cg = LOW.selectFrom(c, g);
      IntVector cg2 = HIGH.selectFrom(c, g);
      IntVector b = bits(rows, p + ld);
      IntVector f = bits(rows, p + 5 * ld);
      IntVector bf = LOW.selectFrom(b, f);
      IntVector bf2 = HIGH.selectFrom(b, f);
      IntVector d = bits(rows, p + 3 * ld);
      IntVector h = bits(rows, p + 7 * ld);
      IntVector dh = LOW.selectFrom(d, h);
      IntVector dh2 = HIGH.selectFrom(d, h);
      int q = at + i * 8;
      IntVector even = LOW.selectFrom(ae, cg);
      IntVector odd = LOW.selectFrom(bf, dh);
      LOW.selectFrom(even, odd).reinterpretAsFloats().intoArray(to, q);
      HIGH.selectFrom(even, odd).reinterpretAsFloats().intoArray(to, q + LANES);
      even = HIGH.selectFrom(ae, cg);
      odd = HIGH.selectFrom(bf, dh);
      LOW.selectFrom(even, odd).reinterpretAsFloats().intoArray(to, q + 2 * LANES);
      HIGH.selectFrom(even, odd).reinterpretAsFloats().intoArray(to, q + 3 * LANES);
      even = LOW.selectFrom(ae2, cg2);
      odd = LOW.selectFrom(bf2, dh2);
      LOW.selectFrom(even, odd).reinterpretAsFloats().intoArray(to, q + 4 * LANES);
      HIGH.selectFrom(even, odd).reinterpretAsFloats().intoArray(to, q + 5 * LANES);
      even = HIGH.selectFrom(ae2, cg2);
      odd = HIGH.selectFrom(bf2, dh2);
      LOW.selectFrom(even, odd).reinterpretAsFloats().intoArray(to, q + 6 * LANES);
      HIGH.selectFrom(even, odd).reinterpretAsFloats().intoArray(to, q + 7 * LANES);
    }
    for (; i < n; i++) {
      for (int row = 0; row < 8; row++) {
        to[at + i * 8 + row] = rows[ro + row * ld + i];
      }
    }
  }

  private static IntVector bits(float[] from, int at) {
    return FloatVector.fromArray(F, from, at).reinterpretAsInts();
  }

  /** e^x, relative error about 1e-7 (minimax polynomial after Cephes' expf). */
  static FloatVector exp(FloatVector x) {
    VectorMask<Float> tiny = x.compare(VectorOperators.LT, EXP_MIN);
    // Comparing and blending takes two instructions; max and min, which mind signs of zeros, seven.
    FloatVector v = x.blend(EXP_MIN, tiny);
    v = v.blend(EXP_MAX, v.compare(VectorOperators.GT, EXP_MAX));
    // Adding and subtracting 1.5 * 2^23 rounds to the nearest whole number.
    FloatVector shifted =
        v.fma(FloatVector.broadcast(F, 1.442695f), FloatVector.broadcast(F, 12582912f));
    FloatVector n = shifted.sub(12582912f);
    FloatVector r = n.fma(FloatVector.broadcast(F, -0.6933594f), v);
    r = n.fma(FloatVector.broadcast(F, 0.00021219444f), r);
    FloatVector p = FloatVector.broadcast(F, 0.00019875691f);
    p = p.fma(r, FloatVector.broadcast(F, 0.0013981999f));
    p = p.fma(r, FloatVector.broadcast(F, 0.008333452f));
    p = p.fma(r, FloatVector.broadcast(F, 0.041665796f));
    p = p.fma(r, FloatVector.broadcast(F, 0.16666666f));
    p = p.fma(r, FloatVector.broadcast(F, 0.5f));
    p = p.fma(r.mul(r), r).add(1f);
    IntVector power =
        shifted
            .reinterpretAsInts()
            .sub(IntVector.broadcast(I, 0x4B400000 - 127))
            .lanewise(VectorOperators.LSHL, 23);
    return p.mul(power.reinterpretAsFloats()).blend(0f, tiny);
  }

  /** {@code gate / (1 + e^-gate) * up} over {@code n} elements, a multiple of 16. */
  static void swiglu(float[] gate, int go, float[] up, int uo, float[] to, int at, int n) {
    for (int i = 0; i < n; i += LANES) {
      FloatVector g = FloatVector.fromArray(F, gate, go + i);
      FloatVector u = FloatVector.fromArray(F, up, uo + i);
      g.div(exp(g.neg()).add(1f)).mul(u).intoArray(to, at + i);
    }
  }

  /**
   * Turns scores into e^(score - max), with no part for those that are minus infinity.
   *
   * @param n a multiple of 16
   * @return the sum
   */
  static float softmaxWeights(float[] scores, int so, int n) {
    FloatVector maxima = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
    for (int i = 0; i < n; i += LANES) {
      FloatVector v = FloatVector.fromArray(F, scores, so + i);
      maxima = maxima.blend(v, v.compare(VectorOperators.GT, maxima));
    }
    float max = maxima.reduceLanes(VectorOperators.MAX);
    FloatVector sums = FloatVector.zero(F);
    for (int i = 0; i < n; i += LANES) {
      FloatVector weight = exp(FloatVector.fromArray(F, scores, so + i).sub(max));
      weight.intoArray(scores, so + i);
      sums = sums.add(weight);
    }
    return (float) ordered(sums);
  }

  /**
   * The same for 8 rows that lie column by column, at less than half the cost: nothing is reduced
   * across a vector. Each row is summed in the order of {@link #softmaxWeights}, so that a query's
   * result is the same in a group and alone.
   *
   * @param x {@code [n][8]} from 0 on
   * @param n a multiple of 16
   * @param scratch {@link #SCRATCH} floats
   * @param totals receives the sums, 8
   */
  static void softmaxWeights8(float[] x, int n, float[] scratch, float[] totals) {
    maxima8(x, n, scratch);
    int period = 8 * LANES;
    for (int part = 0; part < period; part += LANES) {
      FloatVector max = FloatVector.fromArray(F, scratch, part % 8);
      FloatVector sums = FloatVector.zero(F);
      for (int i = part; i < n * 8; i += period) {
        FloatVector weight = exp(FloatVector.fromArray(F, x, i).sub(max));
        weight.intoArray(x, i);
        sums = sums.add(weight);
      }
      sums.intoArray(scratch, MAXIMA + part);
    }
    for (int row = 0; row < 8; row++) {
      double sum = 0;
      for (int i = row; i < period; i += 8) {
        sum += scratch[MAXIMA + i];
      }
      totals[row] = (float) sum;
    }
  }

  /** The greatest of each of 8 rows that lie column by column, over and over. */
  private static void maxima8(float[] x, int n, float[] to) {
    int step = Math.max(8, LANES);
    for (int part = 0; part < step; part += LANES) {
      FloatVector maxima = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
      for (int i = part; i < n * 8; i += step) {
        FloatVector v = FloatVector.fromArray(F, x, i);
        maxima = maxima.blend(v, v.compare(VectorOperators.GT, maxima));
      }
      maxima.intoArray(to, part);
    }
    for (int row = 0; row < 8; row++) {
      float max = step > 8 && to[row + 8] > to[row] ? to[row + 8] : to[row];
      for (int i = row; i < MAXIMA; i += 8) {
        to[i] = max;
      }
    }
  }

  /** The lowest index of the greatest element; NaN is never the greatest. */
  static int argmax(float[] x, int xo, int n) {
    FloatVector maxima = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector v = FloatVector.fromArray(F, x, xo + i);
      maxima = maxima.blend(v, v.compare(VectorOperators.GT, maxima));
    }
    float max = maxima.reduceLanes(VectorOperators.MAX);
    for (; i < n; i++) {
      max = x[xo + i] > max ? x[xo + i] : max;
    }
    int at = 0;
    while (at < n && x[xo + at] != max) {
      at++;
    }
    return at == n ? 0 : at;
  }

  /** An array at least that long; what it held may be lost. */
  static float[] room(float[] array, int length) {
    return array.length >= length ? array : new float[Math.max(length, array.length * 3 / 2)];
  }

  /** Minus infinity. */
  static void mask(float[] x, int from, int to) {
    Arrays.fill(x, from, to, Float.NEGATIVE_INFINITY);
  }
}
