package dev.flotilla.balancer;

import dev.flotilla.protocol.Rank;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

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

  /** One line, as a header carries it. */
  @Override
  public String toString() {
    String scores =
        candidates.stream()
            .map(
                c ->
                    c.leftOut().isEmpty()
                        ? String.format(Locale.ROOT, "%s=%.1f", c.rank(), c.estimate().score())
                        : c.rank() + "=" + c.leftOut())
            .collect(Collectors.joining(" "));
    return "%s; rank %s; %s".formatted(policy, chosen, scores);
  }
}
