package dev.flotilla.scheduler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.config.SchedulingPolicy;
import dev.flotilla.model.Batch;
import dev.flotilla.model.StepResult;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.PrefixHash;
import dev.flotilla.protocol.PrefixHasher;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend.Delta;
import dev.flotilla.protocol.TokenIds;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A scheduler, its executor and its clients; every event checks all that must always hold. */
final class SchedulerWorld {
  static final int VOCAB = 20;
  static final int EOS = 19;

  final SchedulerLimits limits;
  final Scheduler scheduler;
  final Map<RequestId, Client> clients =
      new TreeMap<>(
          Comparator.comparingLong(RequestId::counter).thenComparing(id -> id.frontend().value()));
  final Deque<String> events = new ArrayDeque<>();
  long tokens;
  private final KvMemory memory;
  private final PrefixHasher hasher = new PrefixHasher();
  private final Map<PrefixHash, TokenIds> prefixes = new HashMap<>();
  private final Map<RequestId, Integer> arrivals = new HashMap<>();
  private int arrived;
  private long clockNanos = Long.MAX_VALUE - 50; // a clock may pass its largest number

  SchedulerWorld(SchedulerLimits limits) {
    this.limits = limits;
    scheduler = new Scheduler(limits);
    memory = new KvMemory(limits.blocks(), limits.blockSize(), VOCAB);
  }

  /** What a client knows of its request. */
  static final class Client {
    final ToEngine.Submit submit;
    final int[] expected;
    final List<Integer> got = new ArrayList<>();
    @Nullable FinishReason finish;
    boolean aborted;
    @Nullable PrefixHash name; // of the first so many of its tokens
    int named;

    Client(ToEngine.Submit submit, int maxLength) {
      this.submit = submit;
      int room = Math.max(0, maxLength - submit.prompt().size());
      int count = Math.min(submit.sampling().maxTokens(), room);
      expected = KvMemory.alone(submit.prompt(), count, VOCAB);
      submit.delivered().stream().forEach(got::add);
    }

    boolean over() {
      return finish != null || aborted;
    }
  }

  private void note(String event) {
    events.addLast(event);
    if (events.size() > 30) {
      events.removeFirst();
    }
  }

  void tick(long nanos) {
    clockNanos += nanos;
    scheduler.tick(clockNanos);
  }

  void submit(RequestId id, TokenIds prompt, Sampling sampling, int priority, String salt) {
    submit(
        new ToEngine.Submit(
            id, 0, new Epoch(1, 1), 1, prompt, TokenIds.EMPTY, sampling, priority, salt));
  }

  /** The same attempt again, an older one, or a newer one with what was delivered so far. */
  void submitAgain(RequestId id, int later) {
    Client client = clients.get(id);
    if (client == null || (later > 0 && client.finish != null)) {
      return;
    }
    ToEngine.Submit old = client.submit;
    int[] delivered = client.got.stream().mapToInt(Integer::intValue).toArray();
    submit(
        new ToEngine.Submit(
            id,
            old.attempt() + later,
            old.epoch(),
            1,
            old.prompt(),
            later > 0 ? TokenIds.of(delivered) : old.delivered(),
            old.sampling(),
            old.priority(),
            old.cacheSalt()));
  }

  private void submit(ToEngine.Submit submit) {
    Client before = clients.get(submit.request());
    Admission admission = scheduler.submit(submit);
    note("%s.%d: %s".formatted(submit.request(), submit.attempt(), admission));
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
    check();
  }

  void abort(RequestId id) {
    Client client = clients.get(id);
    if (client != null) {
      boolean lived = scheduler.abort(id, client.submit.attempt());
      note("abort " + id + " " + lived);
      assertEquals(!client.over(), lived, "an abort of " + id);
      client.aborted = true;
      check();
    }
  }

