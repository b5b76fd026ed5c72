package dev.flotilla.executor.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.flotilla.model.Executor;
import dev.flotilla.protocol.Logprobs;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.TokenIds;
import dev.flotilla.tokenizer.ChatTemplate;
import dev.flotilla.tokenizer.TextTokenizer;
import dev.flotilla.tokenizer.Tokenizers;
import java.io.InputStream;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.tukaani.xz.XZInputStream;

/**
 * Executors against what transformers computed in float32 from the same weights, and against each
 * other. Sums run in another order there, so a greedy step may differ where our own two best tokens
 * are nearly equal; what follows in that case is then another text and is not compared.
 */
class GoldenTest {
  private static final double NEARLY_EQUAL = 1e-3;
  private static final double LOGPROB_TOLERANCE = 2e-3;
  private static final double NLL_TOLERANCE = 1e-3;
  private static final double EXECUTORS_TOLERANCE = 1e-4;
  private static final int GREEDY_TOKENS = 64;
  private static final int QUESTIONS = 300;
  private static final double ANSWERED_MIN = 0.95;

  static Stream<Arguments> all() {
    return pairs(Subject.ALL);
  }

  static Stream<Arguments> fast() {
    return pairs(Subject.ALL.stream().filter(Subject::fast).toList());
  }

