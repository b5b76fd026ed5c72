package dev.flotilla.executor.cpu;

import dev.flotilla.model.ModelConfig.Experts;
import java.util.Arrays;

/**
 * Which experts each token of a step goes to, and with what weight. A <i>pair</i> is a token and
 * one of its experts; pair {@code t * perToken + i} is the token's i-th, in ascending order of
 * experts.
 */
final class Routing {
  private final Experts experts;
  private int[] chosen = new int[0]; // [tokens, perToken], ascending
  private float[] weights = new float[0]; // [tokens, perToken]

  Routing(Experts experts) {
    this.experts = experts;
  }

  /** Softmax over all experts, then the greatest; the lower number on ties. */
  void route(float[] scores, int tokens, int width) {
    int k = experts.perToken();
    if (chosen.length < tokens * k) {
      chosen = new int[tokens * k];
      weights = new float[tokens * k];
    }
    float[] shares = new float[experts.count()];
    for (int t = 0; t < tokens; t++) {
      softmax(scores, t * width, shares);
      for (int i = 0; i < k; i++) {
        int best = -1;
        for (int e = 0; e < shares.length; e++) {
          if (!taken(t * k, i, e) && (best < 0 || shares[e] > shares[best])) {
            best = e;
          }
        }
        chosen[t * k + i] = best;
      }
      Arrays.sort(chosen, t * k, t * k + k);
      float sum = 0;
      for (int i = 0; i < k; i++) {
        weights[t * k + i] = shares[chosen[t * k + i]];
        sum += weights[t * k + i];
      }
      for (int i = 0; experts.normTopK() && i < k; i++) {
        weights[t * k + i] /= sum;
      }
    }
  }

  /** The expert of a pair. */
  int expert(int pair) {
    return chosen[pair];
  }

  /** The share of its expert's output in the token's. */
  float weight(int pair) {
    return weights[pair];
  }

  private static void softmax(float[] scores, int row, float[] shares) {
    float max = Float.NEGATIVE_INFINITY;
    for (int e = 0; e < shares.length; e++) {
      max = Math.max(max, scores[row + e]);
    }
    double sum = 0;
    for (int e = 0; e < shares.length; e++) {
      double weight = Math.exp((double) scores[row + e] - max);
      shares[e] = (float) weight;
      sum += weight;
    }
    for (int e = 0; e < shares.length; e++) {
      shares[e] = (float) (shares[e] / sum);
    }
  }

  private boolean taken(int from, int count, int expert) {
    for (int i = from; i < from + count; i++) {
      if (chosen[i] == expert) {
        return true;
      }
    }
    return false;
  }
}
