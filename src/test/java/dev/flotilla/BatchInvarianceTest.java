package dev.flotilla;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.executor.cpu.CpuExecutor;
import dev.flotilla.executor.cpu.CpuOptions;
import dev.flotilla.model.Batch;
import dev.flotilla.model.Executor;
import dev.flotilla.model.ModelFolder;
import dev.flotilla.protocol.EngineTotals;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Logprobs;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.protocol.TokenIds;
import dev.flotilla.scheduler.Admission;
import dev.flotilla.scheduler.Counters;
import dev.flotilla.scheduler.Scheduler;
import dev.flotilla.scheduler.SchedulerLimits;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * What a request gets does not depend on who else is served: in random mixes of concurrent requests
 * every token and every log-probability has the bits that the request gets alone. Lengths, sampling
 * parameters, arrivals, chunk sizes, prefix hits, priorities, aborts and KV caches that force
 * preemption are drawn from a seed; {@code -Dmix.seed=N} replays one, {@code -Dmix.count=N} runs
 * more.
 */
class BatchInvarianceTest {
  private static final FrontendId SELF = new FrontendId("test");

  @Test
  void everyRequestOfADenseModelGetsWhatItGetsAlone() {
    run("tiny-llama", Integer.getInteger("mix.count", 160));
  }

  @Test
  void everyRequestOfAMixtureGetsWhatItGetsAlone() {
    run("tiny-qwen3-moe", Integer.getInteger("mix.count", 40));
  }

  private static void run(String model, int count) {
    ModelFolder folder =
        ModelFolder.open(SourceFormat.root().resolve("src/main/models").resolve(model));
    Long only = Long.getLong("mix.seed");
    long first = only == null ? 0 : only;
    Sum sum = new Sum();
    Map<Integer, Executor> solos = new HashMap<>();
    try {
      for (long seed = first; seed < first + (only == null ? count : 1); seed++) {
        RequestMix mix = RequestMix.draw(seed, folder.config().vocab(), folder.config().eos());
        SchedulerLimits roomy = roomy(mix.limits());
        Executor solo = solos.computeIfAbsent(roomy.blockSize(), size -> open(folder, roomy));
        try {
          check(folder, solo, roomy, mix, sum);
        } catch (AssertionError | RuntimeException e) {
          throw new AssertionError("-Dmix.seed=%d %s, %s".formatted(seed, model, mix.limits()), e);
        }
      }
    } finally {
      solos.values().forEach(Executor::close);
    }
    System.out.printf("batch invariance, %s: %s%n", model, sum);
    if (only == null) {
      assertTrue(sum.preemptions > count / 5, "too few preemptions: " + sum);
      assertTrue(sum.hits > 5L * count, "too few prefix hits: " + sum);
    }
  }

  /**
   * Alone: one request after another, whole prompts, in a cache that is large enough. The block
   * size is the engine's, since keys of blocks below 16 tokens are added up in another order.
   */
  private static SchedulerLimits roomy(SchedulerLimits limits) {
    int length = RequestMix.MODEL_LENGTH;
    int blocks = length / limits.blockSize();
    return new SchedulerLimits(1, 512, 1, length, blocks, limits.blockSize(), limits.eos());
  }

  private static Executor open(ModelFolder folder, SchedulerLimits limits) {
    return CpuExecutor.open(
        folder,
        new CpuOptions(
            limits.blockSize(),
            limits.blocks(),
            limits.maxModelLen(),
            limits.maxNumSeqs(),
            limits.maxNumBatchedTokens(),
            CpuOptions.Progress.NONE));
  }

  /** What was met, so that the test cannot become empty unnoticed. */
  private static final class Sum {
    int requests;
    int tokens;
    long preemptions;
    long hits;

    @Override
    public String toString() {
      return "%d requests, %d tokens, %d preemptions, %d tokens from the prefix cache"
          .formatted(requests, tokens, preemptions, hits);
    }
  }

  /** What a client got. */
  private static final class Answer {
    TokenIds ids = TokenIds.EMPTY;
    final List<Logprobs> logprobs = new ArrayList<>();
    final List<Logprobs> promptLogprobs = new ArrayList<>();
    @Nullable FinishReason finish;
    int stopId = -1;

    void take(ToFrontend.Delta delta) {
      assertEquals(ids.size(), delta.offset());
      ids = ids.concat(delta.ids());
      logprobs.addAll(delta.logprobs());
      promptLogprobs.addAll(delta.promptLogprobs());
      finish = delta.finish();
      stopId = delta.stopId();
    }
  }

