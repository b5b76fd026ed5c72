package dev.flotilla.balancer;

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

  static Estimate count(double score) {
    return new Estimate(score, 0, 0, 0, 0, 0, 0, 0, 0);
  }
}
