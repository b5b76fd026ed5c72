package dev.flotilla.scheduler;

import dev.flotilla.model.Batch;
import dev.flotilla.model.StepResult;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend.Delta;
import dev.flotilla.protocol.TokenIds;
import java.util.List;
import java.util.stream.IntStream;

/** Requests of one front-end, and steps that draw a given token. */
final class Requests {
  static final FrontendId FRONTEND = new FrontendId("f");

  private Requests() {}

  static RequestId id(long counter) {
    return new RequestId(FRONTEND, counter);
  }

  /** The tokens 1, 2, 3, … */
  static TokenIds prompt(int length) {
    return TokenIds.of(IntStream.rangeClosed(1, length).toArray());
  }

  static ToEngine.Submit request(long counter, TokenIds prompt, int maxTokens) {
    return request(counter, prompt, Sampling.greedy(maxTokens), 0, "");
  }

  static ToEngine.Submit request(
      long counter, TokenIds prompt, Sampling sampling, int priority, String salt) {
    return new ToEngine.Submit(
        id(counter), 0, new Epoch(1, 1), counter, prompt, TokenIds.EMPTY, sampling, priority, salt);
  }

  static StepResult draw(Batch batch, int token) {
    return new StepResult(
        batch.items().stream()
            .map(i -> new StepResult.Item(i.sampling() == null ? -1 : token, null, List.of()))
            .toList());
  }

  static List<Delta> step(Scheduler scheduler, int token) {
    Batch batch = scheduler.schedule();
    return scheduler.update(batch, draw(batch, token));
  }

  /** Steps until nothing is left; the deltas of all of them. */
  static List<Delta> finish(Scheduler scheduler, int token) {
    List<Delta> all = new java.util.ArrayList<>();
    for (int i = 0; !scheduler.idle(); i++) {
      if (i > 10_000) {
        throw new AssertionError("the scheduler never comes to rest");
      }
      all.addAll(step(scheduler, token));
    }
    return all;
  }
}
