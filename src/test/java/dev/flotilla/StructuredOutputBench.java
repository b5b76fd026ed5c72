package dev.flotilla;

import dev.flotilla.executor.cpu.CpuExecutor;
import dev.flotilla.executor.cpu.CpuOptions;
import dev.flotilla.grammar.GrammarMasks;
import dev.flotilla.model.Batch;
import dev.flotilla.model.Executor;
import dev.flotilla.model.ModelFolder;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Grammar;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.protocol.TokenIds;
import dev.flotilla.scheduler.Scheduler;
import dev.flotilla.scheduler.SchedulerLimits;
import dev.flotilla.tokenizer.TokenBytes;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What do grammars cost? Keeps 8 requests running, each under the next of some schemas, until so
 * many tokens are generated; then generates as many requests of the very same lengths without
 * grammars. Both in turns within one run; reports medians of tokens per second and the loss. The
 * first turn with grammars of a process, which compiles them and meets every state anew, is
 * reported by itself; the others have other seeds.
 *
 * <p>Arguments: the model's folder, the number of turns (default 9) and the temperature (default
 * 1).
 */
final class StructuredOutputBench {
  private static final int BATCH = 8;
  private static final int REQUESTS = 32;
  private static final int TOKENS_MAX = 700;
  private static final FrontendId SELF = new FrontendId("bench");

  /** Their texts are some 30 to 150 tokens long. */
  private static final List<String> SCHEMAS =
      List.of(
          array(
              "{\"type\": \"object\", \"properties\": {\"name\": {\"type\": \"string\", \"maxLength\": 20}, \"age\": {\"type\": \"integer\", \"minimum\": 0, \"maximum\": 150}}, \"required\": [\"name\", \"age\"]}"),
          array("{\"enum\": [\"red\", \"green\", \"blue\", 7, null, true]}"),
          array("{\"type\": \"number\", \"minimum\": -1.5, \"maximum\": 2.25}"),
          array("{\"type\": \"string\", \"minLength\": 3, \"maxLength\": 40}"),
          array("{\"type\": \"string\", \"pattern\": \"^[a-z]{2,5}-\\\\d{3}$\"}"),
          array("{\"type\": \"string\", \"format\": \"date-time\"}"),
          "{\"type\": \"string\", \"minLength\": 200, \"maxLength\": 400}",
          array(
              "{\"type\": \"object\", \"properties\": {\"type\": {\"const\": \"cat\"}, \"tags\": {\"type\": \"array\", \"items\": {\"type\": \"string\", \"maxLength\": 8}, \"maxItems\": 3}}, \"required\": [\"type\", \"tags\"]}"));

  private final ModelFolder folder;
  private final Executor executor;
  private final GrammarMasks masks;
  private final float temperature;
  private long seed;
  private long maskCount;
  private long maskNanos;

  private StructuredOutputBench(ModelFolder folder, float temperature) {
    this.folder = folder;
    this.temperature = temperature;
    executor =
        CpuExecutor.open(
            folder, new CpuOptions(16, 512, 1024, BATCH, 256, CpuOptions.Progress.NONE));
    masks = new GrammarMasks(() -> TokenBytes.read(folder.path()), folder.config().eos());
  }

  private static String array(String items) {
    return "{\"type\": \"array\", \"items\": %s, \"minItems\": 4, \"maxItems\": 8}"
        .formatted(items);
  }

  /** Runs it. */
  public static void main(String[] args) {
    Path path = Path.of(args[0]);
    int turns = args.length > 1 ? Integer.parseInt(args[1]) : 9;
    float temperature = args.length > 2 ? Float.parseFloat(args[2]) : 1;
    StructuredOutputBench bench = new StructuredOutputBench(ModelFolder.open(path), temperature);
    int[] some = new int[REQUESTS];
    Arrays.fill(some, 80);
    bench.turn(some);
    bench.turn(some);
    int[] lengths = new int[REQUESTS];
    System.out.printf(
        Locale.ROOT, "first turn with grammars: %.0f tokens/s%n", bench.held(lengths));
    double[] free = new double[turns];
    double[] held = new double[turns];
    bench.maskNanos = 0;
    bench.maskCount = 0;
    for (int i = 0; i < turns; i++) {
      held[i] = bench.held(lengths);
      free[i] = bench.turn(lengths);
    }
    Arrays.sort(free);
    Arrays.sort(held);
    System.out.printf(
        Locale.ROOT,
        "without %.0f tokens/s, with %.0f tokens/s (medians of %d turns of %d requests), loss %.1f %%; masks %.1f us per token%n",
        free[turns / 2],
        held[turns / 2],
        turns,
        REQUESTS,
        100 - 100 * held[turns / 2] / free[turns / 2],
        bench.maskNanos / 1e3 / bench.maskCount);
    bench.executor.close();
  }

  /** Tokens per second with grammars; tells how long each output became. */
  private double held(int[] lengths) {
    Arrays.fill(lengths, 0);
    return turn(null, lengths);
  }

  /** Tokens per second without grammars, with outputs of the given lengths. */
  private double turn(int[] lengths) {
    return turn(lengths, new int[REQUESTS]);
  }

  private double turn(int @Nullable [] wanted, int[] lengths) {
    Scheduler scheduler =
        new Scheduler(
            new SchedulerLimits(
                BATCH,
                256,
                REQUESTS,
                1024,
                executor.blocks(),
                executor.blockSize(),
                folder.config().eos()));
    for (int i = 0; i < REQUESTS; i++) {
      Sampling.Builder sampling =
          Sampling.builder().temperature(temperature).seed(++seed).maxTokens(TOKENS_MAX);
      if (wanted == null) {
        sampling.grammar(new Grammar(Grammar.Kind.JSON_SCHEMA, SCHEMAS.get(i % SCHEMAS.size())));
      } else {
        sampling.maxTokens(wanted[i]).ignoreEos(true);
      }
      scheduler.submit(
          new ToEngine.Submit(
              new RequestId(SELF, i),
              0,
              Epoch.NONE,
              i,
              TokenIds.of(0, 100, 200, 300),
              TokenIds.EMPTY,
              sampling.build()));
    }
    long start = System.nanoTime();
    int tokens = 0;
    while (!scheduler.idle()) {
      Batch batch = scheduler.schedule();
      long before = System.nanoTime();
      Batch masked = masks.masked(batch);
      maskNanos += wanted == null ? System.nanoTime() - before : 0;
      for (ToFrontend.Delta delta : scheduler.update(batch, executor.execute(masked))) {
        tokens++;
        lengths[(int) delta.request().counter()]++;
      }
    }
    maskCount += wanted == null ? tokens : 0;
    return tokens / ((System.nanoTime() - start) / 1e9);
  }
}
