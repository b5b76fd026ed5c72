package dev.flotilla.grammar;

import dev.flotilla.grammar.Automaton.State;
import dev.flotilla.model.Batch;
import dev.flotilla.model.TokenMask;
import dev.flotilla.protocol.Grammar;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.TokenIds;
import dev.flotilla.tokenizer.TokenBytes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Gives the draws of a batch the masks of their grammars. A sequence's state follows from its
 * output alone, delivered tokens of earlier attempts included, so that a request which was moved,
 * preempted or resumed goes on where it was; what is kept here only saves walking there again.
 *
 * <p>The model's end tokens are allowed where the text may end, and nothing else where nothing can
 * follow, or where the output so far is none of the grammar's. Special tokens are never allowed.
 * Used by one thread.
 */
public final class GrammarMasks {
  /** Automata that are kept; one may have grown to some 20 MB. */
  private static final int GRAMMARS_MAX = 32;

  /** More than run at once; a forgotten one costs a walk over its output. */
  private static final int CURSORS_MAX = 2048;

  /** Bytes of masks that one automaton may hold before it is made anew. */
  private static final long MASK_BYTES_MAX = 32L << 20;

  private final Supplier<TokenBytes> vocabulary;
  private final TokenIds eos;
  private final TokenMask onlyEos;
  private final Map<Grammar, Compiled> grammars = bounded(GRAMMARS_MAX);
  private final Map<Long, Cursor> cursors = bounded(CURSORS_MAX);
  private @Nullable TokenTrie trie;

  /** A grammar with all that was found out about it. */
  private static final class Compiled {
    final Network network;
    Automaton automaton;
    long maskBytes;

    Compiled(Network network) {
      this.network = network;
      automaton = new Automaton(network);
    }
  }

  /** Where a sequence is after so many tokens. */
  private static final class Cursor {
    final Grammar text;
    final Compiled grammar;
    Automaton automaton;
    State state;
    int taken;

    Cursor(Grammar text, Compiled grammar) {
      this.text = text;
      this.grammar = grammar;
      automaton = grammar.automaton;
      state = automaton.start();
    }
  }

  /**
   * Without any grammar yet.
   *
   * @param vocabulary read when the first grammar comes
   * @param eos the model's end tokens
   */
  public GrammarMasks(Supplier<TokenBytes> vocabulary, TokenIds eos) {
    this.vocabulary = vocabulary;
    this.eos = eos;
    onlyEos = TokenMask.of(eos);
  }

  private static <K, V> Map<K, V> bounded(int most) {
    return new LinkedHashMap<>(16, 0.75f, true) {
      private static final long serialVersionUID = 1;

      @Override
      protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
        return size() > most;
      }
    };
  }

  /**
   * Compiles a request's grammar, if it has one that is not known.
   *
   * @throws GrammarException if it cannot be honoured
   */
  public void prepare(Sampling sampling) {
    Grammar grammar = sampling.grammar();
    if (grammar != null) {
      if (eos.isEmpty()) {
        throw new GrammarException(
            "eos", "structured output needs a model with an end token, and this one has none");
      }
      compiled(grammar);
    }
  }

  /** The batch with masks; the very same if no draw has a grammar. */
  public Batch masked(Batch batch) {
    List<Batch.Item> items = null;
    for (int i = 0; i < batch.items().size(); i++) {
      Batch.Item item = batch.items().get(i);
      if (item.sampling() != null && item.sampling().grammar() != null) {
        if (items == null) {
          items = new ArrayList<>(batch.items());
        }
        items.set(i, item.withMask(mask(item, item.sampling().grammar())));
      }
    }
    return items == null ? batch : new Batch(items);
  }

  private TokenMask mask(Batch.Item item, Grammar grammar) {
    TokenIds output = item.history() == null ? TokenIds.EMPTY : item.history().output();
    Cursor cursor = cursors.get(item.sequence());
    if (cursor == null
        || !cursor.text.equals(grammar)
        || cursor.taken > output.size()
        || cursor.automaton != cursor.grammar.automaton) {
      cursor = new Cursor(grammar, compiled(grammar));
      cursors.put(item.sequence(), cursor);
    }
    while (cursor.taken < output.size()) {
      cursor.state = after(cursor, output.get(cursor.taken++));
    }
    if (cursor.state.isFinal()) {
      return onlyEos;
    }
    TokenMask known = cursor.state.mask;
    if (known == null) {
      known = compute(cursor.automaton, cursor.state);
      cursor.state.mask = known;
      renewIfLarge(cursor.grammar);
    }
    return known;
  }

  /** Nothing may follow an end token, so that it leads where only another one is allowed. */
  private State after(Cursor cursor, int token) {
    State state = cursor.state;
    if (token < 0 || token >= trie().vocab() || eos.contains(token)) {
      return cursor.automaton.dead();
    }
    byte[] bytes = trie().bytes(token);
    for (int i = 0; i < bytes.length && !state.isDead(); i++) {
      state = cursor.automaton.next(state, bytes[i] & 0xFF);
    }
    return bytes.length == 0 ? cursor.automaton.dead() : state;
  }

  private TokenMask compute(Automaton automaton, State from) {
    TokenTrie tokens = trie();
    long[] words = new long[(tokens.vocab() + 63) / 64];
    State[] states = new State[tokens.depthMax + 1];
    states[0] = from;
    int n = 0;
    while (n < tokens.bytes.length) {
      int depth = tokens.depths[n];
      State state = automaton.next(states[depth], tokens.bytes[n] & 0xFF);
      if (state.isDead()) {
        n = tokens.ends[n];
      } else {
        states[depth + 1] = state;
        for (int t = tokens.firsts[n]; t < tokens.firsts[n + 1]; t++) {
          words[tokens.tokens[t] >> 6] |= 1L << tokens.tokens[t];
        }
        n++;
      }
    }
    if (from.accepting) {
      eos.stream().filter(id -> id < tokens.vocab()).forEach(id -> words[id >> 6] |= 1L << id);
    }
    return TokenMask.ofBits(words);
  }

  private void renewIfLarge(Compiled grammar) {
    grammar.maskBytes += trie().vocab() / 8;
    if (grammar.automaton.full() || grammar.maskBytes > MASK_BYTES_MAX) {
      grammar.automaton = new Automaton(grammar.network);
      grammar.maskBytes = 0;
    }
  }

  private Compiled compiled(Grammar grammar) {
    Compiled known = grammars.get(grammar);
    if (known == null) {
      known = new Compiled(Grammars.compile(grammar));
      grammars.put(grammar, known);
    }
    return known;
  }

  private TokenTrie trie() {
    TokenTrie known = trie;
    if (known == null) {
      known = new TokenTrie(vocabulary.get());
      trie = known;
    }
    return known;
  }
}
