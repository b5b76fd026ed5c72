package dev.flotilla.scheduler;

import dev.flotilla.model.Batch;
import dev.flotilla.model.StepResult;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.TokenIds;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Times one schedule and update at 256 decoding sequences; run by hand. With any argument the
 * prefix cache is off.
 */
final class SchedulerLoad {
  private static final int SEQUENCES = 256;
  private static final int PROMPT = 1024;
  private static final int STEPS = 20_000;

  private SchedulerLoad() {}

  public static void main(String[] args) {
    Scheduler scheduler =
        new Scheduler(
            new SchedulerLimits(SEQUENCES, 8192, SEQUENCES, 200_000, 400_000, 16, TokenIds.of(1, 2))
                .withPrefixCaching(args.length == 0));
    FrontendId frontend = new FrontendId("load");
    int[] prompt = new int[PROMPT];
    Arrays.fill(prompt, 7);
    for (int i = 0; i < SEQUENCES; i++) {
      prompt[0] = i;
      prompt[1] = i % 7; // Some fill their blocks earlier than others.
      scheduler.submit(
          new ToEngine.Submit(
              new RequestId(frontend, i),
              0,
              new Epoch(1, 1),
              i + 1,
              TokenIds.of(prompt, 0, PROMPT - i % 16),
              TokenIds.EMPTY,
              Sampling.greedy(190_000)));
    }
    long[] nanos = new long[STEPS];
    for (int i = 0; i < STEPS; i++) {
      long start = System.nanoTime();
      Batch batch = scheduler.schedule();
      nanos[i] = System.nanoTime() - start;
      StepResult result = draw(batch);
      start = System.nanoTime();
      int deltas = scheduler.update(batch, result).size();
      nanos[i] += System.nanoTime() - start;
      if (i > PROMPT && deltas != SEQUENCES) {
        throw new IllegalStateException("a step brought " + deltas + " tokens");
      }
    }
    long[] warm = Arrays.copyOfRange(nanos, STEPS / 2, STEPS);
    Arrays.sort(warm);
    System.out.printf(
        "schedule + update at %d sequences: median %.1f us, p99 %.1f us, mean of the faster 99 %% %.1f us%n",
        SEQUENCES,
        warm[warm.length / 2] / 1e3,
        warm[warm.length * 99 / 100] / 1e3,
        Arrays.stream(warm).limit(warm.length * 99 / 100).average().orElse(0) / 1e3);
  }

  private static StepResult draw(Batch batch) {
    List<StepResult.Item> items = new ArrayList<>(batch.items().size());
    for (Batch.Item item : batch.items()) {
      items.add(new StepResult.Item(item.sampling() == null ? -1 : 9, null, List.of()));
    }
    return new StepResult(items);
  }
}
