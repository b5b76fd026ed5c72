package dev.flotilla.model;

import dev.flotilla.protocol.Logprobs;
import dev.flotilla.protocol.Logprobs.Entry;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.TokenIds;
import java.util.ArrayList;
import java.util.List;

/**
 * Draws a token from logits, in vLLM's order: the rules of {@link LogitRules}, temperature, min-p,
 * top-k, top-p, then one draw.
 *
 * <p>The result depends on nothing but the logits, the sampling parameters and the position at
 * which the token will stand: the uniform number is a hash of (seed, position), mapped through the
 * inverse of the cumulative distribution. A request that is resumed elsewhere or computed in
 * another batch therefore goes on with the same tokens. Temperature 0 takes the greatest logit.
 * Ties go to the lowest id everywhere; so {@code top_k} keeps exactly k tokens and {@code top_k =
 * 1} is greedy.
 *
 * <p>Log-probabilities are those of the logits as they come, before rules, penalties, temperature
 * and filters. Sums run in double precision in the order of ids.
 *
 * <p>No full sort: top-k is a heap of k, top-p a heap of the tokens that can be in the nucleus at
 * all. Holds scratch memory, so one thread at a time may use an instance.
 */
public final class Sampler {
  private static final long GOLDEN = 0x9E37_79B9_7F4A_7C15L;
  private static final double UNIT = 0x1.0p-53;

  private final KeyHeap heap = new KeyHeap();
  private final LogitRules rules = new LogitRules();
  private double[] weights = new double[0];

  /**
   * Draws.
   *
   * @param logits holds the row
   * @param offset where the row starts
   * @param length ids there are
   * @param position where the drawn token will stand, counted from the start of the prompt
   * @return an id from 0 to {@code length - 1}
   * @throws ModelException if the greatest logit is no finite number
   */
  public int draw(float[] logits, int offset, int length, Sampling sampling, int position) {
    int best = argmax(logits, offset, length);
    if (sampling.temperature() == 0 || sampling.topK() == 1) {
      return best;
    }
    double uniform = uniform(sampling.seed(), position);
    double scale = 1.0 / sampling.temperature();
    float max = logits[offset + best];
    double sum = weigh(logits, offset, length, max, scale, sampling.minP());
    boolean narrow = sampling.topK() > 0 && sampling.topK() < length;
    if (narrow) {
      return drawFromTop(logits, offset, length, sampling, uniform);
    }
    if (sampling.topP() < 1) {
      return drawFromNucleus(logits, offset, length, sum, sampling.topP(), uniform);
    }
    return drawFromAll(length, sum * uniform, best);
  }

  /**
   * Draws as the item asks for: with its history, its rules for tokens and its mask.
   *
   * @param eos the model's own end tokens
   */
  public int draw(float[] logits, int offset, int length, Batch.Item item, TokenIds eos) {
    Sampling sampling = item.sampling();
    if (sampling == null) {
      throw new IllegalArgumentException("nothing is to be drawn for " + item);
    }
    int position = item.start() + item.tokens().size();
    if (!LogitRules.apply(item)) {
      return draw(logits, offset, length, sampling, position);
    }
    float[] changed = rules.changed(logits, offset, length, item, sampling, eos);
    return draw(changed, 0, length, sampling, position);
  }

  /** Whether anything but the parameters of the draw itself changes the distribution. */
  public static boolean steered(Batch.Item item) {
    return LogitRules.apply(item);
  }

  /**
   * Log-probabilities of a row.
   *
   * @param chosen the token that stands there
   * @param top how many of the best to list
   */
  public Logprobs logprobs(float[] logits, int offset, int length, int chosen, int top) {
    double norm = logSumExp(logits, offset, length);
    heap.clear();
    int limit = Math.min(top, length);
    for (int i = 0; limit > 0 && i < length; i++) {
      heap.offer(KeyHeap.key(logits[offset + i], i), limit);
    }
    List<Entry> best = new ArrayList<>(limit);
    for (long key : heap.drainDescending()) {
      int id = KeyHeap.id(key);
      best.add(new Entry(id, (float) (logits[offset + id] - norm)));
    }
    return new Logprobs(new Entry(chosen, (float) (logits[offset + chosen] - norm)), best);
  }

