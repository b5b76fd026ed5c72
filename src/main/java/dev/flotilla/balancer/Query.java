package dev.flotilla.balancer;

import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Rank;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A request that needs an engine.
 *
 * @param promptTokens to be computed, delivered output of earlier attempts included
 * @param prefix its blocks, to be looked for in the prefix caches; {@link PrefixChain#NONE} if
 *     there are none
 * @param excluded engines not to be chosen, for example those that just failed it
 * @param only the rank that the client insists on; null: any
 */
public record Query(
    int promptTokens, PrefixChain prefix, Set<Incarnation> excluded, @Nullable Rank only) {

  /** One that any engine may get. */
  public static Query of(int promptTokens) {
    return new Query(promptTokens, PrefixChain.NONE, Set.of(), null);
  }

  /** The same, not to go to these either. */
  public Query without(Set<Incarnation> engines) {
    if (engines.isEmpty()) {
      return this;
    }
    Set<Incarnation> all = new HashSet<>(excluded);
    all.addAll(engines);
    return new Query(promptTokens, prefix, all, only);
  }
}
