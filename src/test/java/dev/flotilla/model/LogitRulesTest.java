package dev.flotilla.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.protocol.Grammar;
import dev.flotilla.protocol.Logprobs;
import dev.flotilla.protocol.Penalties;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.TokenIds;
import dev.flotilla.protocol.TokenRules;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Rules for tokens and penalties: each parameter and combinations of them by seeded draws against
 * the exact distribution, which is computed here directly, in doubles and by full sorting.
 */
class LogitRulesTest {
  private static final int VOCAB = 40;
  private static final TokenIds EOS = TokenIds.of(1);
  private static final TokenIds PROMPT = TokenIds.of(3, 4, 4, 5, 6);
  private static final TokenIds OUTPUT = TokenIds.of(7, 8, 7, 3, 7, 9, 8);
  private static final List<Float> BIASES = List.of(2f, -1.5f, -100f);

  private final Sampler sampler = new Sampler();

  private static float[] logits(long seed) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    float[] logits = new float[VOCAB];
    for (int i = 0; i < VOCAB; i++) {
      logits[i] = (float) random.nextGaussian() * 2;
    }
    // What the rules are about must matter.
    for (int id : new int[] {1, 3, 7, 8, 9}) {
      logits[id] = 2 + id % 3;
    }
    logits[4] = -0.5f;
    return logits;
  }

  private static Batch.Item item(Sampling sampling, int position, @Nullable TokenMask mask) {
    Batch.Item item =
        new Batch.Item(1, TokenIds.of(8), position - 1, TokenIds.EMPTY, sampling, -1, -1)
            .withHistory(new Batch.History(PROMPT, OUTPUT));
    return mask == null ? item : item.withMask(mask);
  }

  private static Sampling.Builder plain() {
    return Sampling.builder().seed(5);
  }

  private static List<Sampling> parameters() {
    TokenIds biased = TokenIds.of(2, 7, 9);
    List<TokenIds> badWords =
        List.of(TokenIds.of(9, 8, 3), TokenIds.of(8, 8), TokenIds.of(12), TokenIds.of(8, 7, 9));
    TokenRules everything =
        new TokenRules(biased, BIASES, TokenIds.of(1, 2, 3, 4, 7, 8, 9, 12), badWords);
    return List.of(
        plain().penalties(new Penalties(1.4f, 0, 0)).build(),
        plain().penalties(new Penalties(0.7f, 0, 0)).build(),
        plain().penalties(new Penalties(1, 0.8f, 0)).build(),
        plain().penalties(new Penalties(1, -0.8f, 0)).build(),
        plain().penalties(new Penalties(1, 0, 0.6f)).build(),
        plain().penalties(new Penalties(1.2f, 0.5f, 0.3f)).temperature(1.3f).build(),
        plain().rules(TokenRules.bias(biased, BIASES)).build(),
        plain()
            .rules(new TokenRules(TokenIds.EMPTY, List.of(), TokenIds.of(3, 9, 30), List.of()))
            .build(),
        plain().rules(new TokenRules(TokenIds.EMPTY, List.of(), TokenIds.EMPTY, badWords)).build(),
        plain().minTokens(8).stopIds(TokenIds.of(9)).build(),
        plain().minTokens(7).stopIds(TokenIds.of(9)).build(),
        plain().rules(everything).penalties(new Penalties(1.1f, 0.2f, 0.1f)).minTokens(99).build(),
        plain()
            .rules(TokenRules.bias(biased, BIASES))
            .penalties(new Penalties(1.2f, 0.4f, -0.2f))
            .temperature(0.8f)
            .topP(0.9f)
            .build(),
        plain().penalties(new Penalties(1.2f, 0.4f, 0)).topK(6).minP(0.05f).build(),
        plain().rules(everything).temperature(1.5f).topP(0.95f).topK(5).minP(0.01f).build());
  }

  @Test
  void drawsFollowTheExactDistribution() {
    float[] logits = logits(4);
    TokenMask mask = TokenMask.of(TokenIds.of(0, 1, 2, 3, 7, 8, 9, 20, 21, 39));
    for (@Nullable TokenMask its : new @Nullable TokenMask[] {null, mask}) {
      for (Sampling sampling : parameters()) {
        double[] expected = Distributions.exact(changed(logits, sampling, its), sampling);
        Distributions.assertFits(
            expected,
            position -> sampler.draw(logits, 0, VOCAB, item(sampling, position, its), EOS),
            (its == null ? "" : "masked, ") + sampling);
      }
    }
  }

  /** Straight from vLLM's definitions. */
  private static double[] changed(float[] logits, Sampling sampling, @Nullable TokenMask mask) {
    double[] row = new double[VOCAB];
    Set<Integer> repeated = new HashSet<>(PROMPT.stream().boxed().toList());
    repeated.addAll(OUTPUT.stream().boxed().toList());
    List<Integer> output = OUTPUT.stream().boxed().toList();
    TokenRules rules = sampling.rules();
    for (int id = 0; id < VOCAB; id++) {
      double value = logits[id];
      boolean early = output.size() < sampling.minTokens();
      boolean free =
          (mask == null || mask.allows(id))
              && (rules.allowed().isEmpty() || rules.allowed().contains(id))
              && !endsBadWord(rules, output, id)
              && !(early && (EOS.contains(id) || sampling.stopIds().contains(id)));
      for (int i = 0; i < rules.biased().size(); i++) {
        value += rules.biased().get(i) == id ? rules.biases().get(i) : 0;
      }
      if (repeated.contains(id)) {
        double repetition = sampling.penalties().repetition();
        value = value > 0 ? value / repetition : value * repetition;
      }
      int wanted = id;
      long count = output.stream().filter(o -> o == wanted).count();
      value -= sampling.penalties().frequency() * count;
      value -= count > 0 ? sampling.penalties().presence() : 0;
      row[id] = free ? value : Double.NEGATIVE_INFINITY;
    }
    return row;
  }

  private static boolean endsBadWord(TokenRules rules, List<Integer> output, int id) {
    List<Integer> all = new ArrayList<>(output);
    all.add(id);
    return rules.badWords().stream()
        .map(word -> word.stream().boxed().toList())
        .anyMatch(
            word ->
                all.size() >= word.size()
                    && all.subList(all.size() - word.size(), all.size()).equals(word));
  }

  @Test
  void greedyTakesTheBestOfTheChangedLogits() {
    for (int seed = 0; seed < 200; seed++) {
      float[] logits = logits(seed);
      for (Sampling drawn : parameters()) {
        Sampling sampling = drawn.toBuilder().temperature(0).build();
        double[] row = changed(logits, sampling, null);
        int best = sampler.draw(logits, 0, VOCAB, item(sampling, 9, null), EOS);
        double max = Arrays.stream(row).max().orElseThrow();
        assertEquals(max, row[best], 1e-5, sampling::toString);
      }
    }
  }

  @Test
  void logprobsStayThoseOfTheModel() {
    float[] logits = logits(4);
    float[] before = logits.clone();
    Logprobs raw = sampler.logprobs(logits, 0, VOCAB, 7, 5);
    for (Sampling sampling : parameters()) {
      sampler.draw(logits, 0, VOCAB, item(sampling, 9, null), EOS);
      assertEquals(raw, sampler.logprobs(logits, 0, VOCAB, 7, 5));
    }
    assertTrue(Arrays.equals(before, logits));
    double norm = 0;
    for (float logit : logits) {
      norm += Math.exp(logit);
    }
    assertEquals(logits[7] - Math.log(norm), raw.chosen().logprob(), 1e-6);
  }

  @Test
  void rulesThatLeaveNothingAreVoidButTheGrammarHolds() {
    float[] logits = logits(4);
    Sampling contradictory =
        plain()
            .rules(new TokenRules(TokenIds.EMPTY, List.of(), TokenIds.of(5), List.of()))
            .grammar(Grammar.jsonObject())
            .minTokens(50)
            .build();
    TokenMask onlyEnd = TokenMask.of(EOS);
    assertEquals(1, sampler.draw(logits, 0, VOCAB, item(contradictory, 9, onlyEnd), EOS));
    TokenMask nothing = TokenMask.of(TokenIds.EMPTY);
    assertEquals(5, sampler.draw(logits, 0, VOCAB, item(contradictory, 9, nothing), EOS));
  }

  @Test
  void idsBeyondTheVocabularyChangeNothing() {
    float[] logits = logits(4);
    Sampling sampling =
        Sampling.greedy(9).toBuilder()
            .rules(
                new TokenRules(
                    TokenIds.of(999), List.of(5f), TokenIds.of(7, 888), List.of(TokenIds.of(777))))
            .penalties(new Penalties(1.1f, 0.1f, 0.1f))
            .build();
    Batch.Item item =
        item(sampling, 9, null)
            .withHistory(new Batch.History(TokenIds.of(600, -1), TokenIds.of(500, 7)));
    assertEquals(7, sampler.draw(logits, 0, VOCAB, item, EOS));
  }

  @Test
  void aHistoryIsCarriedOnlyWhereItIsNeeded() {
    assertEquals(false, Batch.History.neededBy(Sampling.greedy(5), 0));
    assertEquals(false, Batch.History.neededBy(plain().topK(4).logprobs(3).build(), 3));
    assertEquals(true, Batch.History.neededBy(plain().minTokens(4).build(), 3));
    assertEquals(false, Batch.History.neededBy(plain().minTokens(4).build(), 4));
    assertEquals(
        true, Batch.History.neededBy(plain().penalties(new Penalties(1.1f, 0, 0)).build(), 0));
    assertEquals(true, Batch.History.neededBy(plain().grammar(Grammar.jsonObject()).build(), 0));
  }
}
