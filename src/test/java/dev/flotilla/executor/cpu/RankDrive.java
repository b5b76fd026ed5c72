package dev.flotilla.executor.cpu;

import dev.flotilla.model.Batch;
import dev.flotilla.model.Collective;
import dev.flotilla.model.Executor;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Logprobs;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.protocol.TokenIds;
import dev.flotilla.scheduler.Scheduler;
import dev.flotilla.scheduler.SchedulerLimits;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.jspecify.annotations.Nullable;

/** Drives one rank's scheduler and executor through requests that arrive at given steps. */
final class RankDrive {
  static final int BLOCKS = 512;
  static final int BLOCK_SIZE = 16;
  private static final FrontendId SELF = new FrontendId("test");

  /** A request, and the rank and step at which it comes. */
  record Request(int number, int rank, int arrival, TokenIds prompt, Sampling sampling) {}

  /** What a request got: tokens, and what was reported with them. */
  record Answer(TokenIds ids, List<Logprobs> logprobs) {}

  private RankDrive() {}

  /** Requests of random lengths and parameters at random times on random ranks. */
  static List<Request> draw(long seed, int count, int ranks, int vocab) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    List<Request> requests = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      TokenIds prompt = TokenIds.of(random.ints(1 + random.nextInt(40), 2, vocab).toArray());
      Sampling sampling =
          Sampling.builder()
              .temperature(random.nextBoolean() ? 0 : 0.8f)
              .seed(random.nextLong())
              .maxTokens(1 + random.nextInt(12))
              .logprobs(2)
              .build();
      int arrival = random.nextInt(3) == 0 ? 0 : random.nextInt(30);
      requests.add(new Request(i, random.nextInt(ranks), arrival, prompt, sampling));
    }
    return requests;
  }

  /** The answers to this rank's requests; every rank steps until none has work left. */
  static Map<Integer, Answer> run(
      Executor executor, @Nullable Collective collective, List<Request> requests, int tokensMax) {
    Scheduler scheduler = scheduler(executor, tokensMax);
    List<Request> mine =
        requests.stream().filter(r -> collective == null || r.rank() == collective.own()).toList();
    Map<Integer, Answer> answers = new TreeMap<>();
    int left = mine.size();
    for (int step = 0; ; step++) {
      for (Request request : mine) {
        if (request.arrival() == step) {
          left--;
          answers.put(request.number(), new Answer(TokenIds.EMPTY, List.of()));
          scheduler.submit(submit(request), 0);
        }
      }
      boolean work = left > 0 || !scheduler.idle();
      if (collective == null ? !work : collective.sum(work ? 1 : 0)[0] == 0) {
        return answers;
      }
      Batch batch = scheduler.idle() ? new Batch(List.of()) : scheduler.schedule();
      var result = executor.execute(batch);
      if (!batch.isEmpty()) {
        for (ToFrontend.Delta delta : scheduler.update(batch, result)) {
          answers.merge((int) delta.request().counter(), answer(delta), RankDrive::joined);
        }
      }
    }
  }

  private static Answer answer(ToFrontend.Delta delta) {
    return new Answer(delta.ids(), delta.logprobs());
  }

  private static Answer joined(Answer a, Answer b) {
    List<Logprobs> logprobs = new ArrayList<>(a.logprobs());
    logprobs.addAll(b.logprobs());
    return new Answer(a.ids().concat(b.ids()), logprobs);
  }

  private static Scheduler scheduler(Executor executor, int tokensMax) {
    return new Scheduler(
        new SchedulerLimits(32, tokensMax, 1024, 512, BLOCKS, BLOCK_SIZE, executor.config().eos()));
  }

  private static ToEngine.Submit submit(Request request) {
    return new ToEngine.Submit(
        new RequestId(SELF, request.number()),
        0,
        Epoch.NONE,
        1,
        request.prompt(),
        TokenIds.EMPTY,
        request.sampling());
  }
}
