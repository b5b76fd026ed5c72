package dev.flotilla.scheduler;

import dev.flotilla.protocol.EngineTotals;
import java.util.Arrays;

/** Counts what a scheduler has done since its start; the mutable form of {@link EngineTotals}. */
final class Tally {
  private long prefixQueries;
  private long prefixHits;
  private long preemptions;
  private long promptTokens;
  private long generationTokens;
  private final long[] iterations = new long[EngineTotals.ITERATION_BOUNDS.size() + 1];
  private long iterationSum;
  private long stepStart; // prompt and generation tokens before the step

  void looked(int tokens, int found) {
    prefixQueries += tokens;
    prefixHits += found;
  }

  void preempted() {
    preemptions++;
  }

  long preemptions() {
    return preemptions;
  }

  void prompt(int tokens) {
    promptTokens += tokens;
  }

  void generated() {
    generationTokens++;
  }

  /** A step has been taken. */
  void step() {
    long tokens = promptTokens + generationTokens - stepStart;
    stepStart += tokens;
    iterations[EngineTotals.bucket(tokens)]++;
    iterationSum += tokens;
  }

  EngineTotals totals() {
    return new EngineTotals(
        prefixQueries,
        prefixHits,
        preemptions,
        promptTokens,
        generationTokens,
        Arrays.stream(iterations).boxed().toList(),
        iterationSum);
  }
}
