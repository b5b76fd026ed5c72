package dev.flotilla.simulation.load;

import dev.flotilla.balancer.PrefixChain;
import dev.flotilla.protocol.PrefixHash;
import dev.flotilla.protocol.PrefixHasher;
import dev.flotilla.protocol.TokenIds;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Makes tokens of a trace, which holds none: equal blocks give equal tokens, and nothing else. */
final class Prompts {
  private static final int OWN = 0x4000_0000; // what no block begins with
  private static final int MASK = OWN - 1;

  private Prompts() {}

  /** A prompt of the trace's request of that index. */
  static TokenIds of(Trace.Arrival arrival, int index) {
    int[] ids = new int[arrival.input()];
    int known = Math.min(ids.length, arrival.blocks().size() * Trace.BLOCK_TOKENS);
    for (int i = 0; i < known; i++) {
      int block = arrival.blocks().get(i / Trace.BLOCK_TOKENS);
      ids[i] = i % Trace.BLOCK_TOKENS == 0 ? block & MASK : (block * 0x9E3779B1 + i) & MASK;
    }
    Arrays.fill(ids, known, ids.length, OWN | (index & MASK));
    return TokenIds.of(ids);
  }

  /** The names of every prompt's full blocks; nothing where the trace knows no prefixes. */
  static List<PrefixChain> chains(Trace trace, int blockTokens) {
    PrefixHasher hasher = new PrefixHasher();
    PrefixHash root = hasher.root("");
    List<PrefixChain> chains = new ArrayList<>(trace.requests().size());
    for (int index = 0; index < trace.requests().size(); index++) {
      Trace.Arrival arrival = trace.requests().get(index);
      if (arrival.blocks().isEmpty()) {
        chains.add(PrefixChain.NONE);
        continue;
      }
      int[] tokens = of(arrival, index).toArray();
      long[] names = new long[tokens.length / blockTokens];
      PrefixHash last = root;
      for (int block = 0; block < names.length; block++) {
        last = hasher.next(last, tokens, block * blockTokens, blockTokens);
        names[block] = last.low();
      }
      chains.add(PrefixChain.of(blockTokens, names));
    }
    return chains;
  }
}
