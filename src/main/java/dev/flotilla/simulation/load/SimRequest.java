package dev.flotilla.simulation.load;

import dev.flotilla.balancer.PrefixChain;
import dev.flotilla.frontend.RequestStream;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.TokenIds;
import org.jspecify.annotations.Nullable;

/** One request of a trace, its stream, and what has become of it. */
final class SimRequest {
  final Trace.Arrival arrival;
  final RequestId id;
  final SimFrontend frontend;
  final PrefixChain chain;
  final RequestStream stream;
  @Nullable Incarnation sentTo;
  long sequence;
  int expectedCached;
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
    // Messages are never lost here, so nobody waits in vain.
    stream = new RequestStream(arrival.output(), Long.MAX_VALUE);
  }

  TokenIds prompt() {
    return Prompts.of(arrival, (int) id.counter());
  }
}
