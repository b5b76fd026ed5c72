package dev.flotilla.simulation.load;

import static dev.flotilla.config.LoadBalancing.FLOTILLA;
import static dev.flotilla.config.LoadBalancing.VLLM;
import static dev.flotilla.config.LoadBalancing.VLLM_CLASSIC;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.config.LoadBalancing;
import java.util.List;
import java.util.Locale;
import java.util.stream.LongStream;

/**
 * What each trace has to show with 8 engines and 4 front-ends, as medians over seeds on both sides.
 *
 * @param classicMs p99 time to first token of an independent simulator under {@code vllm-classic}
 * @param vllmMs the same under {@code vllm}
 * @param ratioMax of flotilla's p99 time to first token to {@code vllm-classic}'s
 * @param vllmRatioMax of it to {@code vllm}'s
 * @param waitRatioMax of the p99 times without the own prefill to {@code vllm-classic}'s
 * @param medianRatioMax of flotilla's median time to first token to {@code vllm-classic}'s
 * @param tpotRatioMax of the p99 times per output token
 * @param hitsMin prompt tokens that flotilla's engines have in their caches, as a share
 */
record Acceptance(
    String trace,
    double classicMs,
    double vllmMs,
    double ratioMax,
    double vllmRatioMax,
    double waitRatioMax,
    double medianRatioMax,
    double tpotRatioMax,
    double hitsMin) {

  /** Two simulators of one model differ by so much at most. */
  private static final double TOLERANCE = 0.15;

  static final List<Acceptance> ALL =
      List.of(
          new Acceptance("azure_conv", 523.61, 498.92, 0.45, 0.50, 0.40, 1, 1.10, 0),
          new Acceptance("azure_code_first", 2698.48, 2764.92, 1, 1, 1, 0.85, 1.10, 0),
          new Acceptance("mooncake_conv_first", 9017.26, 9443.82, 0.65, 0.65, 0.25, 1, 1.10, 0),
          new Acceptance("poisson", 329.51, 296.24, 0.55, 0.58, 1, 1, 1.10, 0),
          new Acceptance("heavy", 4434.95, 5725.97, 0.25, 0.22, 0.05, 1, 1.25, 0),
          new Acceptance("burst", 516.06, 493.48, 0.65, 0.65, 1, 1, 1.10, 0),
          new Acceptance("agentic", 2906.22, 2595.77, 0.25, 0.28, 1, 1, 1.10, 0.78));

  static Acceptance of(String trace) {
    return ALL.stream().filter(a -> a.trace.equals(trace)).findFirst().orElseThrow();
  }

  /** Runs the trace under the three policies, prints a row each, and checks all of it. */
  void check(Trace requests, int seeds) {
    check(
        run(requests, VLLM_CLASSIC, seeds),
        run(requests, VLLM, seeds),
        run(requests, FLOTILLA, seeds));
  }

  private SimResult run(Trace requests, LoadBalancing policy, int seeds) {
    SimResult result =
        SimResult.median(
            LongStream.rangeClosed(1, seeds)
                .parallel()
                .mapToObj(
                    seed -> SimFleet.run(requests, SimFleetTest.settings(requests, policy, seed)))
                .toList());
    System.out.printf(
        Locale.ROOT,
        "%s | %s | %.1f | %.1f | %.1f | %.1f | %.0f | %.2f | %.2f | %d%n",
        trace,
        policy.flag(),
        result.ttftP50Ms(),
        result.ttftP99Ms(),
        result.waitP99Ms(),
        result.tpotP99Ms(),
        result.throughputTokensS(),
        result.imbalance(),
        result.prefixHitShare(),
        result.moved());
    assertEquals(0, result.lost());
    return result;
  }

  private void check(SimResult classic, SimResult vllm, SimResult flotilla) {
    assertEquals(1, classic.ttftP99Ms() / classicMs, TOLERANCE, "vllm-classic as the reference");
    assertEquals(1, vllm.ttftP99Ms() / vllmMs, TOLERANCE, "vllm as the reference");
    most(ratioMax, flotilla.ttftP99Ms() / classic.ttftP99Ms(), "p99 to vllm-classic's");
    most(vllmRatioMax, flotilla.ttftP99Ms() / vllm.ttftP99Ms(), "p99 to vllm's");
    most(waitRatioMax, flotilla.waitP99Ms() / classic.waitP99Ms(), "p99 wait to vllm-classic's");
    most(medianRatioMax, flotilla.ttftP50Ms() / classic.ttftP50Ms(), "p50 to vllm-classic's");
    most(tpotRatioMax, flotilla.tpotP99Ms() / classic.tpotP99Ms(), "time per token");
    most(
        1 / 0.98, classic.arrivalTokensS() / flotilla.arrivalTokensS(), "tokens while they arrive");
    // The whole run ends with its longest answer, wherever that one landed.
    most(1 / 0.95, classic.throughputTokensS() / flotilla.throughputTokensS(), "throughput");
    assertTrue(flotilla.prefixHitShare() >= hitsMin, "prefix hits " + flotilla.prefixHitShare());
  }

  private void most(double bound, double ratio, String what) {
    assertTrue(ratio <= bound, "%s, %s: %.3f, at most %.2f".formatted(trace, what, ratio, bound));
  }
}
