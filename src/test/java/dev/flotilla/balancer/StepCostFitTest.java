package dev.flotilla.balancer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.protocol.StepCost;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Steps of a known cost, with and without noise. */
class StepCostFitTest {
  private static final StepCost TRUTH = new StepCost(9, 0.05, 2e-6, 0.08, 4e-5);
  private final RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(7);

  private StepWork work() {
    long prefill = random.nextInt(3) == 0 ? 1 + random.nextInt(8000) : 0;
    int decoding = random.nextInt(200);
    return new StepWork(
        prefill,
        prefill * (double) random.nextInt(20_000),
        decoding,
        decoding * (long) (200 + random.nextInt(2000)));
  }

  private static double ms(StepCost cost, StepWork work) {
    return cost.decodeStep(work.decoding(), (double) work.decodeContext())
        + cost.prefillMs() * work.prefillTokens()
        + cost.prefillContextMs() * work.prefillContext();
  }

  private double worst(StepCostFit fit, StepCost truth) {
    double worst = 0;
    for (int i = 0; i < 200; i++) {
      StepWork work = work();
      double expected = ms(truth, work);
      worst = Math.max(worst, Math.abs(fit.predict(work) - expected) / expected);
    }
    return worst;
  }

  private void learn(StepCostFit fit, StepCost truth, int steps) {
    for (int i = 0; i < steps; i++) {
      StepWork work = work();
      fit.add(work, ms(truth, work));
    }
  }

  @Test
  void findsTheCostWithinAHundredSteps() {
    StepCostFit fit = new StepCostFit(StepCost.DEFAULT);
    learn(fit, TRUTH, 100);
    assertTrue(worst(fit, TRUTH) < 0.02, () -> "off by " + worst(fit, TRUTH));
    assertEquals(TRUTH.prefillMs(), fit.cost().prefillMs(), 0.002);
  }

  @Test
  void standsNoise() {
    StepCostFit fit = new StepCostFit(StepCost.DEFAULT);
    for (int i = 0; i < 2000; i++) {
      StepWork work = work();
      fit.add(work, ms(TRUTH, work) * (0.9 + 0.2 * random.nextDouble()));
    }
    assertTrue(worst(fit, TRUTH) < 0.15, () -> "off by " + worst(fit, TRUTH));
  }

  @ParameterizedTest
  @CsvSource({"3, 600", "20, 900"})
  void followsACardThatIsSlowerFromNowOn(double times, int steps) {
    StepCostFit fit = new StepCostFit(StepCost.DEFAULT);
    learn(fit, TRUTH, 500);
    StepCost slow = TRUTH.times(times);
    learn(fit, slow, steps);
    assertTrue(worst(fit, slow) < 0.05, () -> "off by " + worst(fit, slow));
  }

  /** Stopped for ten seconds in the middle of a prompt, or by a collector for one. */
  @Test
  void oneStandstillTellsNothingOfWhatStepsCost() {
    StepCostFit fit = new StepCostFit(StepCost.DEFAULT);
    for (int i = 0; i < 500; i++) {
      StepWork work = work();
      fit.add(work, ms(TRUTH, work) * (0.95 + 0.1 * random.nextDouble()));
    }
    fit.add(new StepWork(1000, 1e6, 20, 20_000), 10_000);
    assertTrue(worst(fit, TRUTH) < 0.2, () -> "off by " + worst(fit, TRUTH));
  }

  /** Its code is cold, its memory not yet touched. */
  @Test
  void aSlowFirstStepIsForgottenAfterAFewRequests() {
    StepCostFit fit = new StepCostFit(StepCost.DEFAULT);
    fit.add(new StepWork(32, 512, 0, 0), 500);
    for (int i = 1; i <= 16; i++) {
      fit.add(new StepWork(0, 0, 1, 32 + i), 1);
    }
    assertTrue(fit.predict(new StepWork(0, 0, 1, 32)) < 4, () -> "costs " + fit.cost());
    assertTrue(fit.predict(new StepWork(32, 512, 0, 0)) < 40, () -> "costs " + fit.cost());
  }

  /** A large model on a small processor: a thousand times the guess. */
  @Test
  void learnsAnEngineThatIsNothingLikeTheGuess() {
    StepCostFit fit = new StepCostFit(StepCost.DEFAULT);
    StepCost heavy = StepCost.DEFAULT.times(1000);
    learn(fit, heavy, 150);
    assertTrue(worst(fit, heavy) < 0.1, () -> "off by " + worst(fit, heavy));
  }

  @Test
  void anHourWithoutPromptsDoesNotForgetWhatPromptsCost() {
    StepCostFit fit = new StepCostFit(StepCost.DEFAULT);
    for (int i = 0; i < 500; i++) {
      StepWork work = work();
      fit.add(work, ms(TRUTH, work) * (0.95 + 0.1 * random.nextDouble()));
    }
    for (int i = 0; i < 100_000; i++) {
      StepWork work = new StepWork(0, 0, 20, 20_000);
      fit.add(work, ms(TRUTH, work) * (0.95 + 0.1 * random.nextDouble()));
    }
    assertEquals(TRUTH.prefillMs(), fit.cost().prefillMs(), 0.01);
    StepWork prompt = new StepWork(4000, 8e6, 20, 20_000);
    assertEquals(1, fit.predict(prompt) / ms(TRUTH, prompt), 0.2);
  }

  @Test
  void neverTellsANegativeOrInfiniteCost() {
    StepCostFit fit = new StepCostFit(StepCost.DEFAULT);
    for (int i = 0; i < 1000; i++) {
      fit.add(work(), random.nextDouble() * 1000);
      fit.add(work(), Double.NaN);
      StepCost cost = fit.cost();
      assertTrue(cost.baseMs() >= 0 && cost.prefillMs() >= 0 && cost.decodeMs() >= 0);
    }
  }
}
