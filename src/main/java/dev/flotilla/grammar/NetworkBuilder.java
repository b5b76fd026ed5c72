package dev.flotilla.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Collects the nodes of a {@link Network}. Parts are built forwards: a method takes the node where
 * a part begins and returns the one where it ends. No part leads back into the node it began at, so
 * several may begin at the same one.
 */
final class NetworkBuilder {
  /** About 30 MB; a schema that needs more is refused. */
  private static final int NODES_MAX = 200_000;

  private final List<Node> nodes = new ArrayList<>();
  private final Map<Object, Integer> characters = new HashMap<>();

  /** A growing list of numbers. */
  static final class Numbers {
    private static final int[] NONE = {};

    private int[] values = NONE;
    private int size;

    void add(int value) {
      if (size == values.length) {
        values = Arrays.copyOf(values, size + 2 + size / 2);
      }
      values[size++] = value;
    }

    int[] toArray() {
      return Arrays.copyOf(values, size);
    }
  }

  /** As {@link Network} has it. */
  static final class Node {
    final Numbers moves = new Numbers();
    final Numbers empties = new Numbers();
    final Numbers calls = new Numbers();
    boolean end;
  }

  /** How characters are written. */
  enum Writing {
    /** As they are. */
    PLAIN,
    /** Within a JSON string. */
    JSON
  }

  private record CharacterRule(CodePoints set, Writing writing) {}

  int node() {
    if (nodes.size() >= NODES_MAX) {
      throw new GrammarException(
          "",
          "the grammar is too large: its automaton has more than %d nodes".formatted(NODES_MAX));
    }
    nodes.add(new Node());
    return nodes.size() - 1;
  }

  void end(int node) {
    nodes.get(node).end = true;
  }

  void empty(int from, int to) {
    nodes.get(from).empties.add(to);
  }

  /** One byte of a range. */
  void bytes(int from, int first, int last, int to) {
    Numbers moves = nodes.get(from).moves;
    moves.add(first);
    moves.add(last);
    moves.add(to);
  }

  /** A rule, by its first node. */
  int call(int from, int rule) {
    int to = node();
    call(from, rule, to);
    return to;
  }

  void call(int from, int rule, int to) {
    Numbers calls = nodes.get(from).calls;
    calls.add(rule);
    calls.add(to);
  }

  /** A text as it stands. */
  int literal(int from, String text) {
    int at = from;
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      int to = node();
      bytes(at, b & 0xFF, b & 0xFF, to);
      at = to;
    }
    return at;
  }

  int optionalSpace(int from) {
    int to = node();
    bytes(from, ' ', ' ', to);
    empty(from, to);
    return to;
  }

  /** What an automaton over characters accepts, in the given writing. */
  int text(int from, CharNfa nfa, Writing writing) {
    int[] renamed = new int[nfa.states()];
    for (int s = 0; s < renamed.length; s++) {
      renamed[s] = node();
    }
    empty(from, renamed[0]);
    int to = node();
    for (int s = 0; s < renamed.length; s++) {
      for (CharNfa.Edge edge : nfa.edges(s)) {
        character(renamed[s], edge.set(), writing, renamed[edge.target()]);
      }
      if (nfa.accepts(s)) {
        empty(renamed[s], to);
      }
    }
    return to;
  }

  private void character(int from, CodePoints set, Writing writing, int to) {
    boolean plain = set.last(set.ranges() - 1) < 0x80 && set.ranges() <= 4;
    if (plain && (writing == Writing.PLAIN || set.intersect(JsonText.ESCAPED).isEmpty())) {
      for (int i = 0; i < set.ranges(); i++) {
        bytes(from, set.first(i), set.last(i), to);
      }
      return;
    }
    // Larger sets are rules of their own, so that each stands there once however often it is used.
    int rule =
        characters.computeIfAbsent(
            new CharacterRule(set, writing), _ -> characterRule(set, writing));
    call(from, rule, to);
  }

  private int characterRule(CodePoints set, Writing writing) {
    int rule = node();
    int end = node();
    end(end);
    CodePoints raw = writing == Writing.JSON ? set.minus(JsonText.ESCAPED) : set;
    Map<Integer, Map<Integer, Integer>> shared = new HashMap<>();
    for (int[] sequence : Utf8.sequences(raw)) {
      sequence(rule, sequence, end, shared);
    }
    if (writing == Writing.JSON) {
      JsonText.escapes(this, rule, set, end);
    }
    return rule;
  }

  /** Sequences that begin with the same ranges share their nodes. */
  private void sequence(
      int rule, int[] sequence, int end, Map<Integer, Map<Integer, Integer>> shared) {
    int at = rule;
    for (int i = 0; i < sequence.length; i += 2) {
      if (i + 2 == sequence.length) {
        bytes(at, sequence[i], sequence[i + 1], end);
        return;
      }
      Map<Integer, Integer> own = shared.computeIfAbsent(at, _ -> new HashMap<>());
      Integer next = own.get(sequence[i] << 8 | sequence[i + 1]);
      if (next == null) {
        next = node();
        bytes(at, sequence[i], sequence[i + 1], next);
        own.put(sequence[i] << 8 | sequence[i + 1], next);
      }
      at = next;
    }
  }

  Network build(int start) {
    return new Network(start, nodes);
  }
}
