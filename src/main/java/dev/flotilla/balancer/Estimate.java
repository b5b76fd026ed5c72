package dev.flotilla.balancer;

import java.util.Locale;

/**
 * What a policy thinks of one engine for one request; in milliseconds, except under the policies
 * that count requests, where only the score is set.
 *
 * @param score what is compared; smaller is better
 * @param stepEnd until the step under way ends
 * @param queued prefill that waits there
 * @param own prefill that this client has sent and that no report has acknowledged
 * @param prefill of the request itself, without what the prefix cache holds
 * @param steps the bases and decodes of the steps that all this takes
 * @param memory waiting for KV cache
 * @param slot waiting for a place in the batch
 * @param age of the report
 */
public record Estimate(
    double score,
    double stepEnd,
    double queued,
    double own,
    double prefill,
    double steps,
    double memory,
    double slot,
    double age) {

  /** The score as text. */
  String scoreText() {
    return "score=" + tenths(score);
  }

  private static String tenths(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }

  /** Every term; those that the policy does not know are 0 and left out together. */
  @Override
  public String toString() {
    boolean counted = stepEnd + queued + own + prefill + steps + memory + slot + age == 0;
    return counted
        ? scoreText()
        : scoreText()
            + String.format(
                Locale.ROOT,
                " step-end=%.1f queued=%.1f own=%.1f prefill=%.1f steps=%.1f memory=%.1f slot=%.1f"
                    + " age=%.1f",
                stepEnd,
                queued,
                own,
                prefill,
                steps,
                memory,
                slot,
                age);
  }

  static Estimate count(double score) {
    return new Estimate(score, 0, 0, 0, 0, 0, 0, 0, 0);
  }
}
