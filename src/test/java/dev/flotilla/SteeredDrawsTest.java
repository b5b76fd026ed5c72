package dev.flotilla;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.executor.cpu.CpuExecutor;
import dev.flotilla.executor.cpu.CpuOptions;
import dev.flotilla.executor.cpu.ReferenceExecutor;
import dev.flotilla.model.Batch;
import dev.flotilla.model.Executor;
import dev.flotilla.model.ModelFolder;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Logprobs;
import dev.flotilla.protocol.Penalties;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.protocol.TokenIds;
import dev.flotilla.protocol.TokenRules;
import dev.flotilla.scheduler.Admission;
import dev.flotilla.scheduler.Scheduler;
import dev.flotilla.scheduler.SchedulerLimits;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Penalties and rules for tokens through scheduler and executors, with a real model. */
class SteeredDrawsTest {
  private static final TokenIds PROMPT = TokenIds.of(0, 300, 301, 302, 500, 501, 300);
  private static final int TOKENS = 40;
  private static final ModelFolder FOLDER =
      ModelFolder.open(SourceFormat.root().resolve("src/main/models/tiny-llama"));
  private static Executor executor;

  private record Answer(TokenIds ids, List<Logprobs> logprobs, List<Logprobs> prompt) {}

  @BeforeAll
  static void open() {
    executor =
        CpuExecutor.open(FOLDER, new CpuOptions(16, 64, 1024, 4, 64, CpuOptions.Progress.NONE));
  }

  @AfterAll
  static void close() {
    executor.close();
  }

  private static Answer run(Executor on, TokenIds prompt, TokenIds delivered, Sampling sampling) {
    Scheduler scheduler =
        new Scheduler(
            new SchedulerLimits(
                4, 64, 4, 1024, on.blocks(), on.blockSize(), FOLDER.config().eos()));
    ToEngine.Submit submit =
        new ToEngine.Submit(
            new RequestId(new FrontendId("f"), 1), 0, Epoch.NONE, 1, prompt, delivered, sampling);
    assertInstanceOf(Admission.Accepted.class, scheduler.submit(submit));
    TokenIds ids = delivered;
    List<Logprobs> logprobs = new ArrayList<>();
    List<Logprobs> ofPrompt = new ArrayList<>();
    while (!scheduler.idle()) {
      Batch batch = scheduler.schedule();
      for (ToFrontend.Delta delta : scheduler.update(batch, on.execute(batch))) {
        ids = ids.concat(delta.ids());
        logprobs.addAll(delta.logprobs());
        ofPrompt.addAll(delta.promptLogprobs());
      }
    }
    return new Answer(ids, logprobs, ofPrompt);
  }

  private static Sampling.Builder drawn() {
    return Sampling.builder().temperature(0.9f).seed(3).maxTokens(TOKENS).logprobs(2);
  }

  private static List<Sampling> steered() {
    return List.of(
        drawn().penalties(new Penalties(1.3f, 0, 0)).build(),
        drawn().penalties(new Penalties(1, 0.7f, 0.4f)).build(),
        drawn().temperature(0).penalties(new Penalties(1.1f, 0.3f, 0.2f)).build(),
        drawn()
            .rules(
                new TokenRules(
                    TokenIds.of(310, 311),
                    List.of(3f, 4f),
                    TokenIds.of(IntStream.range(300, 330).toArray()),
                    List.of(TokenIds.of(310, 311), TokenIds.of(312))))
            .penalties(new Penalties(1.05f, 0, 0.1f))
            .topP(0.95f)
            .build());
  }

  @Test
  void aMovedRequestCountsWhatWasDeliveredAsOutput() {
    for (Sampling sampling : steered()) {
      Answer whole = run(executor, PROMPT, TokenIds.EMPTY, sampling);
      for (int cut : new int[] {1, 7, 23, whole.ids.size() - 1}) {
        Answer moved = run(executor, PROMPT, whole.ids.slice(0, cut), sampling);
        assertEquals(whole.ids, moved.ids, () -> sampling + " cut at " + cut);
      }
      Sampling free = sampling.toBuilder().penalties(Penalties.NONE).rules(TokenRules.NONE).build();
      assertNotEquals(
          whole.ids, run(executor, PROMPT, TokenIds.EMPTY, free).ids, "it must make a difference");
    }
  }

  /** What is reported with a draw is what the model says of the same token in a prompt. */
  @Test
  void logprobsAreThoseOfTheModelWhateverSteersTheDraw() {
    for (Sampling sampling : steered()) {
      Answer answer = run(executor, PROMPT, TokenIds.EMPTY, sampling);
      Sampling reading = Sampling.greedy(1).withLogprobs(-1, 2);
      List<Logprobs> read =
          run(executor, PROMPT.concat(answer.ids), TokenIds.EMPTY, reading).prompt;
      assertEquals(
          answer.logprobs, read.subList(PROMPT.size() - 1, read.size()), sampling::toString);
    }
  }

  @Test
  void rulesAreKept() {
    for (long seed = 0; seed < 10; seed++) {
      Sampling sampling = steered().get(3).toBuilder().seed(seed).build();
      for (Executor on : List.of(executor, ReferenceExecutor.open(FOLDER, 16, 16))) {
        TokenIds ids = run(on, PROMPT, TokenIds.EMPTY, sampling).ids;
        for (int i = 0; i < ids.size(); i++) {
          assertTrue(sampling.rules().allowed().contains(ids.get(i)), "allowed_token_ids");
          assertNotEquals(312, ids.get(i), "a bad word of one token");
          assertTrue(
              i == 0 || ids.get(i - 1) != 310 || ids.get(i) != 311, "a bad word of two tokens");
        }
      }
    }
  }

  @Test
  void endTokensAreNotDrawnBeforeTheMinimalLength() {
    int eos = FOLDER.config().eos().get(0);
    Sampling ending =
        drawn()
            .rules(TokenRules.bias(TokenIds.of(eos, 400), List.of(50f, 50f)))
            .stopIds(TokenIds.of(400))
            .build();
    assertEquals(1, run(executor, PROMPT, TokenIds.EMPTY, ending).ids.size());
    Answer later = run(executor, PROMPT, TokenIds.EMPTY, ending.toBuilder().minTokens(9).build());
    assertEquals(10, later.ids.size(), "nine others, then the end");
    assertEquals(false, later.ids.slice(0, 9).contains(eos) || later.ids.slice(0, 9).contains(400));
  }
}