  private static void check(
      ModelFolder folder, Executor solo, SchedulerLimits roomy, RequestMix mix, Sum sum) {
    List<Answer> alone = new ArrayList<>();
    for (int i = 0; i < mix.requests().size(); i++) {
      RequestMix.Request request = mix.requests().get(i);
      Scheduler scheduler = new Scheduler(roomy);
      Answer answer = new Answer();
      submit(scheduler, i, request, TokenIds.EMPTY);
      while (!scheduler.idle()) {
        Batch batch = scheduler.schedule();
        scheduler.update(batch, solo.execute(batch)).forEach(answer::take);
      }
      alone.add(answer);
    }
    Scheduler scheduler = new Scheduler(mix.limits());
    try (Executor executor = open(folder, mix.limits())) {
      together(scheduler, executor, mix, alone);
    }
    EngineTotals totals = scheduler.totals();
    sum.requests += mix.requests().size();
    sum.tokens += (int) totals.generationTokens();
    sum.preemptions += totals.preemptions();
    sum.hits += totals.prefixHits();
    Counters rest = scheduler.counters();
    assertEquals(new Counters(0, 0, 0, 0, 0, rest.preemptions()), rest, "something was kept");
  }

  private static void together(
      Scheduler scheduler, Executor executor, RequestMix mix, List<Answer> alone) {
    List<RequestMix.Request> requests = mix.requests();
    List<Answer> answers = new ArrayList<>();
    int left = requests.size();
    requests.forEach(request -> answers.add(new Answer()));
    for (int step = 0; left > 0 || !scheduler.idle(); step++) {
      assertTrue(step < 5_000, "does not come to rest");
      scheduler.tick(step * 1_000_000_000L);
      for (int i = 0; i < requests.size(); i++) {
        if (requests.get(i).arrival() == step) {
          left--;
          TokenIds delivered = delivered(requests.get(i), alone.get(i));
          answers.get(i).ids = delivered;
          submit(scheduler, i, requests.get(i), delivered);
        }
        if (requests.get(i).abort() == step) {
          scheduler.abort(new RequestId(SELF, i), 0);
        }
      }
      Batch batch = scheduler.schedule();
      for (ToFrontend.Delta delta : scheduler.update(batch, executor.execute(batch))) {
        answers.get((int) delta.request().counter()).take(delta);
      }
    }
    for (int i = 0; i < requests.size(); i++) {
      compare(requests.get(i), alone.get(i), answers.get(i), "request " + i);
    }
  }

  /** What another engine has delivered: less than everything, so that something is left to do. */
  private static TokenIds delivered(RequestMix.Request request, Answer alone) {
    return alone.ids.slice(0, Math.min(request.cut(), alone.ids.size() - 1));
  }

  private static void submit(
      Scheduler scheduler, int number, RequestMix.Request request, TokenIds delivered) {
    assertInstanceOf(
        Admission.Accepted.class,
        scheduler.submit(
            new ToEngine.Submit(
                new RequestId(SELF, number),
                0,
                Epoch.NONE,
                1,
                request.prompt(),
                delivered,
                request.sampling(),
                request.priority(),
                request.salt())));
  }

  private static void compare(
      RequestMix.Request request, Answer alone, Answer answer, String which) {
    int got = answer.ids.size();
    if (request.abort() < 0) {
      assertNotNull(answer.finish, which + " never ended");
      assertEquals(alone.ids, answer.ids, which + ": tokens");
      assertEquals(alone.finish, answer.finish, which);
      assertEquals(alone.stopId, answer.stopId, which);
    }
    assertEquals(alone.ids.slice(0, got), answer.ids, which + ": tokens");
    // Records of floats are equal only if the bits are, but for NaN, of which all are one.
    int from = request.sampling().logprobs() < 0 ? 0 : got - answer.logprobs.size();
    assertEquals(
        alone.logprobs.subList(from, from + answer.logprobs.size()),
        answer.logprobs,
        which + ": log-probabilities");
    if (!answer.promptLogprobs.isEmpty()) {
      assertEquals(alone.promptLogprobs, answer.promptLogprobs, which + ": of the prompt");
    } else if (request.sampling().promptLogprobs() >= 0 && request.prompt().size() > 1) {
      assertTrue(request.cut() > 0 || request.abort() >= 0, which + ": none of the prompt");
    }
  }
}
