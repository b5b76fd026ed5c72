package dev.flotilla.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.protocol.Sampling;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/** Exact distributions, and whether draws fit one. */
final class Distributions {
  static final int DRAWS = 100_000;

  /**
   * A right sampler fails a comparison once in 10,000 times. The draws are seeded, so that what
   * passes once passes always, and the level says how large a deviation is seen.
   */
  static final double LEVEL = 1e-4;

  private Distributions() {}

  /** By sorting everything: temperature, min-p, top-k, top-p. */
  static double[] exact(double[] logits, Sampling sampling) {
    int vocab = logits.length;
    double max = Arrays.stream(logits).max().orElseThrow();
    double[] p = new double[vocab];
    for (int i = 0; i < vocab; i++) {
      double weight = Math.exp((logits[i] - max) / sampling.temperature());
      p[i] = weight >= sampling.minP() ? weight : 0;
    }
    List<Integer> order =
        IntStream.range(0, vocab)
            .boxed()
            .sorted(Comparator.comparingDouble((Integer i) -> p[i]).reversed())
            .toList();
    int k = sampling.topK() == 0 ? vocab : Math.min(vocab, sampling.topK());
    for (int i = k; i < vocab; i++) {
      p[order.get(i)] = 0;
    }
    double sum = Arrays.stream(p).sum();
    double before = 0;
    for (int i : order) {
      double own = p[i];
      p[i] = before > 0 && before >= sampling.topP() * sum ? 0 : own;
      before += own;
    }
    double kept = Arrays.stream(p).sum();
    return Arrays.stream(p).map(x -> x / kept).toArray();
  }

  /** Chi-square at {@link #LEVEL}; what may not be drawn must not be. */
  static void assertFits(double[] expected, IntUnaryOperator draw, String what) {
    int[] counts = new int[expected.length];
    for (int position = 1; position <= DRAWS; position++) {
      counts[draw.applyAsInt(position)]++;
    }
    double chi = 0;
    int cells = 0;
    double restExpected = 0;
    int restCount = 0;
    for (int i = 0; i < expected.length; i++) {
      if (expected[i] == 0) {
        assertEquals(0, counts[i], "token " + i + " is excluded by " + what);
      } else if (expected[i] * DRAWS < 10) {
        restExpected += expected[i] * DRAWS;
        restCount += counts[i];
      } else {
        chi += square(counts[i] - expected[i] * DRAWS) / (expected[i] * DRAWS);
        cells++;
      }
    }
    if (restExpected >= 5) {
      chi += square(restCount - restExpected) / restExpected;
      cells++;
    }
    if (cells > 1) {
      double limit = quantile(cells - 1);
      assertTrue(chi < limit, "chi-square %s above %s for %s".formatted(chi, limit, what));
    }
  }

  private static double square(double x) {
    return x * x;
  }

  /** The 1 - {@link #LEVEL} quantile of chi-square, by Wilson and Hilferty's approximation. */
  private static double quantile(int freedom) {
    double z = 3.719; // of the normal distribution at 1 - 1e-4
    double part = 2.0 / (9 * freedom);
    return freedom * Math.pow(1 - part + z * Math.sqrt(part), 3);
  }
}
