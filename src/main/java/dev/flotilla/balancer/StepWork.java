package dev.flotilla.balancer;

/**
 * What one step computes, as far as its time depends on it.
 *
 * @param prefillTokens prompt tokens
 * @param prefillContext the sum over prompt tokens of the tokens that each attends to
 * @param decoding decoding sequences
 * @param decodeContext the sum over them of the tokens that each attends to
 */
public record StepWork(
    long prefillTokens, double prefillContext, int decoding, long decodeContext) {
  /** Nothing. */
  public static final StepWork NONE = new StepWork(0, 0, 0, 0);
}
