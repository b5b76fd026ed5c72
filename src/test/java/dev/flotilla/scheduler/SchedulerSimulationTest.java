package dev.flotilla.scheduler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.model.Batch;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend.Delta;
import dev.flotilla.protocol.TokenIds;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Random submits, repetitions, aborts and steps, aborts within steps included, against small
 * limits; invariants after every event. {@code -Dsim.seed=N} replays one, {@code -Dsim.seeds=N}
 * runs more.
 */
class SchedulerSimulationTest {
  private static final int SEEDS = 3_000;
  private static final int VOCAB = 20;
  private static final int EOS = 19;

  @Test
  void everyAcceptedRequestEndsOnceWithItsOwnTokens() {
    Long only = Long.getLong("sim.seed");
    long first = only == null ? 0 : only;
    long count = only == null ? Long.getLong("sim.seeds", SEEDS) : 1;
    long preemptions = 0;
    long tokens = 0;
    for (long seed = first; seed < first + count; seed++) {
      World world = new World(seed);
      try {
        world.run();
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError(
            "-Dsim.seed=%d %s; last events: %s".formatted(seed, world.limits, world.events), e);
      }
      preemptions += world.scheduler.counters().preemptions();
      tokens += world.tokens;
    }
    System.out.printf(
        "scheduler simulation: %d seeds, %d tokens, %d preemptions%n", count, tokens, preemptions);
    assertTrue(only != null || preemptions > count / 10, "the worlds are too roomy to preempt");
  }

  /** What a client knows of its request. */
  private static final class Client {
    final ToEngine.Submit submit;
    final int[] expected;
    final List<Integer> got = new ArrayList<>();
    @Nullable FinishReason finish;
    boolean aborted;

    Client(ToEngine.Submit submit, int maxLength) {
      this.submit = submit;
      int room = maxLength - submit.prompt().size();
      expected =
          KvMemory.alone(
              submit.prompt(), Math.min(submit.sampling().maxTokens(), Math.max(0, room)), VOCAB);
      submit.delivered().stream().forEach(got::add);
    }
  }

  private static final class World {
    final RandomGenerator random;
    final SchedulerLimits limits;
    final Scheduler scheduler;
    final KvMemory memory;
    final Map<RequestId, Client> clients = new HashMap<>();
    final Map<RequestId, Integer> arrivals = new HashMap<>();
    final List<RequestId> known = new ArrayList<>();
    final Deque<String> events = new ArrayDeque<>();
    long tokens;
    int arrived;

    World(long seed) {
      random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
      int blockSize = 1 << random.nextInt(4);
      limits =
          new SchedulerLimits(
              1 + random.nextInt(8),
              1 + random.nextInt(40),
              1 + random.nextInt(10),
              10 + random.nextInt(60),
              2 + random.nextInt(24),
              blockSize,
              TokenIds.of(EOS));
      scheduler = new Scheduler(limits);
      memory = new KvMemory(limits.blocks(), blockSize, VOCAB);
    }

    void run() {
      for (int i = 0; i < 80; i++) {
        switch (random.nextInt(10)) {
          case 0, 1, 2 -> submitNew();
          case 3 -> repeat();
          case 4 -> abort();
          default -> step();
        }
        check();
      }
      for (int i = 0; !scheduler.idle(); i++) {
        assertTrue(i < 5_000, "does not come to rest: " + scheduler.running());
        step();
        check();
      }
      Counters rest = scheduler.counters();
      assertEquals(new Counters(0, 0, 0, 0, 0, rest.preemptions()), rest);
      clients.values().forEach(this::checkEnded);
    }

    void note(String event) {
      events.addLast(event);
      if (events.size() > 30) {
        events.removeFirst();
      }
    }

    Sampling sampling() {
      int min = random.nextInt(4) == 0 ? random.nextInt(10) : 0;
      TokenIds stops = random.nextBoolean() ? TokenIds.EMPTY : TokenIds.of(random.nextInt(VOCAB));
      return Sampling.greedy(1 + random.nextInt(30)).toBuilder()
          .minTokens(min)
          .ignoreEos(random.nextBoolean())
          .stopIds(stops)
          .build();
    }

    void submitNew() {
      RequestId id = new RequestId(new FrontendId("f" + random.nextInt(3)), known.size());
      int[] prompt = random.ints(1 + random.nextInt(40), 0, VOCAB).toArray();
      submit(
          new ToEngine.Submit(
              id, 0, new Epoch(1, 1), 1, TokenIds.of(prompt), TokenIds.EMPTY, sampling()));
      known.add(id);
    }

    /** The same attempt again, an older one, or a newer one with what was delivered so far. */
    void repeat() {
      if (clients.isEmpty()) {
        return;
      }
      RequestId id = known.get(random.nextInt(known.size()));
      Client client = clients.get(id);
      if (client == null) {
        return;
      }
      ToEngine.Submit old = client.submit;
      int attempt = old.attempt() + random.nextInt(3) - 1;
      boolean newer = attempt > old.attempt();
      if (newer && client.finish != null) {
        return;
      }
      int[] delivered = client.got.stream().mapToInt(Integer::intValue).toArray();
      submit(
          new ToEngine.Submit(
              id,
              attempt,
              old.epoch(),
              1,
              old.prompt(),
              newer ? TokenIds.of(delivered) : old.delivered(),
              old.sampling()));
    }

