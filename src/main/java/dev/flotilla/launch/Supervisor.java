package dev.flotilla.launch;

import dev.flotilla.config.EngineConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engines of one node: starts them, watches them, starts a dead one again by {@link
 * RestartPolicy}, or ends all with it, and stops all by a common deadline, then by force. Whatever
 * its engines complete, it continues on the one executor that it is given, and all its methods are
 * called there.
 *
 * <p>Source: the original's process and actor managers, of which any end of an engine ends all.
 */
final class Supervisor {
  private static final Logger LOG = LoggerFactory.getLogger(Supervisor.class);

  /** Starts one engine. */
  interface Starter {
    /**
     * Starts.
     *
     * @param index of the engine among those of this node, for its share of the devices
     */
    EngineProcess start(String name, int index, EngineConfig config);
  }

  /** Time, for waiting before a restart. */
  interface Timer {
    long nowMs();

    /** Runs the action later, on the supervisor's executor. */
    void after(long ms, Runnable action);
  }

  /** What others want to know. */
  interface Watch {
    /** An engine has died; it is started again or not. */
    void died(EngineProcess engine, EngineEnd end);

    /** An engine has died too often: nobody should wait for it, though it is tried again. */
    void givenUp(EngineConfig engine, String reason);

    /** Nothing more can run here: the sentence says why. Told once. */
    void failed(String sentence);

    /** An engine that was to end has ended, and none takes its place. */
    default void gone(EngineConfig engine, EngineEnd end) {}
  }

  private final Starter starter;
  private final Timer timer;
  private final Executor executor;
  private final EngineFailure onFailure;
  private final Watch watch;
  private final Map<String, Slot> slots = new LinkedHashMap<>(); // by name
  private final Map<String, Integer> finished = new LinkedHashMap<>();
  private final Set<EngineProcess> alive = ConcurrentHashMap.newKeySet();
  private final CompletableFuture<EngineEnd> firstEnd = new CompletableFuture<>();
  private final CompletableFuture<Void> allStarted = new CompletableFuture<>();
  private volatile boolean stopping;
  private int unnamed;

  /** One engine's place. */
  private static final class Slot {
    final String name;
    final int index;
    final EngineConfig config;
    RestartPolicy policy = RestartPolicy.FRESH;
    @Nullable EngineProcess process;
    boolean everStarted;
    boolean givenUp;
    boolean leaving;
    boolean ordered; // Its failure concerns whoever has ordered it, not the other engines here.

    Slot(String name, int index, EngineConfig config) {
      this.name = name;
      this.index = index;
      this.config = config;
    }
  }

  Supervisor(
      Starter starter, Timer timer, Executor executor, EngineFailure onFailure, Watch watch) {
    this.starter = starter;
    this.timer = timer;
    this.executor = executor;
    this.onFailure = onFailure;
    this.watch = watch;
  }

  /**
   * Starts all; completes once each has started or is given up, fails with the sentence of what
   * cannot.
   */
  CompletableFuture<Void> startAll(List<EngineConfig> configs) {
    configs.forEach(this::add);
    slots.values().forEach(this::start);
    tellStarted();
    return allStarted;
  }

  /** Starts one more, or one that was given up; nothing if it runs. */
  void start(EngineConfig config) {
    Integer rank = config.rank();
    Slot slot = rank == null ? null : slots.get(name(config));
    if (slot != null && (slot.process != null || stopping)) {
      LOG.info("{} runs here already; the repeated order is ignored", slot.name);
      return;
    }
    if (slot == null) {
      slot = add(config);
    }
    slot.ordered = true;
    slot.policy = slot.policy.on(new RestartPolicy.Event.Reset()).next();
    start(slot);
  }

  /** The engine of a rank is about to go by order: its end is no death. */
  @Nullable EngineProcess leaving(int rank) {
    for (Slot slot : slots.values()) {
      if (Integer.valueOf(rank).equals(slot.config.rank()) && slot.process != null) {
        slot.leaving = true;
        return slot.process;
      }
    }
    return null;
  }

  /** The same for one that may wait for another start; null: there is nothing to end. */
  @Nullable EngineProcess ending(int rank) {
    for (Slot slot : slots.values()) {
      if (Integer.valueOf(rank).equals(slot.config.rank())) {
        slot.leaving = true;
        return slot.process;
      }
    }
    return null;
  }

  /** The engines that run or start. */
  List<EngineProcess> running() {
    return slots.values().stream().map(s -> s.process).filter(Objects::nonNull).toList();
  }

  /** Exit codes of the engines that have ended and were not started again, by name. */
  Map<String, Integer> finished() {
    return Map.copyOf(finished);
  }

  /** Completes with the first engine that ends, for whatever reason. */
  CompletableFuture<EngineEnd> firstEnd() {
    return firstEnd;
  }

  /** From now on the end of an engine is what is wanted. */
  void beginStop() {
    stopping = true;
  }

  /** Completes when all engines that run now have ended. */
  CompletableFuture<Void> allEnded() {
    return CompletableFuture.allOf(
        running().stream()
            .map(e -> e.ended().toCompletableFuture())
            .toArray(CompletableFuture<?>[]::new));
  }

