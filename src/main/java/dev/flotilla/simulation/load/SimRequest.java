package dev.flotilla.simulation.load;

import dev.flotilla.balancer.PrefixChain;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.TokenIds;

/** One request of a trace and what has become of it. */
final class SimRequest {
  static final int NOWHERE = -1;

  final Trace.Arrival arrival;
  final RequestId id;
  final SimFrontend frontend;
  final PrefixChain chain;
  int attempt;
  int rank = NOWHERE;
  int delivered;
  int cachedTokens;
  long arrivedNanos;
  long firstNanos;
  long lastNanos;
  boolean ended;
  boolean completed;

  SimRequest(Trace.Arrival arrival, RequestId id, SimFrontend frontend, PrefixChain chain) {
    this.arrival = arrival;
    this.id = id;
    this.frontend = frontend;
    this.chain = chain;
  }

  /** The prompt's tokens: equal blocks give equal tokens, and nothing else does. */
  TokenIds prompt() {
    return prompt(arrival, id.counter());
  }

  static TokenIds prompt(Trace.Arrival arrival, long own) {
    int[] ids = new int[arrival.input()];
    int known = Math.min(ids.length, arrival.blocks().size() * Trace.BLOCK_TOKENS);
    for (int i = 0; i < known; i++) {
      int block = arrival.blocks().get(i / Trace.BLOCK_TOKENS);
      ids[i] = (block * 0x9E3779B1 + i % Trace.BLOCK_TOKENS) & 0x3fff_ffff;
    }
    if (known < ids.length) {
      ids[ids.length - 1] = (int) (0x4000_0000 | (own & 0x3fff_ffff));
      if (known < ids.length - 1) {
        ids[known] = ids[ids.length - 1];
      }
    }
    return TokenIds.of(ids);
  }
}
