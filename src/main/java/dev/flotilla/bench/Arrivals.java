package dev.flotilla.bench;

import java.util.random.RandomGenerator;

/** Intended starts of an open loop. */
final class Arrivals {
  private Arrivals() {}

  /**
   * Offsets in nanoseconds, ascending. Gaps are gamma distributed with the given shape and then
   * scaled so that the last request starts at {@code count / rate}, as vLLM's benchmark does: runs
   * of one rate then last equally long whatever the seed.
   */
  static long[] offsets(int count, double rate, double burstiness, RandomGenerator random) {
    long[] offsets = new long[count];
    if (Double.isInfinite(rate)) {
      return offsets;
    }
    double[] at = new double[count];
    double now = 0;
    for (int i = 0; i < count; i++) {
      now += gamma(burstiness, random);
      at[i] = now;
    }
    double scale = now == 0 ? 0 : count / rate * 1e9 / now;
    for (int i = 0; i < count; i++) {
      offsets[i] = Math.round(at[i] * scale);
    }
    return offsets;
  }

  /**
   * One draw of the gamma distribution of scale 1. Source: Marsaglia and Tsang, "A simple method
   * for generating gamma variables", 2000; shapes below 1 by their boost.
   */
  static double gamma(double shape, RandomGenerator random) {
    if (shape < 1) {
      return gamma(shape + 1, random) * Math.pow(random.nextDouble(), 1 / shape);
    }
    double d = shape - 1.0 / 3;
    double c = 1 / Math.sqrt(9 * d);
    while (true) {
      double x = random.nextGaussian();
      double v = Math.pow(1 + c * x, 3);
      if (v > 0 && Math.log(1 - random.nextDouble()) < 0.5 * x * x + d - d * v + d * Math.log(v)) {
        return d * v;
      }
    }
  }
}
