package dev.flotilla.balancer;

import dev.flotilla.protocol.Rank;
import java.util.List;

/**
 * Why a rank was chosen.
 *
 * @param policy its name on the command line
 * @param chosen the rank
 * @param promptTokens of the request
 * @param candidates in rank order; those that were left out have no estimate to compare
 */
public record Decision(String policy, Rank chosen, int promptTokens, List<Candidate> candidates) {

  /**
   * One engine.
   *
   * @param leftOut why it could not be chosen; empty if it could
   * @param cachedTokens of the prompt, those that its prefix cache is thought to hold
   */
  public record Candidate(Rank rank, String leftOut, int cachedTokens, Estimate estimate) {}

  /** Keeps a private copy. */
  public Decision {
    candidates = List.copyOf(candidates);
  }

  /** Engines whose terms are told; of others the score is. */
  private static final int TOLD_MAX = 16;

  /** One line, as a header carries it: every term of every engine's estimate, in milliseconds. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(128);
    text.append(policy).append("; rank ").append(chosen).append("; prompt ").append(promptTokens);
    int told = 0;
    for (Candidate candidate : candidates) {
      text.append("; ").append(candidate.rank()).append(": ");
      if (candidate.leftOut().isEmpty()) {
        boolean whole = told++ < TOLD_MAX || candidate.rank().equals(chosen);
        text.append(whole ? candidate.estimate() : candidate.estimate().scoreText());
        if (whole && candidate.cachedTokens() > 0) {
          text.append(" cached=").append(candidate.cachedTokens());
        }
      } else {
        text.append(candidate.leftOut());
      }
    }
    return text.toString();
  }
}
