package dev.flotilla;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.executor.cpu.CpuExecutor;
import dev.flotilla.executor.cpu.CpuOptions;
import dev.flotilla.grammar.Cases;
import dev.flotilla.grammar.GrammarMasks;
import dev.flotilla.model.Batch;
import dev.flotilla.model.Executor;
import dev.flotilla.model.ModelFolder;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Grammar;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.protocol.TokenIds;
import dev.flotilla.scheduler.Admission;
import dev.flotilla.scheduler.Scheduler;
import dev.flotilla.scheduler.SchedulerLimits;
import dev.flotilla.tokenizer.TextTokenizer;
import dev.flotilla.tokenizer.TokenBytes;
import dev.flotilla.tokenizer.Tokenizers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Generations of a real model under grammars at temperature 1.5, together in one batch and in a KV
 * cache that forces preemptions; an independent validator reads what comes out.
 */
class StructuredOutputTest {
  private static final int RUNNING = 16;
  private static final int TIMES = 10;
  private static final int TOKENS = 700;
  private static final FrontendId SELF = new FrontendId("test");
  private static final Path PATH = SourceFormat.root().resolve("src/main/models/tiny-llama");
  private static final ModelFolder FOLDER = ModelFolder.open(PATH);
  private static final TextTokenizer TOKENIZER = Tokenizers.open(PATH);
  private static Executor executor;

  private record Generation(TokenIds ids, FinishReason finish) {
    String text() {
      return TOKENIZER.decode(ids, true);
    }
  }

  @BeforeAll
  static void open() {
    executor =
        CpuExecutor.open(
            FOLDER, new CpuOptions(16, 160, 1024, RUNNING, 256, CpuOptions.Progress.NONE));
  }

  @AfterAll
  static void close() {
    executor.close();
  }

  private static ToEngine.Submit submit(
      long counter, Grammar grammar, long seed, TokenIds delivered) {
    Sampling sampling =
        Sampling.builder()
            .temperature(1.5f)
            .seed(seed)
            .maxTokens(TOKENS)
            .grammar(grammar)
            .logprobs(1)
            .build();
    TokenIds prompt = TOKENIZER.encode("The answer, as asked for, is:", true);
    return new ToEngine.Submit(
        new RequestId(SELF, counter), 0, Epoch.NONE, counter, prompt, delivered, sampling);
  }

  private static Map<Long, Generation> run(List<ToEngine.Submit> submits) {
    Scheduler scheduler =
        new Scheduler(
            new SchedulerLimits(
                RUNNING,
                256,
                submits.size(),
                1024,
                executor.blocks(),
                executor.blockSize(),
                FOLDER.config().eos()));
    GrammarMasks masks = new GrammarMasks(() -> TokenBytes.read(PATH), FOLDER.config().eos());
    Map<Long, Generation> done = new TreeMap<>();
    Map<Long, TokenIds> outputs = new TreeMap<>();
    for (ToEngine.Submit submit : submits) {
      masks.prepare(submit.sampling());
      assertInstanceOf(Admission.Accepted.class, scheduler.submit(submit));
      outputs.put(submit.request().counter(), submit.delivered());
    }
    while (!scheduler.idle()) {
      Batch batch = scheduler.schedule();
      for (ToFrontend.Delta delta :
          scheduler.update(batch, executor.execute(masks.masked(batch)))) {
        long id = delta.request().counter();
        TokenIds output = outputs.getOrDefault(id, TokenIds.EMPTY).concat(delta.ids());
        outputs.put(id, output);
        if (delta.finish() != null) {
          done.put(id, new Generation(output, delta.finish()));
        }
      }
    }
    return done;
  }

  @Test
  void everyGenerationParsesAndIsValid() {
    List<ToEngine.Submit> submits = new ArrayList<>();
    for (int i = 0; i < Cases.ALL.size() * TIMES; i++) {
      submits.add(submit(i, Cases.ALL.get(i % Cases.ALL.size()), 77 + i, TokenIds.EMPTY));
    }
    Map<Long, Generation> done = run(submits);
    assertTrue(done.size() >= 300, () -> done.size() + " generations");
    done.forEach(
        (id, generation) -> {
          Grammar grammar = Cases.ALL.get((int) (id % Cases.ALL.size()));
          String what = grammar.text() + " gave " + generation.text();
          assertEquals(FinishReason.STOP, generation.finish(), what);
          assertEquals("", Cases.fault(grammar, generation.text()), what);
        });
  }

  @Test
  void aMovedRequestGoesOnInsideItsGrammarWithTheSameTokens() {
    for (int i = 0; i < Cases.ALL.size(); i++) {
      Grammar grammar = Cases.ALL.get(i);
      Generation whole =
          Objects.requireNonNull(run(List.of(submit(0, grammar, i, TokenIds.EMPTY))).get(0L));
      List<ToEngine.Submit> moved = new ArrayList<>();
      for (int cut : new int[] {1, whole.ids().size() / 2, whole.ids().size() - 1}) {
        if (cut > 0) {
          moved.add(submit(moved.size(), grammar, i, whole.ids().slice(0, cut)));
        }
      }
      run(moved).values().forEach(generation -> assertEquals(whole, generation, grammar.text()));
    }
  }
}
