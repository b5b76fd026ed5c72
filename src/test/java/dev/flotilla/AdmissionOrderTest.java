package dev.flotilla;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import dev.flotilla.executor.cpu.CpuExecutor;
import dev.flotilla.executor.cpu.CpuOptions;
import dev.flotilla.model.Batch;
import dev.flotilla.model.Executor;
import dev.flotilla.model.ModelFolder;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.protocol.TokenIds;
import dev.flotilla.scheduler.Admission;
import dev.flotilla.scheduler.Scheduler;
import dev.flotilla.scheduler.SchedulerLimits;
import dev.flotilla.tokenizer.TextTokenizer;
import dev.flotilla.tokenizer.Tokenizers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** 32 prompts at once give token for token what each gives alone, however they are admitted. */
class AdmissionOrderTest {
  private static final int PROMPTS = 32;
  private static final int BLOCK = 16;
  private static final int TOKENS = 24;
  private static final FrontendId SELF = new FrontendId("test");

  @ParameterizedTest
  @ValueSource(strings = {"tiny-llama", "tiny-qwen3-moe"})
  void togetherIsAsAlone(String name) {
    Path path = SourceFormat.root().resolve("src/main/models").resolve(name);
    ModelFolder folder = ModelFolder.open(path);
    List<TokenIds> prompts = prompts(Tokenizers.open(path));
    try (Executor executor =
        CpuExecutor.open(
            folder, new CpuOptions(BLOCK, 512, 1024, PROMPTS, 512, CpuOptions.Progress.NONE))) {
      List<TokenIds> alone = new ArrayList<>();
      for (int i = 0; i < PROMPTS; i++) {
        alone.add(run(executor, folder, prompts, List.of(i), 512, 0).get(i));
      }
      List<Integer> order = new ArrayList<>(IntStream.range(0, PROMPTS).boxed().toList());
      assertEquals(alone, run(executor, folder, prompts, order, 512, 0), "in order");
      assertEquals(alone, run(executor, folder, prompts, order.reversed(), 512, 0), "reversed");
      for (long seed = 1; seed <= 4; seed++) {
        Collections.shuffle(order, new Random(seed));
        // A small budget cuts prompts into chunks; arrivals in between mix prefill and decode.
        int budget = seed % 2 == 0 ? 40 : 512;
        assertEquals(
            alone, run(executor, folder, prompts, order, budget, seed), "shuffled by " + seed);
      }
    }
  }

  /** Outputs by prompt; {@code gap} steps pass between two arrivals. */
  private static List<TokenIds> run(
      Executor executor,
      ModelFolder folder,
      List<TokenIds> prompts,
      List<Integer> order,
      int budget,
      long gap) {
    Scheduler scheduler =
        new Scheduler(
            new SchedulerLimits(
                PROMPTS,
                budget,
                PROMPTS,
                1024,
                executor.blocks(),
                executor.blockSize(),
                folder.config().eos()));
    TokenIds[] outputs = new TokenIds[prompts.size()];
    Arrays.fill(outputs, TokenIds.EMPTY);
    int submitted = 0;
    for (long step = 0; submitted < order.size() || !scheduler.idle(); step++) {
      while (submitted < order.size() && submitted * gap <= step) {
        int prompt = order.get(submitted++);
        assertInstanceOf(
            Admission.Accepted.class, scheduler.submit(submit(prompt, prompts.get(prompt))));
      }
      Batch batch = scheduler.schedule();
      for (ToFrontend.Delta delta : scheduler.update(batch, executor.execute(batch))) {
        int prompt = (int) delta.request().counter();
        assertEquals(outputs[prompt].size(), delta.offset());
        outputs[prompt] = outputs[prompt].concat(delta.ids());
      }
    }
    return List.of(outputs);
  }

  private static ToEngine.Submit submit(int prompt, TokenIds ids) {
    // Half are greedy, half drawn, so that the seed's keying is held too.
    Sampling sampling =
        prompt % 2 == 0
            ? Sampling.greedy(TOKENS)
            : Sampling.builder()
                .temperature(1.2f)
                .topP(0.9f)
                .topK(50)
                .seed(prompt)
                .maxTokens(TOKENS)
                .build();
    return new ToEngine.Submit(
        new RequestId(SELF, prompt), 0, Epoch.NONE, 1, ids, TokenIds.EMPTY, sampling);
  }

  private static List<TokenIds> prompts(TextTokenizer tokenizer) {
    String text =
        "The whale swam past the ship while the crew of every country of the world looked on. ";
    List<TokenIds> prompts = new ArrayList<>();
    for (int i = 0; i < PROMPTS; i++) {
      String prompt = text.repeat(1 + i % 5).substring(i) + "Question " + i + ":";
      prompts.add(tokenizer.encode(prompt, false));
    }
    return prompts;
  }
}
