package dev.flotilla.scheduler;

import dev.flotilla.model.Batch;
import dev.flotilla.model.StepResult;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.TokenIds;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/**
 * How much of a step does scheduling take? {@code schedule} and {@code update} of one decode step
 * with 256 running sequences, over contexts of 512 to 1,024 tokens, without an executor. The prefix
 * cache is on: 16 sequences of each step fill a block, which is hashed and named.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class SchedulerStepBench {
  private static final int SEQUENCES = 256;
  private static final int PROMPT_TOKENS = 512;
  private static final int STEPS = 500;
  private static final int MODEL_LENGTH = 1024;
  private static final int BLOCK = 16;
  private static final StepResult DRAWN =
      new StepResult(Collections.nCopies(SEQUENCES, new StepResult.Item(1234, null, List.of())));

  private Scheduler scheduler = filled();

  private static Scheduler filled() {
    Scheduler scheduler =
        new Scheduler(
            new SchedulerLimits(
                    SEQUENCES,
                    SEQUENCES * PROMPT_TOKENS,
                    SEQUENCES,
                    MODEL_LENGTH,
                    SEQUENCES * MODEL_LENGTH / BLOCK * 2,
                    BLOCK,
                    TokenIds.EMPTY)
                .withPrefixCaching(true));
    FrontendId frontend = new FrontendId("bench");
    for (int i = 0; i < SEQUENCES; i++) {
      int[] prompt = new int[PROMPT_TOKENS];
      prompt[0] = i;
      scheduler.submit(
          new ToEngine.Submit(
              new RequestId(frontend, i),
              1,
              new Epoch(1, 1),
              i + 1,
              TokenIds.of(prompt),
              TokenIds.EMPTY,
              Sampling.greedy(MODEL_LENGTH)));
    }
    scheduler.update(scheduler.schedule(), DRAWN);
    return scheduler;
  }

  /** All prompts computed, one token drawn. */
  @Setup(Level.Invocation)
  public void prefill() {
    scheduler = filled();
  }

  /** Steps of one token for each sequence. */
  @Benchmark
  @OperationsPerInvocation(STEPS)
  public void decodeStepOf256Sequences(Blackhole blackhole) {
    for (int i = 0; i < STEPS; i++) {
      Batch batch = scheduler.schedule();
      blackhole.consume(scheduler.update(batch, DRAWN));
    }
  }
}