  /**
   * Has all engines end, and ends by force what has not within the time. A second call changes
   * nothing.
   */
  CompletableFuture<Void> stop(long deadlineMs) {
    stopping = true;
    List<EngineProcess> left = running();
    CompletableFuture<Void> all = allEnded();
    left.forEach(EngineProcess::stop);
    timer.after(
        deadlineMs,
        () -> {
          List<EngineProcess> late = left.stream().filter(e -> !isDone(e)).toList();
          if (!late.isEmpty()) {
            LOG.warn(
                "{} of {} engines did not end within {} ms and are killed: {}",
                late.size(),
                left.size(),
                deadlineMs,
                late.stream().map(EngineProcess::name).toList());
            late.forEach(EngineProcess::kill);
          }
        });
    return all;
  }

  /** Ends all engines at once. May be called from any thread, even when the executor is gone. */
  void kill() {
    stopping = true;
    alive.forEach(EngineProcess::kill);
  }

  private static boolean isDone(EngineProcess engine) {
    return engine.ended().toCompletableFuture().isDone();
  }

  private Slot add(EngineConfig config) {
    Slot slot = new Slot(name(config), slots.size(), config);
    slots.put(slot.name, slot);
    return slot;
  }

  private String name(EngineConfig config) {
    Integer rank = config.rank();
    return rank == null
        ? "EngineCore_any" + ++unnamed
        : LaunchPlan.engineName(rank, config.dataParallelSize());
  }

  private void start(Slot slot) {
    EngineProcess process = starter.start(slot.name, slot.index, slot.config);
    slot.process = process;
    alive.add(process);
    process.ended().thenRun(() -> alive.remove(process));
    slot.givenUp = false;
    slot.leaving = false;
    finished.remove(slot.name);
    process
        .started()
        .whenComplete((ok, failure) -> executor.execute(() -> started(slot, process, failure)));
    process.ended().thenAccept(end -> executor.execute(() -> ended(slot, process, end)));
  }

  @SuppressWarnings("ReferenceEquality") // A slot asks for this very start.
  private void started(Slot slot, EngineProcess process, @Nullable Throwable failure) {
    if (slot.process != process || stopping) {
      return;
    }
    if (failure == null) {
      slot.everStarted = true;
      tellStarted();
    } else if (!(failure instanceof EngineProcess.Ended) && !slot.everStarted) {
      // It said itself that it cannot: another try would end the same way.
      String sentence = String.valueOf(failure.getMessage());
      if (slot.ordered) {
        slot.leaving = true; // Its end, which follows, is told.
        LOG.error("{} cannot start: {}", slot.name, sentence);
      } else {
        fail(sentence, failure);
      }
    }
  }

  private void tellStarted() {
    if (slots.values().stream().allMatch(s -> s.everStarted || s.givenUp)) {
      allStarted.complete(null);
    }
  }

  @SuppressWarnings("ReferenceEquality") // A slot asks for this very start.
  private void ended(Slot slot, EngineProcess process, EngineEnd end) {
    if (slot.process != process) {
      return;
    }
    slot.process = null;
    finished.put(slot.name, end.code() == null ? 0 : end.code());
    firstEnd.complete(end);
    if (stopping || slot.leaving) {
      LOG.info("{}", end.sentence());
      watch.gone(slot.config, end);
      return;
    }
    LOG.error("{}", end.sentence());
    watch.died(process, end);
    if (onFailure == EngineFailure.STOP) {
      fail(end.sentence() + "; --on-engine-failure stop ends all", null);
      return;
    }
    RestartPolicy.Step step = slot.policy.on(new RestartPolicy.Event.Died(timer.nowMs()));
    slot.policy = step.next();
    switch (step.decision()) {
      case RestartPolicy.Decision.Restart(long ms) -> restart(slot, ms);
      case RestartPolicy.Decision.GiveUp(String reason, long trialMs) ->
          giveUp(slot, end, reason, trialMs);
      case RestartPolicy.Decision.None() -> LOG.debug("{} stays ended", slot.name);
    }
  }

  private void restart(Slot slot, long ms) {
    LOG.info("{} is started again {}", slot.name, ms == 0 ? "at once" : "in " + ms + " ms");
    Runnable again =
        () -> {
          if (!stopping && !slot.leaving && slot.process == null) {
            start(slot);
          }
        };
    if (ms == 0) {
      again.run();
    } else {
      timer.after(ms, again);
    }
  }

  private void giveUp(Slot slot, EngineEnd end, String reason, long trialMs) {
    LOG.error("{}: {}", slot.name, reason);
    slot.givenUp = true;
    RestartPolicy open = slot.policy;
    timer.after(
        trialMs,
        () -> {
          if (!stopping && slot.process == null && slot.policy.equals(open)) {
            LOG.info("{} is started on trial", slot.name);
            slot.policy = open.on(new RestartPolicy.Event.Tried(timer.nowMs())).next();
            start(slot);
          }
        });
    watch.givenUp(slot.config, end.how() + "; " + reason);
    tellStarted();
  }

  /** The start or the whole node has failed for good: the siblings stop as well. */
  private void fail(String sentence, @Nullable Throwable cause) {
    List<EngineProcess> siblings = new ArrayList<>(running());
    stopping = true;
    siblings.forEach(EngineProcess::kill);
    allStarted.completeExceptionally(
        cause instanceof RuntimeException known ? known : new IllegalStateException(sentence));
    watch.failed(sentence);
  }
}
