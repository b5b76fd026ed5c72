package dev.flotilla.executor.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.flotilla.model.Batch;
import dev.flotilla.model.ModelFolder;
import dev.flotilla.model.StepResult;
import dev.flotilla.protocol.Logprobs;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.TokenIds;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Holds the executor against what transformers computed in float32. */
class GoldenCpuTest {
  private static final Path BASE = Path.of(System.getProperty("flotilla.basedir", "."));
  private static final float TOLERANCE = 2e-3f;

  private static JsonNode golden(String model) throws Exception {
    Path file = BASE.resolve("src/test/resources/golden/" + model + ".json");
    return new ObjectMapper().readTree(file.toFile());
  }

  private static CpuExecutor open(String model) {
    ModelFolder folder = ModelFolder.open(BASE.resolve("src/main/models/" + model));
    return CpuExecutor.open(
        folder, new CpuOptions(16, 80, 1024, 8, 1024, CpuOptions.Progress.NONE));
  }

  private static TokenIds ids(JsonNode list) {
    int[] ids = new int[list.size()];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = list.get(i).asInt();
    }
    return TokenIds.of(ids);
  }

  private static TokenIds blocks(int tokens) {
    return TokenIds.of(IntStream.range(0, (tokens + 15) / 16).toArray());
  }

  private static StepResult.Item one(
      CpuExecutor executor, TokenIds tokens, int start, int promptLogprobs) {
    Sampling sampling = Sampling.greedy(1).withLogprobs(5, promptLogprobs);
    Batch.Item item =
        new Batch.Item(
            1, tokens, start, blocks(start + tokens.size()), sampling, promptLogprobs, -1);
    return executor.execute(new Batch(List.of(item))).items().getFirst();
  }

  private static Logprobs logprobs(StepResult.Item item) {
    Logprobs logprobs = item.logprobs();
    if (logprobs == null) {
      throw new AssertionError("log-probabilities were asked for");
    }
    return logprobs;
  }

  @ParameterizedTest
  @ValueSource(strings = {"tiny-llama", "tiny-qwen3-moe"})
  void continuesPromptsAsTransformersDoes(String model) throws Exception {
    try (CpuExecutor executor = open(model)) {
      int compared = 0;
      for (JsonNode golden : golden(model).get("cases")) {
        TokenIds prompt = ids(golden.get("prompt_ids"));
        TokenIds greedy = ids(golden.get("greedy_ids"));
        StepResult.Item result = one(executor, prompt, 0, 0);
        for (int i = 0; i < prompt.size() - 1; i++) {
          assertEquals(
              golden.get("prompt_logprobs").get(i).floatValue(),
              result.promptLogprobs().get(i).chosen().logprob(),
              TOLERANCE);
        }
        for (int i = 0; i < greedy.size(); i++) {
          Logprobs logprobs = logprobs(result);
          if (i < golden.get("steps").size()) {
            float expected = golden.get("steps").get(i).get("logprob").floatValue();
            assertEquals(expected, logprobs.chosen().logprob(), TOLERANCE);
          }
          if (result.token() != greedy.get(i)) {
            float margin = logprobs.top().get(0).logprob() - logprobs.top().get(1).logprob();
            assertTrue(margin < 1e-3, "token " + i + " differs with a margin of " + margin);
            break;
          }
          compared++;
          result = one(executor, greedy.slice(i, i + 1), prompt.size() + i, -1);
        }
      }
      System.out.println(model + ": compared " + compared + " greedy tokens");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tiny-llama", "tiny-qwen3-moe"})
  void scoresProseAsTransformersDoes(String model) throws Exception {
    JsonNode golden = golden(model);
    TokenIds prose = ids(golden.get("prose_ids"));
    try (CpuExecutor executor = open(model)) {
      StepResult.Item result = one(executor, prose, 0, 0);
      double sum = 0;
      for (Logprobs logprobs : result.promptLogprobs()) {
        sum -= logprobs.chosen().logprob();
      }
      double mean = sum / result.promptLogprobs().size();
      assertEquals(golden.get("prose_mean_nll").asDouble(), mean, 1e-3);
    }
  }
}
