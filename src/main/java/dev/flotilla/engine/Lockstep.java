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
 * wave was seen here is kept; one of a wave that is over, or of another generation, is dropped.
 *
 * <p>A generation ends when an exchange fails: its members rest, keep what they have to do, and say
 * so until they are told of a newer one. Neither generation nor wave ever goes back.
 *
 * @param interval steps between two agreements
 * @param generation number of the member list that it belongs to; 0: none yet
 * @param wave the number of waves completed: while running, the present one's
 * @param running whether a wave is under way
 * @param broken whether an exchange of this generation has failed
 * @param step steps taken in the wave
 * @param started the highest wave of this generation whose start was told; -1: none
 * @param repeat when to ask again for a wave, or to say again that the group is broken
 * @param counts of all waves
 */
public record Lockstep(
    int interval,
    long generation,
    long wave,
    boolean running,
    boolean broken,
    long step,
    long started,
    Repeat repeat,
    Counts counts)
    implements Machine {

  /** The first repetition comes after so long; each further one after twice the time. */
  static final long REPEAT_MIN_NANOS = 20_000_000;

  /** The longest time between two repetitions. */
  static final long REPEAT_MAX_NANOS = 100_000_000;

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

  /**
   * What is being said until it is answered.
   *
   * @param times how often it was said; 0: it is due
   * @param dueNanos when it is due again
   */
  public record Repeat(int times, long dueNanos) {
    static final Repeat NONE = new Repeat(0, 0);

    boolean due(long now) {
      return times == 0 || now - dueNanos >= 0;
    }

    Repeat said(long now) {
      int doublings = Math.min(times, 8);
      return new Repeat(times + 1, now + Math.min(REPEAT_MAX_NANOS, REPEAT_MIN_NANOS << doublings));
    }
  }

  /** What can happen. */
  public sealed interface Event {
    /** All members of a generation are to run this wave. */
    record StartWave(long generation, long wave) implements Event {}

    /**
     * The loop is free.
     *
     * @param work whether this rank has something to compute
     */
    record Turn(boolean work, long nowNanos) implements Event {}

    /**
     * The step that was asked for is over.
     *
     * @param dummy whether it was one
     */
    record StepDone(boolean dummy) implements Event {}

    /** The group has agreed whether any member has work left. */
    record Agreed(boolean unfinished) implements Event {}

    /** An exchange has failed: the step under way was not taken, or not by all. */
    record Failed() implements Event {}

    /**
     * The group goes on as a new generation, at rest; the step under way, if any, has failed.
     *
     * @param generation one that is not newer is dropped
     * @param wave completed ones, as all members of the generation are told
     */
    record Regrouped(long generation, long wave) implements Event {}
  }

  /** What is to be done, one after the other. */
  public sealed interface Effect {
    /** Compute a batch, then report {@link Event.StepDone}. */
    record Step() implements Effect {}

    /** Take part without work, then report {@link Event.StepDone}. */
    record DummyStep() implements Effect {}

    /** Vote whether this rank has work left, then report {@link Event.Agreed}. */
    record Agree() implements Effect {}

    /** Ask for this wave. */
    record WantWave(long generation, long wave) implements Effect {}

    /** Say that this generation is over, and why. */
    record SayBroken(long generation) implements Effect {}

    /** This wave is over, here and at all others. */
    record WaveComplete(long wave) implements Effect {}

    /** Wait until something happens. */
    record Sleep() implements Effect {}

    /** The same, or until then: something is to be said again. */
    record SleepUntil(long nanos) implements Effect {}
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

  /** One that belongs to no group yet. */
  public static Lockstep alone(int interval) {
    return new Lockstep(interval, 0, 0, false, false, 0, -1, Repeat.NONE, Counts.NONE);
  }

  /** A member at rest, before the first wave. */
  public static Lockstep asleep(int interval, long generation) {
    return new Lockstep(interval, generation, 0, false, false, 0, -1, Repeat.NONE, Counts.NONE);
  }

  /** The next state and what is to be done. */
  public Move on(Event event) {
    return switch (event) {
      case Event.StartWave(long of, long told) when of == generation && !broken -> startWave(told);
      case Event.Turn(boolean work, long _) when running ->
          new Move(this, List.of(work ? new Effect.Step() : new Effect.DummyStep()));
      case Event.Turn(boolean _, long now) when broken ->
          say(new Effect.SayBroken(generation), now);
      case Event.Turn(boolean work, long now) when work && generation != 0 ->
          say(new Effect.WantWave(generation, wave), now);
      case Event.Turn _ -> new Move(this, List.of(new Effect.Sleep()));
      case Event.StepDone(boolean dummy) when running -> stepDone(dummy);
      case Event.Agreed(boolean unfinished) when running -> agreed(unfinished);
      case Event.Failed _ when generation != 0 -> stay(rest(generation, wave, true));
      case Event.Regrouped(long number, long completed) when number > generation ->
          stay(rest(number, Math.max(wave, completed), false));
      // Of another generation, of a step that has failed meanwhile, or told again.
      case Event.StartWave _, Event.StepDone _, Event.Agreed _, Event.Failed _, Event.Regrouped _ ->
          stay(this);
    };
  }

  private static Move stay(Lockstep next) {
    return new Move(next, List.of());
  }

  private Lockstep rest(long of, long completed, boolean failed) {
    // One that says already that it is broken goes on saying it as before.
    Repeat said = failed && broken ? repeat : Repeat.NONE;
    return new Lockstep(interval, of, completed, false, failed, 0, -1, said, counts);
  }

  private Move say(Effect what, long now) {
    if (!repeat.due(now)) {
      return new Move(this, List.of(new Effect.SleepUntil(repeat.dueNanos())));
    }
    Repeat said = repeat.said(now);
    Lockstep next =
        new Lockstep(interval, generation, wave, running, broken, step, started, said, counts);
    return new Move(next, List.of(what, new Effect.SleepUntil(said.dueNanos())));
  }

  private Move startWave(long told) {
    long highest = Math.max(started, told);
    Lockstep next =
        new Lockstep(interval, generation, wave, running, false, step, highest, repeat, counts);
    return stay(running ? next : next.awake());
  }

  /** Runs the wave that was told, if it is not over. */
  private Lockstep awake() {
    return started < wave
        ? this
        : new Lockstep(interval, generation, started, true, false, 0, started, Repeat.NONE, counts);
  }

  private Move stepDone(boolean dummy) {
    Counts more =
        new Counts(counts.steps() + 1, counts.dummies() + (dummy ? 1 : 0), counts.agreements());
    long taken = step + 1;
    boolean agree = taken == 1 || taken % interval == 0;
    return new Move(
        new Lockstep(interval, generation, wave, true, false, taken, started, repeat, more),
        agree ? List.of(new Effect.Agree()) : List.of());
  }

  private Move agreed(boolean unfinished) {
    Counts more = new Counts(counts.steps(), counts.dummies(), counts.agreements() + 1);
    if (unfinished) {
      return stay(
          new Lockstep(interval, generation, wave, true, false, step, started, repeat, more));
    }
    Lockstep rest =
        new Lockstep(interval, generation, wave + 1, false, false, 0, started, Repeat.NONE, more);
    return new Move(rest.awake(), List.of(new Effect.WaveComplete(wave)));
  }
}
