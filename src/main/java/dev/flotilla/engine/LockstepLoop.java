package dev.flotilla.engine;

import dev.flotilla.collective.Entrance;
import dev.flotilla.model.Collective;
import dev.flotilla.model.CollectiveException;
import dev.flotilla.model.Executor;
import dev.flotilla.protocol.Generation;
import dev.flotilla.protocol.LockstepLoad;
import dev.flotilla.protocol.Rank;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps one rank's steps in step with its group's: performs what {@link Lockstep} decides, and
 * takes the rank from one generation into the next. Without a generation it is at rest, whatever
 * work there is. Used by the thread that steps, but for {@link #need}, which the port reads.
 */
final class LockstepLoop {
  private static final Logger LOG = LoggerFactory.getLogger(LockstepLoop.class);

  /** What the rank does in a step. */
  interface Steps {
    /** Whether there is something to compute. */
    boolean work();

    /** Computes a batch. */
    void step() throws InterruptedException;

    /** Takes part without work. */
    void dummy() throws InterruptedException;
  }

  /** What the rank cannot have by itself, and the generation that it means. */
  sealed interface Need {
    /** Number of the generation. */
    long generation();

    /** A wave that is to start, since this rank has work. */
    record Wave(long generation, long wave) implements Need {}

    /** Another generation, since this one is over; who was missing in it. */
    record Another(long generation, List<Rank> missing, String reason) implements Need {}
  }

  private final Entrance entrance;
  private final Executor executor;
  private @Nullable Collective collective;
  private Lockstep lockstep;
  private long generation; // The last that it has joined; 0: none.
  private long agreeNanos;
  private volatile @Nullable Need need;

  /**
   * In no generation, at rest.
   *
   * @param interval steps between two agreements
   */
  LockstepLoop(Entrance entrance, Executor executor, int interval) {
    this.entrance = entrance;
    this.executor = executor;
    this.lockstep = Lockstep.asleep(interval);
  }

  /**
   * Goes on as this generation, at rest: takes its share of the experts, then waits for the others.
   * If they do not come it needs another one.
   *
   * @param wave waves that are completed
   */
  void regroup(Generation next, long wave) {
    collective = null;
    need = null;
    int own = entrance.indexIn(next);
    if (next.number() < entrance.newest() || own < 0) {
      return; // There is a newer one, or it has to be let in again.
    }
    executor.share(own, next.size());
    try {
      Collective joined = entrance.join(next);
      executor.regroup(joined);
      collective = joined;
      generation = next.number();
      move(new Lockstep.Event.Regrouped(wave));
      LOG.info("rank {} is one of {} in generation {}", joined.rank(), next.size(), generation);
    } catch (CollectiveException e) {
      failed(next.number(), e);
    }
  }

  /** An exchange has failed: the generation is over for this rank. */
  void failed(CollectiveException failure) {
    collective = null;
    failed(generation, failure);
  }

  private void failed(long number, CollectiveException failure) {
    need = null;
    if (number < entrance.newest()) {
      LOG.info("generation {} ends here: {}", number, failure.getMessage());
      return;
    }
    LOG.warn("generation {} is broken: {}", number, failure.getMessage());
    need = new Need.Another(number, failure.missing(), String.valueOf(failure.getMessage()));
  }

  /** All members of a generation are to run this wave. */
  void startWave(long of, long wave) {
    if (collective == null || of != generation) {
      return; // Told again once its reports say that it is there.
    }
    boolean ran = lockstep.running();
    move(new Lockstep.Event.StartWave(wave));
    if (!ran && lockstep.running()) {
      LOG.debug("generation {} runs wave {}", generation, lockstep.wave());
    }
  }

  /**
   * Takes one step with the others, or none if they sleep.
   *
   * @throws CollectiveException if a member did not take part
   */
  void turn(Steps steps) throws InterruptedException {
    if (collective != null) {
      need = null;
      perform(move(new Lockstep.Event.Turn(steps.work())), steps);
    }
  }

  /** Whether a wave is under way, so that the loop must go on. */
  boolean running() {
    return collective != null && lockstep.running();
  }

  /** What the coordinator has to be asked for; null if nothing. */
  @Nullable Need need() {
    return need;
  }

  /** Where the rank stands. */
  Lockstep state() {
    return lockstep;
  }

  /**
   * What is reported of it.
   *
   * @param waitedNanos time in which the executor waited; that of agreements is added
   */
  LockstepLoad load(long waitedNanos) {
    return new LockstepLoad(
        generation,
        running(),
        lockstep.counts().dummies(),
        (waitedNanos + agreeNanos) / 1_000_000);
  }

  private void perform(Iterable<Lockstep.Effect> effects, Steps steps) throws InterruptedException {
    for (Lockstep.Effect effect : effects) {
      switch (effect) {
        case Lockstep.Effect.Step _ -> {
          steps.step();
          perform(move(new Lockstep.Event.StepDone(false)), steps);
        }
        case Lockstep.Effect.DummyStep _ -> {
          steps.dummy();
          perform(move(new Lockstep.Event.StepDone(true)), steps);
        }
        case Lockstep.Effect.Agree _ ->
            perform(move(new Lockstep.Event.Agreed(agree(steps.work()))), steps);
        case Lockstep.Effect.WantWave(long wave) -> need = new Need.Wave(generation, wave);
        case Lockstep.Effect.WaveComplete(long wave) ->
            LOG.debug("generation {} has completed wave {}", generation, wave);
        case Lockstep.Effect.Sleep _ -> {} // The loop sleeps in its inbox when no wave runs.
      }
    }
  }

  private boolean agree(boolean work) {
    long start = System.nanoTime();
    boolean any = Objects.requireNonNull(collective).sum(work ? 1 : 0)[0] > 0;
    agreeNanos += System.nanoTime() - start;
    return any;
  }

  private Iterable<Lockstep.Effect> move(Lockstep.Event event) {
    Lockstep.Move move = lockstep.on(event);
    lockstep = move.next();
    return move.effects();
  }
}
