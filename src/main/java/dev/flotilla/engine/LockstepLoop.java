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
import org.slf4j.event.Level;

/**
 * Keeps one rank's steps in step with its group's: performs what {@link Lockstep} decides, and
 * takes the rank from one generation into the next. Without a generation it is at rest, whatever
 * work there is. Used by the thread that steps.
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

  /** What the rank says of its group; called by the thread that steps. */
  interface Voice {
    /** The wave that is to start; must see to it that every member hears of it. */
    void wantWave(long generation, long wave);

    /** The generation is over for this rank, which has missed these. */
    void broken(long generation, List<Rank> missing, String reason);

    /** A turn is due by then, though nothing happens: something is to be said again. */
    void wakeAt(long nanos);
  }

  private final Entrance entrance;
  private final Executor executor;
  private final Voice voice;
  private @Nullable Collective collective;
  private final WaveRecord waves = new WaveRecord();
  private Rank rank = new Rank(0); // Of the newest generation that it was in.
  private Lockstep lockstep;
  private @Nullable CollectiveException failure; // By which the generation has ended.
  private long agreeNanos;
  private long wakeNanos;

  /**
   * In no generation, at rest.
   *
   * @param interval steps between two agreements
   */
  LockstepLoop(Entrance entrance, Executor executor, int interval, Voice voice) {
    this.entrance = entrance;
    this.executor = executor;
    this.voice = voice;
    this.lockstep = Lockstep.alone(interval);
  }

  /**
   * Goes on as this generation, at rest: takes its share of the experts, then waits for the others.
   * If they do not come, the generation is broken.
   *
   * @param wave waves that are completed
   */
  void regroup(Generation next, long wave) {
    collective = null;
    int own = entrance.indexIn(next);
    if (next.number() < entrance.newest() || own < 0) {
      move(new Lockstep.Event.Failed()); // There is a newer one, or it has to be let in again.
      return;
    }
    rank = next.rank(own);
    executor.share(own, next.size());
    try {
      Collective joined = entrance.join(next);
      executor.regroup(joined);
      collective = joined;
      move(new Lockstep.Event.Regrouped(next.number(), wave));
      LOG.info("rank {} is one of {} in generation {}", joined.rank(), next.size(), next.number());
    } catch (CollectiveException e) {
      move(new Lockstep.Event.Regrouped(next.number(), wave));
      failed(e);
    }
  }

  /** An exchange has failed: the generation is over for this rank. */
  void failed(CollectiveException why) {
    boolean over = lockstep.generation() < entrance.newest();
    LOG.atLevel(over ? Level.INFO : Level.WARN)
        .log("generation {} ends here: {}", lockstep.generation(), why.getMessage());
    collective = null;
    failure = why;
    move(new Lockstep.Event.Failed());
  }

  /** All members of a generation are to run this wave. */
  void startWave(long generation, long wave) {
    boolean ran = lockstep.running();
    move(new Lockstep.Event.StartWave(generation, wave));
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
    perform(move(new Lockstep.Event.Turn(steps.work(), System.nanoTime())), steps);
  }

  /** Whether a wave is under way, so that the loop must go on. */
  boolean running() {
    return lockstep.running();
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
        lockstep.generation(),
        lockstep.running(),
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
        case Lockstep.Effect.WantWave(long generation, long wave) ->
            voice.wantWave(generation, wave);
        case Lockstep.Effect.SayBroken(long generation) -> sayBroken(generation);
        case Lockstep.Effect.WaveComplete(long wave) ->
            LOG.debug("generation {} has completed wave {}", lockstep.generation(), wave);
        case Lockstep.Effect.Sleep _ -> {} // The loop sleeps in its inbox when no wave runs.
        case Lockstep.Effect.SleepUntil(long nanos) -> wakeAt(nanos);
      }
    }
  }

  /** Unless it has heard of a newer generation, to which it will come. */
  private void sayBroken(long generation) {
    CollectiveException why = failure;
    if (why != null && generation >= entrance.newest()) {
      voice.broken(generation, why.missing(), String.valueOf(why.getMessage()));
    }
  }

  /** Once for each time at which something is due. */
  private void wakeAt(long nanos) {
    if (nanos != wakeNanos) {
      wakeNanos = nanos;
      voice.wakeAt(nanos);
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
    waves.moved(lockstep, move.next(), rank);
    lockstep = move.next();
    return move.effects();
  }
}
