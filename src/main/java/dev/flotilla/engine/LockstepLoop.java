package dev.flotilla.engine;

import dev.flotilla.model.Collective;
import dev.flotilla.protocol.LockstepLoad;
import java.util.function.LongConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps one rank's steps in step with its group's: performs what {@link Lockstep} decides. Used by
 * the thread that steps.
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

  private final Collective collective;
  private final LongConsumer wantWave;
  private final WaveRecord waves = new WaveRecord();
  private Lockstep lockstep;
  private long agreeNanos;

  /**
   * At rest.
   *
   * @param interval steps between two agreements
   * @param wantWave told the wave that is to start, as often as there is work while the group
   *     sleeps; must see to it that every member hears of it
   */
  LockstepLoop(Collective collective, int interval, LongConsumer wantWave) {
    this.collective = collective;
    this.wantWave = wantWave;
    this.lockstep = Lockstep.asleep(interval);
  }

  /** All members are to run this wave. */
  void startWave(long wave) {
    boolean ran = lockstep.running();
    move(new Lockstep.Event.StartWave(wave));
    if (!ran && lockstep.running()) {
      LOG.debug("rank {} runs wave {}", collective.rank(), lockstep.wave());
    }
  }

  /**
   * Takes one step with the others, or none if they sleep.
   *
   * @throws dev.flotilla.model.CollectiveException if a member did not take part
   */
  void turn(Steps steps) throws InterruptedException {
    perform(move(new Lockstep.Event.Turn(steps.work())), steps);
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
        collective.generation().number(),
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
        case Lockstep.Effect.WantWave(long wave) -> wantWave.accept(wave);
        case Lockstep.Effect.WaveComplete(long wave) ->
            LOG.debug("rank {} has completed wave {}", collective.rank(), wave);
        case Lockstep.Effect.Sleep _ -> {} // The loop sleeps in its inbox when no wave runs.
      }
    }
  }

  private boolean agree(boolean work) {
    long start = System.nanoTime();
    boolean any = collective.sum(work ? 1 : 0)[0] > 0;
    agreeNanos += System.nanoTime() - start;
    return any;
  }

  private Iterable<Lockstep.Effect> move(Lockstep.Event event) {
    Lockstep.Move move = lockstep.on(event);
    waves.moved(lockstep, move.next(), collective.rank(), collective.generation().number());
    lockstep = move.next();
    return move.effects();
  }
}
