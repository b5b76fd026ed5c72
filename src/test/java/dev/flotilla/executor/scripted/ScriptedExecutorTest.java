package dev.flotilla.executor.scripted;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.config.ScriptedConfig;
import dev.flotilla.model.Batch;
import dev.flotilla.model.ModelConfig;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.TokenIds;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ScriptedExecutorTest {
  private static final int VOCAB = 50;
  private static final TokenIds SPECIALS = TokenIds.of(0, 1, 2, 3);
  private static final TokenIds PROMPT = TokenIds.of(4, 5, 6, 7, 8);
  private static final ScriptedConfig INSTANT = ScriptedConfig.DEFAULT.withScale(0);

  static ModelConfig model(int vocab) {
    return new ModelConfig(
        ModelConfig.Kind.LLAMA,
        8,
        16,
        1,
        1,
        1,
        8,
        vocab,
        1e-5f,
        new ModelConfig.Rope(10_000, null),
        512,
        true,
        false,
        null,
        TokenIds.of(2),
        1);
  }

  private static ScriptedExecutor executor(ScriptedConfig cost) {
    return new ScriptedExecutor(model(VOCAB), SPECIALS, cost, 16, null);
  }

  private static Batch.Item item(long sequence, TokenIds tokens, int start, boolean draws) {
    return new Batch.Item(
        sequence,
        tokens,
        start,
        TokenIds.of(0),
        draws ? Sampling.greedy(9) : null,
        -1,
        draws ? -1 : 9);
  }

  private static int draw(ScriptedExecutor executor, Batch.Item... items) {
    return executor.execute(new Batch(List.of(items))).items().getLast().token();
  }

  @Test
  void drawsTheExpectedTokensHoweverThePromptIsCut() {
    TokenIds expected = ScriptedExecutor.expectedTokens(VOCAB, SPECIALS, PROMPT, 3);
    try (ScriptedExecutor executor = executor(INSTANT)) {
      assertEquals(-1, draw(executor, item(1, PROMPT.slice(0, 2), 0, false)));
      int first = draw(executor, item(1, PROMPT.slice(2, 5), 2, true));
      int second = draw(executor, item(2, PROMPT, 0, true), item(1, TokenIds.of(first), 5, true));
      assertEquals(expected.slice(0, 2), TokenIds.of(first, second));
      TokenIds resumed = PROMPT.concat(expected.slice(0, 2));
      assertEquals(expected.get(2), draw(executor, item(3, resumed, 0, true)));
    }
  }

  @Test
  void goesOnBehindBlocksThatAnotherSequenceHasComputed() {
    TokenIds prompt = TokenIds.of(IntStream.range(0, 40).map(i -> 4 + i % 30).toArray());
    TokenIds expected = ScriptedExecutor.expectedTokens(VOCAB, SPECIALS, prompt, 1);
    try (ScriptedExecutor executor = executor(INSTANT)) {
      draw(executor, item(1, prompt, 0, TokenIds.of(7, 5, 9)));
      int second = draw(executor, item(2, prompt.slice(32, 40), 32, TokenIds.of(7, 5, 3)));
      assertEquals(expected.get(0), second);
      assertThrows(
          IllegalStateException.class,
          () -> draw(executor, item(3, prompt.slice(32, 40), 32, TokenIds.of(7, 9, 3))),
          "the last block was never full");
    }
  }

  private static Batch.Item item(long sequence, TokenIds tokens, int start, TokenIds blocks) {
    return new Batch.Item(sequence, tokens, start, blocks, Sampling.greedy(9), -1, -1);
  }

  @Test
  void emitsNoSpecialToken() {
    TokenIds many = ScriptedExecutor.expectedTokens(VOCAB, SPECIALS, PROMPT, 10_000);
    assertTrue(many.stream().noneMatch(SPECIALS::contains));
    assertEquals(VOCAB - SPECIALS.size(), many.stream().distinct().count());
  }

  @Test
  void refusesToGoOnWithASequenceItDoesNotKnow() {
    try (ScriptedExecutor executor = executor(INSTANT)) {
      assertThrows(
          IllegalStateException.class, () -> draw(executor, item(1, TokenIds.of(9), 5, true)));
      draw(executor, item(1, PROMPT, 0, true));
      assertThrows(
          IllegalStateException.class, () -> draw(executor, item(1, TokenIds.of(9), 6, true)));
    }
  }

  @Test
  void aStepCostsWhatTheModelSays() {
    ScriptedConfig cost = new ScriptedConfig(6, 0.03, 40_000, 0.04, 0.0001, 2, 160, 100);
    try (ScriptedExecutor executor = executor(cost)) {
      assertEquals(10, executor.blocks());
      Batch batch =
          new Batch(List.of(item(1, PROMPT, 0, false), item(2, TokenIds.of(9), 99, true)));
      double ms = 6 + 0.03 * 5 * (1 + 2.5 / 40_000.0) + 0.04 + 0.0001 * 100;
      assertEquals(2 * ms, executor.stepNanos(batch) / 1e6, 1e-6);
    }
  }

  @Test
  void aStepTakesItsTime() {
    ScriptedConfig cost = new ScriptedConfig(20, 0, 1, 0, 0, 1, 160, 100);
    try (ScriptedExecutor executor = executor(cost)) {
      long start = System.nanoTime();
      draw(executor, item(1, PROMPT, 0, true));
      assertTrue(System.nanoTime() - start >= 20_000_000);
    }
  }

  @Test
  void reportsCertaintyWhereLogprobsAreWanted() {
    try (ScriptedExecutor executor = executor(INSTANT)) {
      Sampling asking = Sampling.greedy(9).withLogprobs(1, 0);
      Batch.Item item = new Batch.Item(1, PROMPT, 0, TokenIds.of(0), asking, 0, -1);
      var result = executor.execute(new Batch(List.of(item))).items().getFirst();
      assertEquals(4, result.promptLogprobs().size());
      assertEquals(0f, java.util.Objects.requireNonNull(result.logprobs()).chosen().logprob());
      Batch.Item next = item(1, TokenIds.of(9), 5, true);
      assertNull(executor.execute(new Batch(List.of(next))).items().getFirst().logprobs());
    }
  }
}
