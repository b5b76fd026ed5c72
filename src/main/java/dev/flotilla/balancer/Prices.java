package dev.flotilla.balancer;

import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.StepCost;
import org.jspecify.annotations.Nullable;

/**
 * What the engines' steps cost, as far as their own steps still tell. Only requests measure an
 * engine, and an engine that seems dear gets none while others are free: one that a busy neighbour
 * slowed for a minute would be left out for as long as the load stays low. So what an engine costs
 * beyond the cheapest of all counts half for each {@link #HALF_LIFE_MS} without a step, until it is
 * tried again; the dearer it was, the later. One that has never stepped costs what the cheapest
 * does. Used by one thread.
 *
 * <p>Source: optimism in the face of uncertainty (Lai and Robbins, 1985).
 */
final class Prices {
  static final double HALF_LIFE_MS = 10_000;

  /** Without a step for less than this, an engine is priced by its own alone. */
  private static final double LATELY_MS = 1000;

  private static final int USUAL_PROMPT = 1000;

  private @Nullable StepCost cheapest;

  /** Takes the cheapest of those that have ever stepped as what the others are compared with. */
  void compare(Seat[] seats, int count) {
    cheapest = null;
    double least = Double.POSITIVE_INFINITY;
    for (int i = 0; i < count; i++) {
      LoadReport report = seats[i].account.report();
      if (report != null && hasStepped(report) && usual(report.work().cost()) < least) {
        cheapest = report.work().cost();
        least = usual(cheapest);
      }
    }
  }

  /** What a step of this engine costs. */
  StepCost of(Account account, long now) {
    LoadReport report = account.report();
    StepCost like = cheapest;
    if (report == null) {
      return like == null ? StepCost.DEFAULT : like;
    }
    StepCost own = report.work().cost();
    if (like == null || usual(own) <= usual(like)) {
      return own;
    }
    if (!hasStepped(report)) {
      return like;
    }
    double rest = restMs(report, (now - account.reportNanos()) / 1e6);
    return rest < LATELY_MS ? own : between(like, own, Math.pow(0.5, rest / HALF_LIFE_MS));
  }

  private static boolean hasStepped(LoadReport report) {
    return report.stepping() || report.lastStepAgeMs() >= 0;
  }

  private static double restMs(LoadReport report, double elapsed) {
    boolean idle = report.waiting() + report.running() == 0 && !report.stepping();
    return idle ? report.lastStepAgeMs() + Math.max(0, elapsed) : 0;
  }

  private static double usual(StepCost cost) {
    return cost.baseMs() + cost.prefill(0, USUAL_PROMPT);
  }

  private static StepCost between(StepCost from, StepCost to, double share) {
    return new StepCost(
        between(from.baseMs(), to.baseMs(), share),
        between(from.prefillMs(), to.prefillMs(), share),
        between(from.prefillContextMs(), to.prefillContextMs(), share),
        between(from.decodeMs(), to.decodeMs(), share),
        between(from.decodeContextMs(), to.decodeContextMs(), share));
  }

  private static double between(double from, double to, double share) {
    return from + (to - from) * share;
  }
}
