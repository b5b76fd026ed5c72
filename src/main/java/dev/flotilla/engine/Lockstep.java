package dev.flotilla.engine;

import dev.flotilla.protocol.Machine;
import java.util.List;

/**
 * One rank of a group whose members take every step together. In a wave each step is taken by all,
 * by those without work as a dummy; at step 1 and then every {@code interval} steps they agree
 * whether any has work left, and when none has, all sleep until the next wave.
 *
 * <p>All members see the same agreements at the same steps, so they agree on where a wave ends
 * without a word. When it starts they are told: a member that has work while the group sleeps asks
 * for a wave and waits, and never starts by itself. A start that comes before the end of the last
 * wave was seen here is kept; one of a wave that is over is dropped.
 *
 * @param interval steps between two agreements
 * @param wave the number of waves completed: while running, the present one's
 * @param running whether a wave is under way
 * @param step steps taken in it
 * @param started the highest wave whose start was told; -1: none
 * @param counts of all waves
 */
public record Lockstep(
    int interval, long wave, boolean running, long step, long started, Counts counts)
    implements Machine {

  /**
   * What was done since the start.
   *
   * @param steps all, dummies included
   * @param dummies those without work
   * @param agreements votes taken
   */
  public record Counts(long steps, long dummies, long agreements) {
    static final Counts NONE = new Counts(0, 0, 0);
  }

  /** What can happen. */
  public sealed interface Event {
    /** All members are to run this wave. */
    record StartWave(long wave) implements Event {}

    /**
     * The loop is free.
     *
     * @param work whether this rank has something to compute
     */
    record Turn(boolean work) implements Event {}

    /**
     * The step that was asked for is over.
     *
     * @param dummy whether it was one
     */
    record StepDone(boolean dummy) implements Event {}

    /** The group has agreed whether any member has work left. */
    record Agreed(boolean unfinished) implements Event {}

    /**
     * The group goes on as a new generation, at rest; the step under way, if any, has failed.
     *
     * @param wave completed ones, as all members of the generation are told
     */
    record Regrouped(long wave) implements Event {}
  }

  /** What is to be done, one after the other. */
  public sealed interface Effect {
    /** Compute a batch, then report {@link Event.StepDone}. */
    record Step() implements Effect {}

    /** Take part without work, then report {@link Event.StepDone}. */
    record DummyStep() implements Effect {}

    /** Vote whether this rank has work left, then report {@link Event.Agreed}. */
    record Agree() implements Effect {}

    /** Ask for this wave; repeated on every turn until it starts. */
    record WantWave(long wave) implements Effect {}

    /** This wave is over, here and at all others. */
    record WaveComplete(long wave) implements Effect {}

    /** Wait until something happens. */
    record Sleep() implements Effect {}
  }

  /**
   * A move.
   *
   * @param effects in the order in which they are to be performed
   */
  public record Move(Lockstep next, List<Effect> effects) {
    /** Keeps a private copy. */
    public Move {
      effects = List.copyOf(effects);
    }
  }

  /** A member at rest, before the first wave. */
  public static Lockstep asleep(int interval) {
    return new Lockstep(interval, 0, false, 0, -1, Counts.NONE);
  }

  /** The next state and what is to be done. */
  public Move on(Event event) {
    return switch (event) {
      case Event.StartWave(long told) -> startWave(told);
      case Event.Turn(boolean work) when running ->
          new Move(this, List.of(work ? new Effect.Step() : new Effect.DummyStep()));
      case Event.Turn(boolean work) when work ->
          new Move(this, List.of(new Effect.WantWave(wave), new Effect.Sleep()));
      case Event.Turn _ -> new Move(this, List.of(new Effect.Sleep()));
      case Event.StepDone(boolean dummy) -> stepDone(dummy);
      case Event.Agreed(boolean unfinished) -> agreed(unfinished);
      case Event.Regrouped(long completed) ->
          new Move(
              new Lockstep(interval, Math.max(wave, completed), false, 0, -1, counts), List.of());
    };
  }

  private Move startWave(long told) {
    long highest = Math.max(started, told);
    Lockstep next = new Lockstep(interval, wave, running, step, highest, counts);
    return new Move(running ? next : next.awake(), List.of());
  }

  /** Runs the wave that was told, if it is not over. */
  private Lockstep awake() {
    return started < wave ? this : new Lockstep(interval, started, true, 0, started, counts);
  }

  private Move stepDone(boolean dummy) {
    Counts more =
        new Counts(counts.steps() + 1, counts.dummies() + (dummy ? 1 : 0), counts.agreements());
    long taken = step + 1;
    boolean agree = taken == 1 || taken % interval == 0;
    return new Move(
        new Lockstep(interval, wave, running, taken, started, more),
        agree ? List.of(new Effect.Agree()) : List.of());
  }

  private Move agreed(boolean unfinished) {
    Counts more = new Counts(counts.steps(), counts.dummies(), counts.agreements() + 1);
    if (unfinished) {
      return new Move(new Lockstep(interval, wave, running, step, started, more), List.of());
    }
    Lockstep rest = new Lockstep(interval, wave + 1, false, 0, started, more);
    return new Move(rest.awake(), List.of(new Effect.WaveComplete(wave)));
  }
}
