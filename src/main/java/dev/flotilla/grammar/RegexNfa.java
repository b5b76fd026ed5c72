package dev.flotilla.grammar;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Turns an expression into an automaton: Thompson's construction with empty moves, then a walk that
 * takes them out. Anchors are empty moves that are open only before the first character, or after
 * which no character may come; so the walk visits pairs of a node and a phase.
 */
final class RegexNfa {
  private static final int CONSUMED = 1;
  private static final int ENDED = 2;
  private static final int NODES_MAX = 4 * CharNfa.STATES_MAX;

  private enum Empty {
    FREE,
    BEGIN,
    END
  }

  private record Move(Empty kind, int target) {}

  private final String where;
  private final List<List<Move>> empties = new ArrayList<>();
  private final List<List<CharNfa.Edge>> moves = new ArrayList<>();

  RegexNfa(String where) {
    this.where = where;
  }

  CharNfa build(Regex regex) {
    int start = node();
    int end = add(regex, start);
    CharNfa.Builder builder = new CharNfa.Builder(where);
    Map<Integer, Integer> known = new HashMap<>();
    Deque<Integer> queue = new ArrayDeque<>();
    known.put(start << 2, builder.state());
    queue.add(start << 2);
    while (!queue.isEmpty()) {
      int key = queue.poll();
      int state = known.getOrDefault(key, 0);
      for (int reached : closure(key)) {
        if (reached >> 2 == end) {
          builder.accept(state);
        }
        if ((reached & ENDED) == 0) {
          for (CharNfa.Edge move : moves.get(reached >> 2)) {
            int target = move.target() << 2 | CONSUMED;
            Integer its = known.get(target);
            if (its == null) {
              its = builder.state();
              known.put(target, its);
              queue.add(target);
            }
            builder.edge(state, move.set(), its);
          }
        }
      }
    }
    return builder.build();
  }

  private List<Integer> closure(int key) {
    BitSet seen = new BitSet();
    List<Integer> reached = new ArrayList<>();
    Deque<Integer> queue = new ArrayDeque<>();
    queue.add(key);
    seen.set(key);
    while (!queue.isEmpty()) {
      int pair = queue.poll();
      reached.add(pair);
      for (Move move : empties.get(pair >> 2)) {
        int phase = pair & (CONSUMED | ENDED);
        boolean open = move.kind != Empty.BEGIN || (phase & CONSUMED) == 0;
        int next = move.target << 2 | (move.kind == Empty.END ? phase | ENDED : phase);
        if (open && !seen.get(next)) {
          seen.set(next);
          queue.add(next);
        }
      }
    }
    return reached;
  }

  private int node() {
    if (empties.size() >= NODES_MAX) {
      throw CharNfa.tooLarge(where);
    }
    empties.add(new ArrayList<>(1));
    moves.add(new ArrayList<>(1));
    return empties.size() - 1;
  }

  private void empty(int from, Empty kind, int to) {
    empties.get(from).add(new Move(kind, to));
  }

  /** Builds the expression from a node on; returns the node where it ends. */
  private int add(Regex regex, int from) {
    return switch (regex) {
      case Regex.Chars(CodePoints set) -> {
        int to = node();
        if (!set.isEmpty()) {
          moves.get(from).add(new CharNfa.Edge(set, to));
        }
        yield to;
      }
      case Regex.Sequence(List<Regex> parts) -> {
        int at = from;
        for (Regex part : parts) {
          at = add(part, at);
        }
        yield at;
      }
      case Regex.Choice(List<Regex> options) -> {
        int to = node();
        for (Regex option : options) {
          empty(add(option, from), Empty.FREE, to);
        }
        yield to;
      }
      case Regex.Repeat repeat -> repeat(repeat, from);
      case Regex.Begin _ -> anchor(from, Empty.BEGIN);
      case Regex.End _ -> anchor(from, Empty.END);
    };
  }

  private int anchor(int from, Empty kind) {
    int to = node();
    empty(from, kind, to);
    return to;
  }

  private int repeat(Regex.Repeat repeat, int from) {
    int at = from;
    for (int i = 0; i < repeat.min(); i++) {
      at = add(repeat.body(), at);
    }
    if (repeat.max() < 0) {
      int loop = node();
      empty(at, Empty.FREE, loop);
      empty(add(repeat.body(), loop), Empty.FREE, loop);
      return anchor(loop, Empty.FREE);
    }
    int end = node();
    for (int i = repeat.min(); i < repeat.max(); i++) {
      empty(at, Empty.FREE, end);
      at = add(repeat.body(), at);
    }
    empty(at, Empty.FREE, end);
    return end;
  }
}
