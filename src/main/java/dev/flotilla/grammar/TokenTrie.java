package dev.flotilla.grammar;

import dev.flotilla.tokenizer.TokenBytes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * All tokens of a vocabulary as a tree of their bytes, in the order of a walk: a node is followed
 * by what is below it. Immutable.
 */
final class TokenTrie {
  /** Bytes of a node, and the index of the next node that is not below it. */
  final byte[] bytes;

  final int[] depths; // of the first level 0
  final int[] ends;

  /**
   * Tokens that end at node {@code n}: {@code tokens[firsts[n]]} to before {@code firsts[n + 1]}.
   */
  final int[] firsts;

  final int[] tokens;
  final int depthMax;
  private final TokenBytes vocabulary;

  /** A token and its bytes. */
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  private record Token(int id, byte[] bytes) {}

  TokenTrie(TokenBytes vocabulary) {
    this.vocabulary = vocabulary;
    List<Token> sorted = new ArrayList<>();
    for (int id = 0; id < vocabulary.size(); id++) {
      byte[] own = vocabulary.of(id);
      if (own.length > 0) {
        sorted.add(new Token(id, own));
      }
    }
    sorted.sort((a, b) -> Arrays.compareUnsigned(a.bytes, b.bytes));
    int total = sorted.stream().mapToInt(token -> token.bytes.length).sum();
    byte[] nodeBytes = new byte[total];
    int[] nodeDepths = new int[total];
    int[] counts = new int[total + 1];
    tokens = new int[sorted.size()];
    int nodes = 0;
    int longest = 0;
    byte[] before = {};
    for (int t = 0; t < tokens.length; t++) {
      byte[] own = sorted.get(t).bytes;
      int shared = Arrays.mismatch(before, own);
      for (int i = shared < 0 ? own.length : shared; i < own.length; i++) {
        nodeBytes[nodes] = own[i];
        nodeDepths[nodes++] = i;
      }
      // In this order a token is never the beginning of one before it: it ends at the last node.
      counts[nodes]++;
      tokens[t] = sorted.get(t).id;
      longest = Math.max(longest, own.length);
      before = own;
    }
    bytes = Arrays.copyOf(nodeBytes, nodes);
    depths = Arrays.copyOf(nodeDepths, nodes);
    firsts = Arrays.copyOf(counts, nodes + 1);
    for (int n = 1; n <= nodes; n++) {
      firsts[n] += firsts[n - 1];
    }
    ends = ends(depths);
    depthMax = longest;
  }

  private static int[] ends(int[] depths) {
    int[] ends = new int[depths.length];
    int[] open = new int[depths.length + 1];
    int size = 0;
    for (int n = 0; n < depths.length; n++) {
      while (size > 0 && depths[open[size - 1]] >= depths[n]) {
        ends[open[--size]] = n;
      }
      open[size++] = n;
    }
    while (size > 0) {
      ends[open[--size]] = depths.length;
    }
    return ends;
  }

  /** Ids there are. */
  int vocab() {
    return vocabulary.size();
  }

  byte[] bytes(int token) {
    return vocabulary.of(token);
  }
}
