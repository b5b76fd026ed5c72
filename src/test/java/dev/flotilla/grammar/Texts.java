package dev.flotilla.grammar;

import dev.flotilla.grammar.Automaton.State;
import dev.flotilla.protocol.Grammar;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Walks grammars byte by byte. */
final class Texts {
  private Texts() {}

  static Automaton automaton(Grammar grammar) {
    return new Automaton(Grammars.compile(grammar));
  }

  static boolean accepts(Grammar grammar, String text) {
    return accepts(automaton(grammar), text);
  }

  static boolean accepts(Automaton automaton, String text) {
    State state = automaton.start();
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      state = automaton.next(state, b & 0xFF);
    }
    return state.accepting;
  }

  /** A random text of the grammar; null if it grew too long. */
  static @Nullable String random(Automaton automaton, RandomGenerator random, int bytesMax) {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    State state = automaton.start();
    while (text.size() < bytesMax) {
      if (state.accepting && (state.isFinal() || random.nextInt(4) == 0)) {
        return text.toString(StandardCharsets.UTF_8);
      }
      State here = state;
      int[] open = IntStream.range(0, 256).filter(i -> !automaton.next(here, i).isDead()).toArray();
      int b = open[random.nextInt(open.length)];
      text.write(b);
      state = automaton.next(state, b);
    }
    return null;
  }
}
