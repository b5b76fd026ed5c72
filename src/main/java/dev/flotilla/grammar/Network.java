package dev.flotilla.grammar;

import dev.flotilla.grammar.NetworkBuilder.Node;
import java.util.Arrays;
import java.util.List;

/**
 * A compiled grammar: a recursive transition network over bytes. Its rules are nodes joined by
 * moves over bytes, empty moves and calls of rules; a call goes on at a node of its own when the
 * rule has come to an end. Immutable.
 *
 * <p>Source: Woods' transition networks (CACM 1970), walked breadth first as llama.cpp's grammars
 * are; the bound on depth is ours.
 */
final class Network {
  /** Calls within calls; JSON nests about half as deep. Parsers stop at a few hundred or so. */
  static final int DEPTH_MAX = 96;

  /** What cannot be finished at any depth. */
  static final int NEVER = 1 << 20;

  final int start;

  /** Per node: first byte, last byte, target of each move, in turn. */
  final int[][] moves;

  /** Per node: targets of empty moves. */
  final int[][] empties;

  /** Per node: rule called, node to go on at, in turn. */
  final int[][] calls;

  /** Per node: whether its rule may end here. */
  final boolean[] ends;

  /** Per node: the least depth of calls by which its rule can be brought to an end. */
  final int[] needs;

  /** Bytes that no move tells apart are of one class. */
  final int[] classes; // [256]

  final int classCount;

  Network(int start, List<Node> nodes) {
    this.start = start;
    int count = nodes.size();
    moves = new int[count][];
    empties = new int[count][];
    calls = new int[count][];
    ends = new boolean[count];
    for (int n = 0; n < count; n++) {
      Node node = nodes.get(n);
      moves[n] = node.moves.toArray();
      empties[n] = node.empties.toArray();
      calls[n] = node.calls.toArray();
      ends[n] = node.end;
    }
    needs = needs();
    classes = classes();
    classCount = classes[255] + 1;
  }

  int nodes() {
    return ends.length;
  }

  private int[] classes() {
    boolean[] begins = new boolean[257];
    for (int[] own : moves) {
      for (int i = 0; i < own.length; i += 3) {
        begins[own[i]] = true;
        begins[own[i + 1] + 1] = true;
      }
    }
    int[] byByte = new int[256];
    for (int b = 1; b < 256; b++) {
      byByte[b] = byByte[b - 1] + (begins[b] ? 1 : 0);
    }
    return byByte;
  }

  /** Falls from "never" to the least solution; each round costs one look at every move. */
  private int[] needs() {
    int[] least = new int[nodes()];
    Arrays.fill(least, NEVER);
    boolean changed = true;
    while (changed) {
      changed = false;
      // Backwards, since nodes are mostly made in the order of the text.
      for (int n = nodes() - 1; n >= 0; n--) {
        int best = best(n, least);
        if (best < least[n]) {
          least[n] = best;
          changed = true;
        }
      }
    }
    return least;
  }

  private int best(int n, int[] least) {
    int best = ends[n] ? 0 : NEVER;
    for (int target : empties[n]) {
      best = Math.min(best, least[target]);
    }
    for (int i = 0; i < moves[n].length; i += 3) {
      best = Math.min(best, least[moves[n][i + 2]]);
    }
    for (int i = 0; i < calls[n].length; i += 2) {
      best = Math.min(best, Math.max(least[calls[n][i]] + 1, least[calls[n][i + 1]]));
    }
    return Math.min(best, NEVER);
  }
}