  private static Stream<Arguments> pairs(List<Subject> subjects) {
    return subjects.stream()
        .flatMap(s -> Subject.MODELS.stream().map(model -> Arguments.of(s, model)));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("all")
  void generatesWhatTransformersGenerates(Subject subject, String model) throws Exception {
    Golden golden = Golden.read(model);
    Sampling greedy = Sampling.greedy(GREEDY_TOKENS).withLogprobs(5, 0);
    List<Streams.Generated> ours;
    try (Executor executor = subject.open(model)) {
      ours =
          new Streams(executor)
              .run(golden.cases().stream().map(Golden.Case::promptIds).toList(), greedy, 12);
    }
    int compared = 0;
    int expected = 0;
    double worst = 0;
    for (int i = 0; i < ours.size(); i++) {
      Golden.Case wanted = golden.cases().get(i);
      int same = sameTokens(wanted, ours.get(i));
      compared += same;
      expected += wanted.greedyIds().size();
      worst = Math.max(worst, worstLogprob(wanted, ours.get(i), same));
    }
    System.out.printf(
        "%s %s: %d of %d greedy tokens compared and equal, log-probabilities within %.1e%n",
        subject, model, compared, expected, worst);
    assertTrue(worst < LOGPROB_TOLERANCE, "log-probabilities differ by " + worst);
  }

  /** How many tokens are equal from the start; any other difference than a near tie fails. */
  private static int sameTokens(Golden.Case wanted, Streams.Generated ours) {
    for (int i = 0; i < wanted.greedyIds().size(); i++) {
      boolean same = i < ours.output().size() && ours.output().get(i) == wanted.greedyIds().get(i);
      if (!same) {
        List<Logprobs.Entry> top = ours.steps().get(i).top();
        double margin = top.get(0).logprob() - top.get(1).logprob();
        assertTrue(
            margin < NEARLY_EQUAL,
            "'%s': token %d is %s, not %s, by a margin of %s"
                .formatted(wanted.prompt(), i, ours.output(), wanted.greedyIds().get(i), margin));
        return i;
      }
    }
    assertEquals(wanted.greedyIds().size(), ours.output().size(), wanted.prompt());
    return wanted.greedyIds().size();
  }

  private static double worstLogprob(Golden.Case wanted, Streams.Generated ours, int same) {
    assertEquals(wanted.promptLogprobs().size(), ours.prompt().size());
    double worst = 0;
    for (int i = 0; i < ours.prompt().size(); i++) {
      double own = ours.prompt().get(i).chosen().logprob();
      worst = Math.max(worst, Math.abs(own - wanted.promptLogprobs().get(i)));
    }
    for (int i = 0; i < Math.min(same, wanted.steps().size()); i++) {
      Golden.Step step = wanted.steps().get(i);
      Logprobs own = ours.steps().get(i);
      worst = Math.max(worst, Math.abs(own.chosen().logprob() - step.logprob()));
      for (int k = 0; k < step.top().size(); k++) {
        worst = Math.max(worst, Math.abs(own.top().get(k).logprob() - step.top().get(k)));
      }
    }
    return worst;
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("all")
  void scoresProseAsTransformersDoes(Subject subject, String model) throws Exception {
    Golden golden = Golden.read(model);
    try (Executor executor = subject.open(model)) {
      List<Logprobs> scores = new Streams(executor).score(golden.prose(), 0);
      assertEquals(golden.prose().size() - 1, scores.size());
      double nll = -scores.stream().mapToDouble(s -> s.chosen().logprob()).average().orElseThrow();
      System.out.printf(
          "%s %s: mean nll %.6f, transformers %.6f%n", subject, model, nll, golden.proseMeanNll());
      assertEquals(golden.proseMeanNll(), nll, NLL_TOLERANCE);
    }
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("all")
  void tokenizerAgreesWithTransformers(Subject subject, String model) throws Exception {
    TextTokenizer tokenizer = Tokenizers.open(Subject.folder(model));
    for (Golden.Case c : Golden.read(model).cases()) {
      boolean begun = c.prompt().startsWith("<|begin_of_text|>");
      TokenIds ids = tokenizer.encode(c.prompt(), false);
      assertEquals(c.promptIds(), begun ? ids : TokenIds.of(0).concat(ids), subject.name());
      assertEquals(c.greedyText(), tokenizer.decode(c.greedyIds(), false));
    }
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("fast")
  void agreesWithTheReference(Subject subject, String model) throws Exception {
    TokenIds text = Golden.read(model).prose().slice(0, 96);
    try (Executor plain = Subject.REFERENCE.open(model);
        Executor other = subject.open(model)) {
      int vocab = plain.config().vocab();
      List<Logprobs> expected = new Streams(plain).score(text, vocab);
      List<Logprobs> actual = new Streams(other).score(text, vocab);
      double worst = 0;
      for (int i = 0; i < expected.size(); i++) {
        float[] a = byToken(expected.get(i));
        float[] b = byToken(actual.get(i));
        worst =
            Math.max(
                worst,
                IntStream.range(0, vocab)
                    .mapToDouble(t -> Math.abs(a[t] - b[t]))
                    .max()
                    .orElseThrow());
      }
      System.out.printf("%s %s: within %.1e of the reference%n", subject, model, worst);
      assertTrue(worst < EXECUTORS_TOLERANCE, "log-probabilities differ by " + worst);
    }
  }

  private static float[] byToken(Logprobs all) {
    float[] values = new float[all.top().size()];
    all.top().stream()
        .sorted(Comparator.comparingInt(Logprobs.Entry::token))
        .forEach(e -> values[e.token()] = e.logprob());
    return values;
  }

  /**
   * Alone, a few at once with prompts cut in pieces, and all at once in another order, to the last
   * bit of the log-probabilities.
   */
  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("fast")
  void resultsDoNotDependOnTheBatch(Subject subject, String model) throws Exception {
    List<TokenIds> prompts =
        Golden.read(model).cases().stream().map(Golden.Case::promptIds).toList();
    Sampling drawn =
        Sampling.builder()
            .temperature(0.9f)
            .topP(0.95f)
            .topK(50)
            .minP(0.01f)
            .seed(11)
            .maxTokens(12)
            .logprobs(3)
            .promptLogprobs(1)
            .build();
    try (Executor executor = subject.open(model)) {
      List<Streams.Generated> alone = new Streams(executor).run(prompts, drawn, 1);
      assertEquals(alone, new Streams(executor, 7).run(prompts, drawn, 5));
      assertEquals(
          alone.reversed(), new Streams(executor).run(prompts.reversed(), drawn, prompts.size()));
    }
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("fast")
  void answersQuestionsOfTheCorpus(Subject subject, String model) throws Exception {
    TextTokenizer tokenizer = Tokenizers.open(Subject.folder(model));
    ChatTemplate template = ChatTemplate.open(Subject.folder(model));
    List<String> answers = new ArrayList<>();
    List<TokenIds> prompts = new ArrayList<>();
    for (List<String> pair : questions()) {
      String prompt =
          template.render(List.of(Map.of("role", "user", "content", pair.get(0))), true, Map.of());
      prompts.add(tokenizer.encode(prompt, false));
      answers.add(pair.get(1));
    }
    int right = 0;
    try (Executor executor = subject.open(model)) {
      List<Streams.Generated> all =
          new Streams(executor).run(prompts, Sampling.greedy(GREEDY_TOKENS), 32);
      for (int i = 0; i < all.size(); i++) {
        String answer = tokenizer.decode(all.get(i).output(), true).strip();
        right += answer.equals(answers.get(i)) ? 1 : 0;
      }
    }
    System.out.printf(
        "%s %s: %d of %d questions answered word for word%n", subject, model, right, QUESTIONS);
    assertTrue(right >= ANSWERED_MIN * QUESTIONS, right + " of " + QUESTIONS + " answered");
  }

  private static List<List<String>> questions() throws Exception {
    JsonNode chat;
    try (InputStream packed =
        Files.newInputStream(Subject.base().resolve("src/main/models/tools/corpus.json.xz"))) {
      chat = JsonMapper.builder().build().readTree(new XZInputStream(packed)).get("chat");
    }
    return new Random(17)
        .ints(0, chat.size())
        .distinct()
        .limit(QUESTIONS)
        .mapToObj(i -> List.of(chat.get(i).get(0).asText(), chat.get(i).get(1).asText()))
        .toList();
  }
}
