package dev.flotilla;

import dev.flotilla.executor.cpu.CpuExecutor;
import dev.flotilla.executor.cpu.CpuOptions;
import dev.flotilla.model.Batch;
import dev.flotilla.model.Executor;
import dev.flotilla.model.ModelException;
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
import java.util.function.Consumer;

/** Scheduler and executor in the caller's thread: the same steps as a rank's, without the bus. */
final class OfflineEngine implements AutoCloseable {
  private static final FrontendId SELF = new FrontendId("offline");
  private static final int BLOCK_SIZE = 16;
  private static final int BATCH_TOKENS = 512;

  private final Executor executor;
  private final Scheduler scheduler;
  private long counter;

  private OfflineEngine(Executor executor, Scheduler scheduler) {
    this.executor = executor;
    this.scheduler = scheduler;
  }

  static OfflineEngine open(ModelFolder folder) {
    int longest = folder.config().maxPositions();
    int blocks = (longest + BLOCK_SIZE - 1) / BLOCK_SIZE;
    Executor executor =
        CpuExecutor.open(
            folder,
            new CpuOptions(BLOCK_SIZE, blocks, longest, 1, BATCH_TOKENS, CpuOptions.Progress.NONE));
    SchedulerLimits limits =
        new SchedulerLimits(1, BATCH_TOKENS, 1, longest, blocks, BLOCK_SIZE, folder.config().eos());
    return new OfflineEngine(executor, new Scheduler(limits));
  }

  /** Generates until the request ends; tokens come as they are drawn. */
  void generate(TokenIds prompt, Sampling sampling, Consumer<TokenIds> receiver) {
    RequestId request = new RequestId(SELF, ++counter);
    Admission admission =
        scheduler.submit(
            new ToEngine.Submit(request, 0, Epoch.NONE, counter, prompt, TokenIds.EMPTY, sampling));
    if (admission instanceof Admission.Refused(int _, String reason)) {
      throw new ModelException(reason);
    }
    while (!scheduler.idle()) {
      Batch batch = scheduler.schedule();
      for (ToFrontend.Delta delta : scheduler.update(batch, executor.execute(batch))) {
        receiver.accept(delta.ids());
      }
    }
  }

  @Override
  public void close() {
    executor.close();
  }
}