    void submit(ToEngine.Submit submit) {
      Client before = clients.get(submit.request());
      Admission admission = scheduler.submit(submit);
      note(
          "submit %s.%d prompt %d delivered %d: %s"
              .formatted(
                  submit.request(),
                  submit.attempt(),
                  submit.prompt().size(),
                  submit.delivered().size(),
                  admission));
      boolean newer = before == null || submit.attempt() > before.submit.attempt();
      switch (admission) {
        case Admission.Accepted _ -> {
          assertTrue(newer, "an old attempt was accepted");
          clients.put(submit.request(), new Client(submit, limits.maxModelLen()));
          arrivals.put(submit.request(), arrived++);
        }
        case Admission.Complete(var delta) -> {
          Client client = new Client(submit, limits.maxModelLen());
          client.finish = delta.finish();
          clients.put(submit.request(), client);
        }
        case Admission.Refused(int status, String _) -> {
          assertTrue(newer, "an old attempt was refused");
          assertTrue(status == 400 || status == 429);
          clients.remove(submit.request());
        }
        case Admission.Repeated _ ->
            assertTrue(before != null && submit.attempt() == before.submit.attempt());
        case Admission.Outdated _ -> assertTrue(!newer);
      }
    }

    void abort() {
      if (known.isEmpty()) {
        return;
      }
      RequestId id = known.get(random.nextInt(known.size()));
      Client client = clients.get(id);
      if (client != null) {
        boolean lived = scheduler.abort(id, client.submit.attempt());
        note("abort " + id + " " + lived);
        assertEquals(client.finish == null && !client.aborted, lived, "an abort of " + id);
        client.aborted = true;
      }
    }

    void step() {
      Batch batch = scheduler.schedule();
      note("step " + batch.items().size() + " items, " + batch.tokens() + " tokens");
      checkBatch(batch);
      if (batch.isEmpty()) {
        assertTrue(scheduler.idle(), "an empty step while there is work");
        return;
      }
      var result = memory.execute(batch);
      if (random.nextInt(4) == 0) {
        abort();
        repeat();
        check();
      }
      scheduler.update(batch, result).forEach(this::take);
    }

    void take(Delta delta) {
      Client client =
          Objects.requireNonNull(clients.get(delta.request()), "a delta of a refused request");
      assertEquals(client.submit.attempt(), delta.attempt());
      assertTrue(client.finish == null && !client.aborted, "a delta after the end of " + delta);
      assertEquals(client.got.size(), delta.offset());
      delta.ids().stream().forEach(client.got::add);
      client.finish = delta.finish();
      tokens++;
    }

    void checkBatch(Batch batch) {
      assertTrue(batch.tokens() <= limits.maxNumBatchedTokens(), "over the token budget");
      assertTrue(batch.items().size() <= limits.maxNumSeqs(), "too many sequences");
      assertEquals(
          batch.items().size(),
          batch.items().stream().map(Batch.Item::sequence).distinct().count());
      for (Batch.Item item : batch.items()) {
        int end = item.start() + item.tokens().size();
        assertTrue(item.blocks().size() * limits.blockSize() >= end, "too few blocks");
      }
      // First come first served: the oldest request that lives is in every batch.
      scheduler.live().keySet().stream()
          .min(java.util.Comparator.comparing(arrivals::get))
          .ifPresent(
              oldest -> {
                Sequence first = scheduler.running().getFirst();
                assertEquals(oldest, first.request);
                assertTrue(batch.items().stream().anyMatch(i -> i.sequence() == first.id));
              });
    }

    void check() {
      BitSet owned = new BitSet();
      int used = 0;
      long resident = 0;
      long queued = 0;
      for (Sequence sequence : scheduler.running()) {
        for (int i = 0; i < sequence.blockCount(); i++) {
          assertTrue(!owned.get(sequence.block(i)), "a block is owned twice");
          assertTrue(scheduler.pool().owners(sequence.block(i)) > 0, "a block is used after free");
          owned.set(sequence.block(i));
          used++;
        }
        resident += sequence.computed();
        queued += sequence.ended() ? 0 : sequence.queued();
      }
      for (Sequence sequence : scheduler.waiting()) {
        assertEquals(0, sequence.blockCount(), "a waiting request holds blocks");
        queued += sequence.queued();
      }
      Counters counters = scheduler.counters();
      assertEquals(used, scheduler.pool().used(), "a block leaked");
      assertEquals(used, counters.blocksUsed());
      assertEquals(resident, counters.residentTokens());
      assertEquals(queued, counters.queuedTokens());
      assertEquals(scheduler.live().size(), counters.waiting() + counters.running());
    }

    void checkEnded(Client client) {
      assertTrue(client.aborted || client.finish != null, client.submit + " never ended");
      int[] got = client.got.stream().mapToInt(Integer::intValue).toArray();
      assertTrue(got.length <= client.expected.length, "too many tokens");
      int[] same = Arrays.copyOf(client.expected, got.length);
      assertEquals(TokenIds.of(same), TokenIds.of(got), "tokens differ from those drawn alone");
      if (client.finish == FinishReason.LENGTH) {
        assertEquals(client.expected.length, got.length);
      }
    }
  }
}
