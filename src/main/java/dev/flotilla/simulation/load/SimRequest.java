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

  TokenIds prompt() {
    return Prompts.of(arrival, (int) id.counter());
  }
}
