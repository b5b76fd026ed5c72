package dev.flotilla.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.protocol.Logprobs;
import dev.flotilla.protocol.Sampling;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Seeded draws against the exact distribution, computed here by full sorting; then ties, keys and
 * log-probabilities.
 */
class SamplerTest {
  private static final int VOCAB = 40;

  private final Sampler sampler = new Sampler();

  private static Sampling sampling(
      double temperature, double topP, int topK, double minP, long seed) {
    return Sampling.builder()
        .temperature((float) temperature)
        .topP((float) topP)
        .topK(topK)
        .minP((float) minP)
        .seed(seed)
        .build();
  }

  private static float[] logits() {
    Random random = new Random(4);
    float[] logits = new float[VOCAB];
    for (int i = 0; i < VOCAB; i++) {
      logits[i] = (float) random.nextGaussian() * 2;
    }
    return logits;
  }

  @Test
  void drawsFollowTheExactDistribution() {
    List<Sampling> all =
        List.of(
            sampling(1, 1, 0, 0, 1),
            sampling(0.7, 1, 0, 0, 2),
            sampling(1.5, 1, 0, 0, 3),
            sampling(1, 1, 7, 0, 4),
            sampling(1, 0.8, 0, 0, 5),
            sampling(1.3, 0.5, 0, 0, 6),
            sampling(1, 1, 0, 0.1, 7),
            sampling(1.2, 0.9, 12, 0.02, 8),
            sampling(2, 0.95, VOCAB * 2, 0, 9));
    float[] logits = logits();
    for (Sampling sampling : all) {
      Distributions.assertFits(
          Distributions.exact(doubles(logits), sampling),
          position -> sampler.draw(logits, 0, VOCAB, sampling, position),
          sampling.toString());
    }
  }

  @Test
  void drawsAreIndependentAcrossSeedsAtOnePosition() {
    float[] logits = logits();
    Distributions.assertFits(
        Distributions.exact(doubles(logits), sampling(1, 1, 0, 0, 0)),
        seed -> sampler.draw(logits, 0, VOCAB, sampling(1, 1, 0, 0, seed), 100),
        "one draw of each seed");
  }

  private static double[] doubles(float[] values) {
    return IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
  }

  @Test
  void greedyTakesTheLowestOfEqualTokens() {
    float[] logits = {9, 1, 5, 5, 2, 5};
    assertEquals(1, sampler.draw(logits, 1, 5, sampling(0, 1, 0, 0, 1), 3));
    for (int position = 0; position < 50; position++) {
      assertEquals(1, sampler.draw(logits, 1, 5, sampling(1, 1, 1, 0, 1), position));
    }
  }

  @Test
  void topKKeepsExactlyKOfEqualTokens() {
    float[] logits = new float[10];
    boolean[] seen = new boolean[10];
    for (int position = 0; position < 400; position++) {
      seen[sampler.draw(logits, 0, 10, sampling(1, 1, 4, 0, 1), position)] = true;
    }
    for (int i = 0; i < 10; i++) {
      assertEquals(i < 4, seen[i], "token " + i);
    }
  }

  @Test
  void equalKeysDrawEqualTokensWhateverWasDrawnBefore() {
    float[] logits = logits();
    float[] shifted = new float[VOCAB + 9];
    System.arraycopy(logits, 0, shifted, 9, VOCAB);
    Sampling first = sampling(1, 0.9, 20, 0, 77);
    int[] alone =
        IntStream.range(0, 100).map(i -> new Sampler().draw(logits, 0, VOCAB, first, i)).toArray();
    int[] mixed =
        IntStream.range(0, 100)
            .map(
                i -> {
                  sampler.draw(new float[500], 0, 500, sampling(2, 0.5, 0, 0, i), i);
                  return sampler.draw(shifted, 9, VOCAB, first, i);
                })
            .toArray();
    assertTrue(Arrays.equals(alone, mixed));
    Sampling other = sampling(1, 0.9, 20, 0, 78);
    int[] others =
        IntStream.range(0, 100).map(i -> sampler.draw(logits, 0, VOCAB, other, i)).toArray();
    assertNotEquals(Arrays.toString(alone), Arrays.toString(others));
  }

  @Test
  void logprobsAreThoseOfTheRawLogits() {
    float[] logits = {0, 1, 2, 3, 3};
    double norm = Math.log(1 + Math.E + Math.exp(2) + 2 * Math.exp(3));
    Logprobs logprobs = sampler.logprobs(logits, 0, 5, 1, 3);
    assertEquals(1, logprobs.chosen().token());
    assertEquals(1 - norm, logprobs.chosen().logprob(), 1e-6);
    assertEquals(List.of(3, 4, 2), logprobs.top().stream().map(Logprobs.Entry::token).toList());
    assertEquals(2 - norm, logprobs.top().get(2).logprob(), 1e-6);
    assertEquals(List.of(), sampler.logprobs(logits, 0, 5, 1, 0).top());
    assertEquals(5, sampler.logprobs(logits, 0, 5, 1, 50).top().size());
  }

  @Test
  void refusesLogitsThatAreNoNumbers() {
    float[] none = {Float.NaN, Float.NaN};
    assertThrows(ModelException.class, () -> sampler.draw(none, 0, 2, sampling(1, 1, 0, 0, 1), 0));
    float[] infinite = {1, Float.POSITIVE_INFINITY};
    assertThrows(
        ModelException.class, () -> sampler.draw(infinite, 0, 2, sampling(0, 1, 0, 0, 1), 0));
    float[] masked = {Float.NEGATIVE_INFINITY, 1, Float.NEGATIVE_INFINITY};
    assertEquals(1, sampler.draw(masked, 0, 3, sampling(1, 0.9, 0, 0, 1), 0));
  }
}