  void reset(boolean preempt) {
    boolean used = scheduler.pool().used() > 0;
    boolean done = scheduler.resetPrefixCache(preempt);
    note("reset " + done);
    assertEquals(preempt || !used, done);
    assertTrue(!done || scheduler.prefixes().blocks().isEmpty());
    check();
  }

  /** One step; {@code meanwhile} happens while its batch is computed. */
  void step(Runnable meanwhile) {
    step(meanwhile, false);
  }

  /** The same; {@code fails}: after the batch was computed for nothing. */
  void step(Runnable meanwhile, boolean fails) {
    Set<Sequence> before = new HashSet<>(scheduler.running());
    Batch batch = scheduler.schedule();
    note("step " + batch.items().size() + " items, " + batch.tokens() + " tokens");
    if (batch.isEmpty()) {
      assertTrue(scheduler.idle(), "an empty step while there is work");
      return;
    }
    checkBatch(batch);
    for (Sequence sequence : scheduler.running()) {
      boolean overtook =
          !before.contains(sequence)
              && !scheduler.waiting().isEmpty()
              && Objects.requireNonNull(scheduler.waiting().first()).compareTo(sequence) < 0;
      assertTrue(!overtook, sequence + " overtook one that waits");
    }
    check();
    StepResult result = memory.execute(batch);
    meanwhile.run();
    if (fails) {
      note("which failed");
      Recall.from(scheduler);
      check();
      return;
    }
    scheduler.update(batch, result).forEach(this::take);
    check();
  }

  /** Everything comes to rest, and nothing is left but what the prefix cache keeps. */
  void finish() {
    for (int i = 0; !scheduler.idle(); i++) {
      assertTrue(i < 5_000, "does not come to rest: " + scheduler.running());
      tick(1_000);
      step(() -> {});
    }
    Counters rest = scheduler.counters();
    assertEquals(new Counters(0, 0, 0, 0, 0, rest.preemptions()), rest);
    assertEquals(limits.blocks(), scheduler.pool().free(), "a block leaked");
    clients.values().forEach(this::checkEnded);
  }

  /** All that the future depends on. */
  String state() {
    StringBuilder state = new StringBuilder();
    clients.forEach(
        (id, client) ->
            state.append(
                "%s.%d %s %s; "
                    .formatted(id.counter(), client.submit.attempt(), client.got, client.over())));
    state.append("running ").append(scheduler.running());
    state.append(" waiting ").append(scheduler.waiting());
    for (Sequence sequence : scheduler.running()) {
      for (int i = 0; i < sequence.blockCount(); i++) {
        state.append(' ').append(sequence.block(i));
      }
    }
    return state.append(' ').append(scheduler.pool()).toString();
  }

  private void take(Delta delta) {
    Client client =
        Objects.requireNonNull(clients.get(delta.request()), "a delta of a refused request");
    assertEquals(client.submit.attempt(), delta.attempt());
    assertTrue(!client.over(), "a delta after the end of " + delta);
    assertEquals(client.got.size(), delta.offset());
    assertTrue(delta.cachedTokens() < client.submit.prompt().size() + client.got.size());
    boolean first = client.got.size() == client.submit.delivered().size();
    assertEquals(first || delta.finish() != null, delta.timing() != null);
    delta.ids().stream().forEach(client.got::add);
    client.finish = delta.finish();
    tokens++;
  }

  private void checkBatch(Batch batch) {
    assertTrue(batch.tokens() <= limits.maxNumBatchedTokens(), "over the token budget");
    assertTrue(batch.items().size() <= limits.maxNumSeqs(), "too many sequences");
    Set<Long> ids = new HashSet<>();
    int threshold = limits.longPrefillTokenThreshold();
    for (Batch.Item item : batch.items()) {
      int count = item.tokens().size();
      assertTrue(ids.add(item.sequence()), "a sequence twice in one batch");
      assertTrue(count > 0 && (threshold == 0 || count <= threshold), "over the threshold");
      assertTrue(
          item.blocks().size() * limits.blockSize() >= item.start() + count, "too few blocks");
    }
    // Whoever runs and is first in order is in every batch; with it everything ends.
    assertTrue(ids.contains(scheduler.running().getFirst().id), "the first in order stands still");
    if (limits.policy() == SchedulingPolicy.FCFS) {
      RequestId oldest =
          scheduler.live().keySet().stream().min(Comparator.comparing(arrivals::get)).orElseThrow();
      assertEquals(oldest, scheduler.running().getFirst().request);
    }
  }

