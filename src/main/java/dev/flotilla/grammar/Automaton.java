package dev.flotilla.grammar;

import dev.flotilla.model.TokenMask;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Walks a {@link Network}. A state is the set of all positions, each a node with a stack of calls,
 * at which the bytes so far may have come; states are made when they are first reached and kept, so
 * that a walk over known ground is a look-up per byte. Used by one thread.
 */
final class Automaton {
  /** About 1 kB each with their moves. */
  private static final int STATES_MAX = 20_000;

  private final Network network;
  private final Map<Positions, State> states = new HashMap<>();
  private final Map<Frame, Frame> frames = new HashMap<>();
  private final State dead;
  private final State start;

  /** A call under way; equal calls are the same object. */
  private static final class Frame {
    static final Frame NONE = new Frame(-1, null);

    final int goOn;
    final @Nullable Frame outer;
    final int depth;
    private final int hash;

    Frame(int goOn, @Nullable Frame outer) {
      this.goOn = goOn;
      this.outer = outer;
      depth = outer == null ? 0 : outer.depth + 1;
      hash = 31 * System.identityHashCode(outer) + goOn;
    }

    @Override
    @SuppressWarnings("ReferenceEquality") // outer frames are interned
    public boolean equals(Object other) {
      return other instanceof Frame that && goOn == that.goOn && outer == that.outer;
    }

    @Override
    public int hashCode() {
      return hash;
    }
  }

  /** A node and the calls that it lies in. */
  private record Position(int node, Frame frame) {}

  private record Positions(Set<Position> all, boolean accepting) {}

  /** A set of positions. */
  static final class State {
    private final Position[] positions;
    private final @Nullable State[] next;

    /** Whether the text may end here. */
    final boolean accepting;

    /** What {@link GrammarMasks} has found out about this state. */
    @Nullable TokenMask mask;

    private State(Position[] positions, boolean accepting, int classes) {
      this.positions = positions;
      this.accepting = accepting;
      next = new @Nullable State[classes];
    }

    /** Whether no text begins like this. */
    boolean isDead() {
      return positions.length == 0 && !accepting;
    }

    /** Whether nothing can follow. */
    boolean isFinal() {
      return positions.length == 0;
    }
  }

  Automaton(Network network) {
    this.network = network;
    dead = new State(new Position[0], false, network.classCount);
    Arrays.fill(dead.next, dead);
    Closure closure = new Closure();
    closure.add(network.start, Frame.NONE);
    start = closure.state();
  }

  /** Where every text begins. */
  State start() {
    return start;
  }

  /** From where nothing leads on. */
  State dead() {
    return dead;
  }

  /** Whether so many states are kept that a new automaton should take this one's position. */
  boolean full() {
    return states.size() >= STATES_MAX;
  }

  /** Where one more byte leads. */
  State next(State state, int b) {
    int byteClass = network.classes[b];
    State known = state.next[byteClass];
    if (known == null) {
      known = compute(state, b);
      state.next[byteClass] = known;
    }
    return known;
  }

  private State compute(State state, int b) {
    Closure closure = new Closure();
    for (Position position : state.positions) {
      int[] moves = network.moves[position.node];
      for (int i = 0; i < moves.length; i += 3) {
        if (b >= moves[i] && b <= moves[i + 1]) {
          closure.add(moves[i + 2], position.frame);
        }
      }
    }
    return closure.state();
  }

  /** Follows empty moves, calls and ends. */
  private final class Closure {
    private final Set<Position> seen = new HashSet<>();
    private final Set<Position> reading = new HashSet<>();
    private final Deque<Position> queue = new ArrayDeque<>();
    private boolean accepting;

    void add(int node, Frame frame) {
      // What cannot be finished within the bound on depth is not begun.
      if (network.needs[node] + frame.depth <= Network.DEPTH_MAX) {
        Position position = new Position(node, frame);
        if (seen.add(position)) {
          queue.add(position);
        }
      }
    }

    State state() {
      while (!queue.isEmpty()) {
        expand(queue.poll());
      }
      if (reading.isEmpty() && !accepting) {
        return dead;
      }
      return states.computeIfAbsent(
          new Positions(reading, accepting),
          _ -> new State(reading.toArray(new Position[0]), accepting, network.classCount));
    }

    private void expand(Position position) {
      int node = position.node;
      if (network.moves[node].length > 0) {
        reading.add(position);
      }
      for (int target : network.empties[node]) {
        add(target, position.frame);
      }
      int[] calls = network.calls[node];
      for (int i = 0; i < calls.length; i += 2) {
        if (network.needs[calls[i + 1]] + position.frame.depth <= Network.DEPTH_MAX) {
          add(calls[i], frame(calls[i + 1], position.frame));
        }
      }
      if (network.ends[node]) {
        if (position.frame.outer == null) {
          accepting = true;
        } else {
          add(position.frame.goOn, position.frame.outer);
        }
      }
    }
  }

  private Frame frame(int goOn, Frame outer) {
    Frame wanted = new Frame(goOn, outer);
    Frame known = frames.putIfAbsent(wanted, wanted);
    return known == null ? wanted : known;
  }
}
