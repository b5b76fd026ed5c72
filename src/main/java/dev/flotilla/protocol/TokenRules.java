package dev.flotilla.protocol;

import java.util.List;

/**
 * What a request says about single tokens.
 *
 * @param biased ids whose logits are shifted
 * @param biases by how much, one for each of them
 * @param allowed the only ids that may be drawn; empty: all may
 * @param badWords sequences of ids that may not appear: the last id of each is forbidden where the
 *     output ends with those before it
 */
public record TokenRules(
    TokenIds biased, List<Float> biases, TokenIds allowed, List<TokenIds> badWords) {
  /** No rules. */
  public static final TokenRules NONE =
      new TokenRules(TokenIds.EMPTY, List.of(), TokenIds.EMPTY, List.of());

  /** Keeps private copies; refuses what no front-end may send. */
  public TokenRules {
    biases = List.copyOf(biases);
    badWords = List.copyOf(badWords);
    if (biased.size() != biases.size()) {
      throw new IllegalArgumentException(
          "%d biases for %d tokens".formatted(biases.size(), biased.size()));
    }
    if (biases.stream().anyMatch(bias -> bias.isNaN() || bias == Float.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("a bias must be a number below infinity: " + biases);
    }
    if (badWords.stream().anyMatch(TokenIds::isEmpty)) {
      throw new IllegalArgumentException("a bad word must hold at least one token");
    }
  }

  /** Only biases. */
  public static TokenRules bias(TokenIds biased, List<Float> biases) {
    return new TokenRules(biased, biases, TokenIds.EMPTY, List.of());
  }

  /** Whether they change nothing. */
  public boolean isEmpty() {
    return biased.isEmpty() && allowed.isEmpty() && badWords.isEmpty();
  }
}
