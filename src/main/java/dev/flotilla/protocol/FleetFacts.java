package dev.flotilla.protocol;

import java.util.List;
import java.util.OptionalInt;

/**
 * What the facts of several ready engines amount to: KV blocks are summed, the longest sequence is
 * what the least of them takes, and the tokens that fit are one engine's, never summed, since no
 * request spreads over two ranks.
 *
 * @param engines that are ready
 * @param kvBlocks of all
 * @param maxModelLen 0: none is ready
 * @param kvTokens that the first engine's cache holds
 * @param worldSize devices of all
 */
public record FleetFacts(
    int engines, long kvBlocks, int maxModelLen, long kvTokens, int worldSize) {
  private static final FleetFacts NONE = new FleetFacts(0, 0, 0, 0, 0);

  /** Of those that are ready; the others count for nothing. */
  public static FleetFacts of(List<ClusterView.Engine> engines) {
    FleetFacts all = NONE;
    for (ClusterView.Engine engine : engines) {
      EngineFacts facts = engine.facts();
      if (facts != null && engine.state() == EngineState.READY) {
        all = all.with(facts);
      }
    }
    return all;
  }

  /** The longest sequence that each of them takes; empty while none is ready. */
  public OptionalInt longest() {
    return engines == 0 ? OptionalInt.empty() : OptionalInt.of(maxModelLen);
  }

  private FleetFacts with(EngineFacts facts) {
    boolean first = engines == 0;
    return new FleetFacts(
        engines + 1,
        kvBlocks + facts.kvBlocks(),
        first ? facts.maxModelLen() : Math.min(maxModelLen, facts.maxModelLen()),
        first ? (long) facts.kvBlocks() * facts.blockSize() : kvTokens,
        worldSize + facts.worldSize());
  }
}
