package dev.flotilla.engine;

import dev.flotilla.protocol.Rank;
import org.jspecify.annotations.Nullable;

/**
 * Tells Flight Recorder where the waves of one rank start and end. Used by the thread that steps.
 */
final class WaveRecord {
  private @Nullable WaveEndEvent open;
  private Lockstep.Counts atStart = Lockstep.Counts.NONE;

  /** The rank has moved from one state to another. */
  void moved(Lockstep before, Lockstep after, Rank rank) {
    boolean same = before.running() == after.running() && before.wave() == after.wave();
    if (same) {
      return;
    }
    if (before.running()) {
      end(before, after, rank);
    }
    if (after.running()) {
      start(after, rank);
    }
  }

  private void start(Lockstep after, Rank rank) {
    WaveStartEvent start = new WaveStartEvent();
    if (start.shouldCommit()) {
      start.rank = rank.value();
      start.generation = after.generation();
      start.wave = after.wave();
      start.commit();
    }
    WaveEndEvent end = new WaveEndEvent();
    end.begin();
    open = end;
    atStart = after.counts();
  }

  private void end(Lockstep before, Lockstep after, Rank rank) {
    WaveEndEvent end = open;
    open = null;
    if (end != null && end.shouldCommit()) {
      end.rank = rank.value();
      end.generation = before.generation();
      end.wave = before.wave();
      end.steps = after.counts().steps() - atStart.steps();
      end.dummySteps = after.counts().dummies() - atStart.dummies();
      end.complete = after.wave() > before.wave();
      end.commit();
    }
  }
}
