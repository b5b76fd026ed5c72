package dev.flotilla;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import dev.flotilla.executor.cpu.CpuExecutor;
import dev.flotilla.executor.cpu.CpuOptions;
import dev.flotilla.model.Batch;
import dev.flotilla.model.Executor;
import dev.flotilla.model.ModelFolder;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.protocol.TokenIds;
import dev.flotilla.scheduler.Scheduler;
import dev.flotilla.scheduler.SchedulerLimits;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * How much does the prefix cache shorten the wait for the first token of a prompt that was seen
 * before, and how much do arriving prompts disturb running streams? One scheduler and one executor
 * in a loop, as in an engine, without HTTP and bus.
 *
 * <p>{@code mvn -Pbench test-compile exec:exec@latency -Dmodel=src/main/models/tiny-llama}.
 * Arguments: the model's folder (the bundled tiny-llama), and the number of rounds (10). Cases take
 * turns within one run, so that other load on the machine meets all of them.
 */
final class ServingLatency {
  private static final int PROMPT = 900;
  private static final int STREAMS = 8;
  private static final int BUDGET = 64;
  private static final int STEPS = 300; // of one phase of streams
  private static final int BLOCK = 16;

  private final ModelFolder folder;
  private final Executor executor;
  private final RandomGenerator random = RandomGenerator.of("L64X128MixRandom");
  private long counter;

  private ServingLatency(ModelFolder folder) {
    this.folder = folder;
    int longest = Math.min(1024, folder.config().maxPositions());
    executor =
        CpuExecutor.open(
            folder, new CpuOptions(BLOCK, 1024, longest, 16, 512, CpuOptions.Progress.NONE));
  }

  /** Runs it. */
  public static void main(String[] args) {
    Path path = args.length > 0 ? Path.of(args[0]) : Path.of("src/main/models/tiny-llama");
    int rounds = args.length > 1 ? Integer.parseInt(args[1]) : 10;
    ServingLatency bench = new ServingLatency(ModelFolder.open(path));
    bench.firstTokens(3); // compiles
    print("first token of %d prompt tokens, seconds: %s", PROMPT, bench.firstTokens(rounds));
    bench.streams(2, 0);
    for (int perDecode = 0; perDecode <= 2; perDecode++) {
      print(
          "%d streams, budget %d, max prefill per decode %d: %s",
          STREAMS, BUDGET, perDecode, bench.streams(rounds, perDecode));
    }
    bench.executor.close();
  }

  @FormatMethod
  private static void print(@FormatString String format, Object... args) {
    System.out.println(String.format(Locale.ROOT, format, args));
  }

  private Scheduler scheduler(int budget, int perDecode) {
    return new Scheduler(
        new SchedulerLimits(
                STREAMS + 1,
                budget,
                64,
                1024,
                executor.blocks(),
                executor.blockSize(),
                TokenIds.EMPTY)
            .withPrefixCaching(true)
            .withMaxPrefillPerDecode(perDecode));
  }

  private TokenIds prompt(int length) {
    return TokenIds.of(random.ints(length, 0, folder.config().vocab()).toArray());
  }

  private long submit(Scheduler scheduler, TokenIds prompt, int maxTokens) {
    RequestId id = new RequestId(new FrontendId("bench"), ++counter);
    scheduler.submit(
        new ToEngine.Submit(
            id, 0, Epoch.NONE, counter, prompt, TokenIds.EMPTY, Sampling.greedy(maxTokens)));
    return counter;
  }

  private List<ToFrontend.Delta> step(Scheduler scheduler) {
    Batch batch = scheduler.schedule();
    return scheduler.update(batch, executor.execute(batch));
  }

  /** Medians of the first and of the second time, and their ratio. */
  private String firstTokens(int rounds) {
    Scheduler scheduler = scheduler(512, 0);
    List<Double> first = new ArrayList<>();
    List<Double> second = new ArrayList<>();
    for (int i = 0; i < rounds; i++) {
      TokenIds prompt = prompt(PROMPT);
      first.add(firstToken(scheduler, prompt));
      second.add(firstToken(scheduler, prompt));
    }
    double before = quantile(first, 0.5);
    double after = quantile(second, 0.5);
    return String.format(
        Locale.ROOT, "%.4f, again %.4f, ratio %.3f", before, after, after / before);
  }

  private double firstToken(Scheduler scheduler, TokenIds prompt) {
    long start = System.nanoTime();
    submit(scheduler, prompt, 1);
    boolean nothing = true;
    while (nothing) {
      nothing = step(scheduler).isEmpty();
    }
    return (System.nanoTime() - start) / 1e9;
  }

  /** Quantiles of the gaps between two tokens of a stream, alone and beside arriving prompts. */
  private String streams(int rounds, int perDecode) {
    List<Double> alone = new ArrayList<>();
    List<Double> beside = new ArrayList<>();
    int prompts = 0;
    for (int i = 0; i < rounds; i++) {
      gaps(perDecode, false, alone);
      prompts += gaps(perDecode, true, beside);
    }
    return String.format(
        Locale.ROOT,
        "ms between tokens p50 %.2f p99 %.2f; while %d prompts arrive p50 %.2f p99 %.2f; p99 ratio %.2f, p50 ratio %.2f",
        1e3 * quantile(alone, 0.5),
        1e3 * quantile(alone, 0.99),
        prompts,
        1e3 * quantile(beside, 0.5),
        1e3 * quantile(beside, 0.99),
        quantile(beside, 0.99) / quantile(alone, 0.99),
        quantile(beside, 0.5) / quantile(alone, 0.5));
  }

  /** The next prompt arrives as soon as the last has its token: no more can arrive. */
  private int gaps(int perDecode, boolean arrivals, List<Double> gaps) {
    Scheduler scheduler = scheduler(BUDGET, perDecode);
    Map<Long, Long> last = new HashMap<>();
    for (int i = 0; i < STREAMS; i++) {
      last.put(submit(scheduler, prompt(32), 1024 - 32), 0L);
    }
    while (scheduler.counters().queuedTokens() > 0) {
      step(scheduler);
    }
    step(scheduler);
    long now = System.nanoTime();
    last.replaceAll((id, time) -> 0L);
    int prompts = 0;
    long start = now;
    for (int i = 0; i < STEPS; i++) {
      if (arrivals
          && scheduler.counters().running() == STREAMS
          && scheduler.counters().waiting() == 0) {
        submit(scheduler, prompt(PROMPT), 1);
        prompts++;
      }
      List<ToFrontend.Delta> deltas = step(scheduler);
      now = System.nanoTime();
      for (ToFrontend.Delta delta : deltas) {
        Long before = last.get(delta.request().counter());
        if (before != null) {
          gaps.add((now - (before == 0 ? start : before)) / 1e9);
          last.put(delta.request().counter(), now);
        }
      }
    }
    scheduler.abortAll(FinishReason.ABORT);
    return prompts;
  }

  private static double quantile(List<Double> values, double share) {
    List<Double> sorted = values.stream().sorted().toList();
    return sorted.get((int) Math.min(sorted.size() - 1L, Math.round(share * sorted.size())));
  }
}
