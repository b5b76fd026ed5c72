package dev.flotilla.grammar;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ObjIntConsumer;

/**
 * A nondeterministic automaton over characters, without empty moves. State 0 is the start; from
 * every state the end can be reached, unless the language is empty. Immutable once built.
 */
final class CharNfa {
  /** Enough for a string of 10,000 characters; beyond it compiling would be felt by others. */
  static final int STATES_MAX = 30_000;

  private static final int EDGES_MAX = 200_000;

  private final List<List<Edge>> edges;
  private final BitSet accepting;

  /** A move over any of the given characters. */
  record Edge(CodePoints set, int target) {}

  private CharNfa(List<List<Edge>> edges, BitSet accepting) {
    this.edges = edges;
    this.accepting = accepting;
  }

  int states() {
    return edges.size();
  }

  List<Edge> edges(int state) {
    return edges.get(state);
  }

  boolean accepts(int state) {
    return accepting.get(state);
  }

  boolean isEmpty() {
    return edges.size() == 1 && !accepting.get(0);
  }

  /** What the expression matches as a whole. */
  static CharNfa of(Regex regex, String where) {
    return new RegexNfa(where).build(regex);
  }

  /** Texts of so many of the given characters; {@code max} -1 is without limit. */
  static CharNfa repeated(CodePoints set, int min, int max, String where) {
    Builder builder = new Builder(where);
    int last = max < 0 ? min : max;
    for (int i = 0; i <= last; i++) {
      int state = builder.state();
      if (i < last) {
        builder.edge(state, set, state + 1);
      } else if (max < 0) {
        builder.edge(state, set, state);
      }
      if (i >= min) {
        builder.accept(state);
      }
    }
    return builder.build();
  }

  /** Whether the whole text is accepted. */
  boolean matches(String text) {
    BitSet at = new BitSet();
    at.set(0);
    for (int c : text.codePoints().toArray()) {
      BitSet next = new BitSet();
      CodePoints here = CodePoints.of(c);
      at.stream()
          .mapToObj(this::edges)
          .flatMap(List::stream)
          .filter(edge -> !edge.set().intersect(here).isEmpty())
          .forEach(edge -> next.set(edge.target()));
      at = next;
    }
    return at.intersects(accepting);
  }

  /** Texts of both. */
  CharNfa intersect(CharNfa other, String where) {
    Builder builder = new Builder(where);
    Map<Long, Integer> known = new HashMap<>();
    Deque<long[]> queue = new ArrayDeque<>();
    known.put(0L, builder.state());
    queue.add(new long[] {0, 0});
    while (!queue.isEmpty()) {
      long[] pair = queue.poll();
      int mine = (int) pair[0];
      int its = (int) pair[1];
      int state = known.getOrDefault((long) mine << 32 | its, 0);
      if (accepts(mine) && other.accepts(its)) {
        builder.accept(state);
      }
      for (Edge a : edges(mine)) {
        for (Edge b : other.edges(its)) {
          CodePoints common = a.set().intersect(b.set());
          if (!common.isEmpty()) {
            long key = (long) a.target() << 32 | b.target();
            Integer target = known.get(key);
            if (target == null) {
              target = builder.state();
              known.put(key, target);
              queue.add(new long[] {a.target(), b.target()});
            }
            builder.edge(state, common, target);
          }
        }
      }
    }
    return builder.build();
  }

  /** Collects states; those that lead nowhere are left out in the end. */
  static final class Builder {
    private final String where;
    private final List<List<Edge>> edges = new ArrayList<>();
    private final BitSet accepting = new BitSet();
    private int edgeCount;

    Builder(String where) {
      this.where = where;
    }

    int state() {
      if (edges.size() >= STATES_MAX) {
        throw tooLarge(where);
      }
      edges.add(new ArrayList<>(2));
      return edges.size() - 1;
    }

    void edge(int from, CodePoints set, int to) {
      if (++edgeCount > EDGES_MAX) {
        throw tooLarge(where);
      }
      edges.get(from).add(new Edge(set, to));
    }

    void accept(int state) {
      accepting.set(state);
    }

    CharNfa build() {
      BitSet useful = useful();
      if (!useful.get(0)) {
        return new CharNfa(List.of(List.of()), new BitSet());
      }
      int[] renamed = new int[edges.size()];
      Arrays.fill(renamed, -1);
      int count = 0;
      for (int s = useful.nextSetBit(0); s >= 0; s = useful.nextSetBit(s + 1)) {
        renamed[s] = count++;
      }
      List<List<Edge>> kept = new ArrayList<>(count);
      BitSet ends = new BitSet();
      for (int s = useful.nextSetBit(0); s >= 0; s = useful.nextSetBit(s + 1)) {
        if (accepting.get(s)) {
          ends.set(renamed[s]);
        }
        List<Edge> own = new ArrayList<>();
        for (Edge edge : edges.get(s)) {
          if (useful.get(edge.target())) {
            own.add(new Edge(edge.set(), renamed[edge.target()]));
          }
        }
        kept.add(own);
      }
      return new CharNfa(kept, ends);
    }

    /** The states from which the end can be reached. */
    private BitSet useful() {
      List<List<Integer>> sources = new ArrayList<>();
      edges.forEach(_ -> sources.add(new ArrayList<>(2)));
      forEachEdge((edge, from) -> sources.get(edge.target()).add(from));
      BitSet useful = new BitSet();
      Deque<Integer> queue = new ArrayDeque<>();
      accepting.stream().forEach(queue::add);
      useful.or(accepting);
      while (!queue.isEmpty()) {
        for (int source : sources.get(queue.poll())) {
          if (!useful.get(source)) {
            useful.set(source);
            queue.add(source);
          }
        }
      }
      return useful;
    }

    private void forEachEdge(ObjIntConsumer<Edge> visitor) {
      for (int s = 0; s < edges.size(); s++) {
        for (Edge edge : edges.get(s)) {
          visitor.accept(edge, s);
        }
      }
    }
  }

  static GrammarException tooLarge(String where) {
    return new GrammarException(
        where,
        "%s: the automaton would have more than %d states; use smaller bounds"
            .formatted(where, STATES_MAX));
  }
}
