package dev.flotilla.grammar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.model.Batch;
import dev.flotilla.model.TokenMask;
import dev.flotilla.protocol.Grammar;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.TokenIds;
import dev.flotilla.tokenizer.TokenBytes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Masks against the plain question for every token: may these bytes come next? */
class GrammarMasksTest {
  private static final TokenIds EOS = TokenIds.of(1);

  /** Pieces as SentencePiece writes them; é is two tokens of a byte each. */
  private static final String TOKENIZER =
      """
      {"added_tokens": [{"id": 0, "content": "<s>", "special": true},
        {"id": 1, "content": "</s>", "special": true}],
       "model": {"type": "BPE", "vocab": {"<s>": 0, "</s>": 1, "\u2581a": 2, "a": 3, "ab": 4, "b": 5,
        "<0xC3>": 6, "<0xA9>": 7, "\u2581": 8, "\u00e9": 9, "ba": 10, "<0x0A>": 11}}}""";

  private final TokenBytes vocabulary = vocabulary();
  private final GrammarMasks masks = new GrammarMasks(() -> vocabulary, EOS);

  @TempDir static Path folder;

  private static TokenBytes vocabulary() {
    try {
      Files.writeString(folder.resolve("tokenizer.json"), TOKENIZER);
      return TokenBytes.read(folder);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private TokenMask mask(long sequence, Grammar grammar, int... output) {
    Sampling sampling = Sampling.builder().grammar(grammar).build();
    masks.prepare(sampling);
    Batch.Item item =
        new Batch.Item(sequence, TokenIds.of(3), 5, TokenIds.EMPTY, sampling, -1, -1)
            .withHistory(new Batch.History(TokenIds.EMPTY, TokenIds.of(output)));
    return Objects.requireNonNull(masks.masked(new Batch(List.of(item))).items().get(0).mask());
  }

  private static List<Integer> allowed(TokenMask mask) {
    return IntStream.range(0, 100).filter(mask::allows).boxed().toList();
  }

  @Test
  void tokensMayCrossAndSplitWhatTheGrammarSays() {
    Grammar grammar = Cases.regex("(ab)+ ?\u00e9");
    assertEquals(List.of(3, 4), allowed(mask(1, grammar)));
    assertEquals(List.of(5, 10), allowed(mask(1, grammar, 3)));
    assertEquals(List.of(3, 4, 6, 8, 9), allowed(mask(1, grammar, 3, 5)));
    assertEquals(List.of(7), allowed(mask(1, grammar, 3, 5, 6)), "the rest of the character");
    assertEquals(List.of(1), allowed(mask(1, grammar, 3, 5, 6, 7)), "only the end is left");
    assertEquals(List.of(1), allowed(mask(1, grammar, 3, 5, 6, 7, 1)), "and nothing after it");
  }

  @Test
  void theEndIsAllowedOnlyWhereTheTextMayEnd() {
    Grammar grammar = Cases.regex("a(ba)*");
    assertFalse(mask(1, grammar).allows(1));
    assertEquals(List.of(1, 5, 10), allowed(mask(1, grammar, 3)));
    assertFalse(mask(1, grammar, 3, 5).allows(1));
  }

  @Test
  void aStateFollowsFromTheOutputAlone() {
    Grammar grammar = Cases.regex("(ab)+ ?\u00e9");
    List<Integer> expected = allowed(mask(1, grammar, 4, 4));
    mask(2, grammar, 4);
    assertEquals(expected, allowed(mask(2, grammar, 4, 4)), "a longer output of the same sequence");
    assertEquals(expected, allowed(mask(3, grammar, 4, 4)), "delivered elsewhere");
    mask(3, grammar, 4, 4, 8);
    assertEquals(expected, allowed(mask(3, grammar, 4, 4)), "a shorter one");
    assertEquals(List.of(3), allowed(mask(3, Cases.regex("a"))), "another grammar");
  }

  @Test
  void anOutputThatIsNoneOfTheGrammarsIsBroughtToItsEnd() {
    assertEquals(List.of(1), allowed(mask(1, Cases.regex("a+"), 5)));
    assertEquals(List.of(1), allowed(mask(2, Cases.regex("a+"), 0)));
    assertEquals(List.of(1), allowed(mask(3, Cases.regex("a+"), 99_999)));
  }

  @Test
  void drawsWithoutAGrammarAreLeftAlone() {
    Batch.Item item =
        new Batch.Item(1, TokenIds.of(3), 5, TokenIds.EMPTY, Sampling.greedy(1), -1, -1);
    Batch batch = new Batch(List.of(item));
    assertSame(batch, masks.masked(batch));
  }

  @Test
  void aModelWithoutAnEndTokenIsRefused() {
    GrammarMasks endless = new GrammarMasks(() -> vocabulary, TokenIds.EMPTY);
    Sampling sampling = Sampling.builder().grammar(Grammar.jsonObject()).build();
    assertThrows(GrammarException.class, () -> endless.prepare(sampling));
  }

  @Test
  void everyMaskIsWhatTheAutomatonSaysOfEveryToken() {
    Path path = Path.of(System.getProperty("flotilla.basedir", "."), "src/main/models/tiny-llama");
    TokenBytes tokens = TokenBytes.read(path);
    GrammarMasks all = new GrammarMasks(() -> tokens, EOS);
    for (Grammar grammar : Cases.ALL) {
      Sampling sampling = Sampling.builder().grammar(grammar).build();
      Automaton automaton = Texts.automaton(grammar);
      Automaton.State state = automaton.start();
      TokenIds output = TokenIds.EMPTY;
      for (int step = 0; step < 6 && !state.isFinal(); step++) {
        Batch.Item item =
            new Batch.Item(output.hashCode(), TokenIds.of(3), 5, TokenIds.EMPTY, sampling, -1, -1)
                .withHistory(new Batch.History(TokenIds.EMPTY, output));
        TokenMask mask =
            Objects.requireNonNull(all.masked(new Batch(List.of(item))).items().get(0).mask());
        int chosen = -1;
        for (int id = 0; id < tokens.size(); id++) {
          boolean may =
              id == 1 ? state.accepting : !after(automaton, state, tokens.of(id)).isDead();
          assertEquals(may, mask.allows(id), grammar + " and token " + id);
          chosen = may && id > 1 && (chosen < 0 || id % 7 == step) ? id : chosen;
        }
        assertTrue(chosen > 1, "something may always follow");
        state = after(automaton, state, tokens.of(chosen));
        output = output.concat(TokenIds.of(chosen));
      }
    }
  }

  /** A token without bytes leads nowhere. */
  private static Automaton.State after(Automaton automaton, Automaton.State from, byte[] bytes) {
    Automaton.State state = bytes.length == 0 ? automaton.dead() : from;
    for (byte b : bytes) {
      state = automaton.next(state, b & 0xFF);
    }
    return state;
  }
}
