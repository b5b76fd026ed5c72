package dev.flotilla.simulation;

import dev.flotilla.engine.Lockstep;
import dev.flotilla.protocol.Generation;
import dev.flotilla.protocol.Term;
import org.jspecify.annotations.Nullable;

/**
 * One rank of a {@link WaveSmallWorld}.
 *
 * @param start of its engine, from 1
 * @param seen the start that the coordinator knows to serve; 0: none
 * @param waits whether it has come to an exchange
 * @param term that it follows
 */
record WaveSmallNode(
    int start,
    boolean up,
    int seen,
    Lockstep lockstep,
    @Nullable Generation generation,
    int work,
    boolean waits,
    boolean agreement,
    Term term) {

  /** Whether it is done, at rest in that generation before that wave. */
  boolean rests(Generation of, long wave) {
    return work == 0
        && !lockstep.running()
        && !lockstep.broken()
        && lockstep.wave() == wave
        && of.equals(generation);
  }

  WaveSmallNode with(Lockstep next) {
    Lockstep counted =
        new Lockstep(
            next.interval(),
            next.generation(),
            next.wave(),
            next.running(),
            next.broken(),
            next.step(),
            next.started(),
            // How often it was said only says when it is due.
            new Lockstep.Repeat(Math.min(1, next.repeat().times()), next.repeat().dueNanos()),
            Lockstep.alone(1).counts());
    return new WaveSmallNode(start, up, seen, counted, generation, work, waits, agreement, term);
  }

  WaveSmallNode in(@Nullable Generation of) {
    return new WaveSmallNode(start, up, seen, lockstep, of, work, waits, agreement, term);
  }

  WaveSmallNode working(int requests) {
    return new WaveSmallNode(
        start, up, seen, lockstep, generation, requests, waits, agreement, term);
  }

  WaveSmallNode waiting(boolean here, boolean vote) {
    return new WaveSmallNode(start, up, seen, lockstep, generation, work, here, vote, term);
  }

  WaveSmallNode following(Term leader) {
    return new WaveSmallNode(start, up, seen, lockstep, generation, work, waits, agreement, leader);
  }

  WaveSmallNode seenAs(int known) {
    return new WaveSmallNode(start, up, known, lockstep, generation, work, waits, agreement, term);
  }

  WaveSmallNode dead() {
    return new WaveSmallNode(start, false, seen, lockstep, generation, work, false, false, term);
  }

  private static final int INTERVAL = 2;

  static WaveSmallNode fresh(int start) {
    return new WaveSmallNode(
        start, true, 0, Lockstep.alone(INTERVAL), null, 0, false, false, Term.NONE);
  }
}