  /** The greatest logit's id, the lowest one on ties. */
  public static int argmax(float[] logits, int offset, int length) {
    int best = 0;
    float max = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < length; i++) {
      if (logits[offset + i] > max) {
        max = logits[offset + i];
        best = i;
      }
    }
    if (!Float.isFinite(max)) {
      throw new ModelException(
          "the model computed no usable logits: the greatest of %d is %s".formatted(length, max));
    }
    return best;
  }

  private static double logSumExp(float[] logits, int offset, int length) {
    float max = logits[offset + argmax(logits, offset, length)];
    double sum = 0;
    for (int i = 0; i < length; i++) {
      sum += Math.exp((double) logits[offset + i] - max);
    }
    return max + Math.log(sum);
  }

  /** Fills {@code weights} with each token's weight, 1 for the best, 0 below min-p; their sum. */
  private double weigh(
      float[] logits, int offset, int length, float max, double scale, float minP) {
    if (weights.length < length) {
      weights = new double[length];
    }
    double sum = 0;
    for (int i = 0; i < length; i++) {
      float logit = logits[offset + i];
      double weight =
          logit == Float.NEGATIVE_INFINITY ? 0 : Math.exp(((double) logit - max) * scale);
      weights[i] = weight >= minP ? weight : 0;
      sum += weights[i];
    }
    return sum;
  }

  private int drawFromAll(int length, double target, int best) {
    double sum = 0;
    int last = best;
    for (int i = 0; i < length; i++) {
      if (weights[i] > 0) {
        sum += weights[i];
        last = i;
        if (sum > target) {
          return i;
        }
      }
    }
    // Only reached when rounding leaves the target at the very end.
    return last;
  }

  private int drawFromTop(
      float[] logits, int offset, int length, Sampling sampling, double uniform) {
    heap.clear();
    for (int i = 0; i < length; i++) {
      if (weights[i] > 0) {
        heap.offer(KeyHeap.key(logits[offset + i], i), sampling.topK());
      }
    }
    long[] keys = heap.drainDescending();
    double sum = 0;
    for (long key : keys) {
      sum += weights[KeyHeap.id(key)];
    }
    int kept = 0;
    double keptSum = 0;
    while (kept < keys.length && (kept == 0 || keptSum < sampling.topP() * sum)) {
      keptSum += weights[KeyHeap.id(keys[kept++])];
    }
    return pick(keys, kept, keptSum * uniform);
  }

  /**
   * The nucleus is the shortest run of best tokens whose weights reach {@code topP} of the sum.
   * Tokens below {@code (1 - topP) * sum / length} weigh less than {@code 1 - topP} of the sum all
   * together, so the others reach it without them, and only those are put in order.
   */
  private int drawFromNucleus(
      float[] logits, int offset, int length, double sum, double topP, double uniform) {
    double floor = (1 - topP) * sum / length;
    heap.clear();
    for (int i = 0; i < length; i++) {
      if (weights[i] >= floor && weights[i] > 0) {
        heap.append(~KeyHeap.key(logits[offset + i], i));
      }
    }
    heap.heapify();
    long[] keys = new long[heap.size()];
    int kept = 0;
    double keptSum = 0;
    while (heap.size() > 0 && (kept == 0 || keptSum < topP * sum)) {
      keys[kept] = ~heap.poll();
      keptSum += weights[KeyHeap.id(keys[kept++])];
    }
    return pick(keys, kept, keptSum * uniform);
  }

  private int pick(long[] keys, int kept, double target) {
    double sum = 0;
    for (int i = 0; i < kept; i++) {
      sum += weights[KeyHeap.id(keys[i])];
      if (sum > target) {
        return KeyHeap.id(keys[i]);
      }
    }
    return KeyHeap.id(keys[kept - 1]);
  }

  /**
   * A number in [0, 1) that depends only on its key: SplitMix64's output function (Steele, Lea and
   * Flood, 2014) over a stream that the hashed seed starts.
   */
  static double uniform(long seed, int position) {
    long bits = mix(mix(seed + GOLDEN) + GOLDEN * (position + 1L));
    return (bits >>> 11) * UNIT;
  }

  private static long mix(long value) {
    long z = value;
    z = (z ^ (z >>> 30)) * 0xBF58_476D_1CE4_E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D0_49BB_1331_11EBL;
    return z ^ (z >>> 31);
  }
}
