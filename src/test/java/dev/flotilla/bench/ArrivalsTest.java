package dev.flotilla.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;

class ArrivalsTest {
  private static RandomGenerator random() {
    return RandomGeneratorFactory.of("L64X128MixRandom").create(3);
  }

  @Test
  void lastArrivalIsAtCountOverRate() {
    long[] offsets = Arrivals.offsets(200, 50, 0.5, random());
    assertEquals(4_000_000_000L, offsets[199]);
    for (int i = 1; i < offsets.length; i++) {
      assertTrue(offsets[i] >= offsets[i - 1]);
    }
  }

  @Test
  void infiniteRateStartsAllAtOnce() {
    assertEquals(0, Arrivals.offsets(9, Double.POSITIVE_INFINITY, 1, random())[8]);
  }

  /** A gamma variable of shape k and scale 1 has mean k and variance k. */
  @Test
  void gammaHasItsMoments() {
    for (double shape : new double[] {0.25, 1, 4}) {
      RandomGenerator random = random();
      double sum = 0;
      double squares = 0;
      int draws = 100_000;
      for (int i = 0; i < draws; i++) {
        double x = Arrivals.gamma(shape, random);
        sum += x;
        squares += x * x;
      }
      double mean = sum / draws;
      assertEquals(shape, mean, shape * 0.03);
      assertEquals(shape, squares / draws - mean * mean, shape * 0.08);
    }
  }
}