  private void check() {
    int[] owners = new int[limits.blocks()];
    long resident = 0;
    long queued = 0;
    Sequence previous = null;
    for (Sequence sequence : scheduler.running()) {
      assertTrue(previous == null || previous.compareTo(sequence) < 0, "out of order");
      previous = sequence;
      for (int i = 0; i < sequence.blockCount(); i++) {
        owners[sequence.block(i)]++;
      }
      resident += sequence.computed();
      queued += sequence.ended() ? 0 : sequence.queued();
    }
    for (Sequence sequence : scheduler.waiting()) {
      assertEquals(0, sequence.blockCount(), "a waiting request holds blocks");
      queued += sequence.queued();
    }
    int used = 0;
    for (int block = 0; block < owners.length; block++) {
      assertEquals(owners[block], scheduler.pool().owners(block), "owners of block " + block);
      used += owners[block] > 0 ? 1 : 0;
    }
    Counters counters = scheduler.counters();
    assertEquals(used, scheduler.pool().used(), "a block leaked");
    assertEquals(used, counters.blocksUsed());
    assertEquals(resident, counters.residentTokens());
    assertEquals(queued, counters.queuedTokens());
    assertEquals(scheduler.live().size(), counters.waiting() + counters.running());
    assertTrue(counters.running() <= limits.maxNumSeqs());
    checkCache(owners);
  }

  /** Every named block holds what its name says, and only full blocks are shared. */
  private void checkCache(int[] owners) {
    for (Client client : clients.values()) {
      name(client);
    }
    Set<PrefixHash> found = scheduler.prefixes().blocks();
    assertTrue(limits.prefixCaching() || found.isEmpty());
    for (PrefixHash name : found) {
      int block = scheduler.pool().find(name);
      TokenIds prefix = Objects.requireNonNull(prefixes.get(name), "a name of nothing known");
      assertEquals(name, scheduler.pool().name(block));
      assertEquals(KvMemory.value(prefix), memory.last(block), "a cached block holds other tokens");
    }
    for (int block = 0; block < owners.length; block++) {
      assertTrue(
          owners[block] <= 1 || scheduler.pool().name(block) != null, "an unnamed block is shared");
    }
  }

  /** The names of all prefixes that the request may leave behind, computed apart. */
  private void name(Client client) {
    int size = limits.blockSize();
    int known = client.submit.prompt().size() + client.got.size();
    PrefixHash name = client.name;
    if (name != null && client.named + size > known) {
      return;
    }
    name = name == null ? hasher.root(client.submit.cacheSalt()) : name;
    TokenIds all = client.submit.prompt().concat(TokenIds.of(client.expected));
    int[] ids = all.toArray();
    while (client.named + size <= Math.min(known, all.size())) {
      name = hasher.next(name, ids, client.named, size);
      client.named += size;
      prefixes.putIfAbsent(name, all.slice(0, client.named));
    }
    client.name = name;
  }

  private void checkEnded(Client client) {
    assertTrue(client.over(), client.submit + " never ended");
    int[] got = client.got.stream().mapToInt(Integer::intValue).toArray();
    assertTrue(got.length <= client.expected.length, "too many tokens");
    int[] same = Arrays.copyOf(client.expected, got.length);
    assertEquals(TokenIds.of(same), TokenIds.of(got), "tokens differ from those drawn alone");
    if (client.finish == FinishReason.LENGTH) {
      assertEquals(client.expected.length, got.length);
    }
  }
}
