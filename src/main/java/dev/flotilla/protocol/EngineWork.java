package dev.flotilla.protocol;

/**
 * An engine's load as time: what its queue will take, and what its steps cost.
 *
 * @param queuedPrefillMs prefill of all prompts not yet computed, without what its prefix cache
 *     holds of them
 * @param decoding running sequences whose prompt is computed
 * @param decodeContext tokens that these attend to
 * @param kvQueued tokens whose keys and values the waiting requests will need
 * @param msToStepEnd until the step under way ends; 0 between steps
 * @param cost of its steps, fitted to those it has measured
 */
public record EngineWork(
    float queuedPrefillMs,
    int decoding,
    long decodeContext,
    long kvQueued,
    float msToStepEnd,
    StepCost cost) {

  /** Guessed from what every report says. */
  public static EngineWork guessed(int running, long queuedTokens, long residentTokens) {
    StepCost cost = StepCost.DEFAULT;
    return new EngineWork(
        (float) cost.prefill(0, (double) queuedTokens),
        running,
        residentTokens,
        queuedTokens,
        0,
        cost);
  }
}
