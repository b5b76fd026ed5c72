package dev.flotilla.protocol;

import java.util.List;

/**
 * Natural-log probabilities at one position.
 *
 * @param chosen the token that stands there
 * @param top the most probable tokens, best first; may be empty
 */
public record Logprobs(Entry chosen, List<Entry> top) {
  /** One token and its natural-log probability. */
  public record Entry(int token, float logprob) {}

  /** Keeps a private copy. */
  public Logprobs {
    top = List.copyOf(top);
  }
}
