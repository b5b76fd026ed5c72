package dev.flotilla.balancer;

import dev.flotilla.protocol.Machine;
import dev.flotilla.protocol.StepCost;

/**
 * Fits a {@link StepCost} to the steps that an engine has measured, by recursive least squares that
 * forget: a step counts half as much as one 69 steps later, so that a card that throttles is priced
 * anew within seconds. Used by one thread.
 *
 * <p>Features are scaled to about 1 each; their covariance is held below a bound, because
 * forgetting without news (an hour of decoding without a single prompt) would let it grow until
 * noise moves every coefficient. Coefficients below 0 are reported as 0.
 *
 * <p>One slow step is no news, two are: a step counts for at most {@link #LEAP} times what it
 * should have taken, or as many times as the one before it took. A process that stood still for ten
 * seconds would otherwise be priced beyond every request, and nothing but requests could put it
 * right; a card that is slower from now on is believed at its second step.
 *
 * <p>Source: Ljung, System Identification, recursive least squares with exponential forgetting.
 */
public final class StepCostFit implements Machine {
  private static final int FEATURES = 5;
  private static final double FORGET = 0.99;

  /** A first guess is worth about as much as one measured step. */
  private static final double FIRST_VARIANCE = 100;

  /** More than a noisy step exceeds its due by, and far less than a standstill does. */
  private static final double LEAP = 2;

  /** Added to what a step should take, so that nothing is compared with 0. */
  private static final double LEAST_MS = 0.1;

  private static final double TRACE_MAX = 10 * FEATURES * FIRST_VARIANCE;

  /** What a usual step has of each feature: one, 1,000 prompt tokens over 10,000 of context, … */
  private static final double[] SCALE = {1, 1e3, 1e7, 1e2, 1e5};

  private final double[] theta;
  private final double[][] variance = new double[FEATURES][FEATURES];
  private final double[] x = new double[FEATURES];
  private final double[] gain = new double[FEATURES];
  private long steps;
  private double lastTimes; // what it should have, the last step took
  private StepCost cost;

  /** Starts at a guess, which the first steps correct. */
  public StepCostFit(StepCost guess) {
    cost = guess;
    theta =
        new double[] {
          guess.baseMs() * SCALE[0],
          guess.prefillMs() * SCALE[1],
          guess.prefillContextMs() * SCALE[2],
          guess.decodeMs() * SCALE[3],
          guess.decodeContextMs() * SCALE[4]
        };
    for (int i = 0; i < FEATURES; i++) {
      variance[i][i] = FIRST_VARIANCE;
    }
  }

  /** What a step takes by what is known now. */
  public StepCost cost() {
    return cost;
  }

  /** Steps measured. */
  public long steps() {
    return steps;
  }

  /** What a step of this work should take, in milliseconds. */
  public double predict(StepWork work) {
    fill(work);
    double ms = 0;
    for (int i = 0; i < FEATURES; i++) {
      ms += Math.max(0, theta[i]) * x[i];
    }
    return ms;
  }

  /** A step of this work took so long. */
  public void add(StepWork work, double ms) {
    if (!(ms >= 0 && ms < Double.POSITIVE_INFINITY)) {
      return;
    }
    double due = predict(work) + LEAST_MS;
    double believed = Math.min(ms, due * Math.max(LEAP, lastTimes));
    lastTimes = ms / due;
    double trace = 0;
    for (int i = 0; i < FEATURES; i++) {
      trace += variance[i][i];
    }
    double forget = trace > TRACE_MAX ? 1 : FORGET;
    double spread = forget;
    double error = believed;
    for (int i = 0; i < FEATURES; i++) {
      double sum = 0;
      for (int j = 0; j < FEATURES; j++) {
        sum += variance[i][j] * x[j];
      }
      gain[i] = sum;
      spread += x[i] * sum;
      error -= theta[i] * x[i];
    }
    for (int i = 0; i < FEATURES; i++) {
      theta[i] += gain[i] * error / spread;
      for (int j = 0; j <= i; j++) {
        double next = (variance[i][j] - gain[i] * gain[j] / spread) / forget;
        variance[i][j] = next;
        variance[j][i] = next;
      }
    }
    steps++;
    cost =
        new StepCost(
            coefficient(0), coefficient(1), coefficient(2), coefficient(3), coefficient(4));
  }

  private double coefficient(int i) {
    double value = theta[i] / SCALE[i];
    return value >= 0 && value < Double.POSITIVE_INFINITY ? value : 0;
  }

  private void fill(StepWork work) {
    x[0] = 1;
    x[1] = work.prefillTokens() / SCALE[1];
    x[2] = work.prefillContext() / SCALE[2];
    x[3] = work.decoding() / SCALE[3];
    x[4] = work.decodeContext() / SCALE[4];
  }
}
