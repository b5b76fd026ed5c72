package dev.flotilla.frontend;

import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Machine;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which engines live but do not step, as when their device hangs: they have work, and their number
 * of steps has not risen for longer than the longest step takes. Their ports still report, since a
 * port needs no worker. Used by one thread.
 */
final class StallWatch implements Machine {
  /** A step of a full batch takes seconds on a slow machine, not ten. */
  static final long STALL_NANOS = 10_000_000_000L;

  /** One that has taken so few steps may be about to take its first long one, at a cold start. */
  static final long FIRST_STEPS = 10;

  static final long FIRST_NANOS = 60_000_000_000L;

  /** What an engine expects of a step, it may be wrong about by so much. */
  private static final double TIMES = 10;

  private final Map<Incarnation, Progress> progress = new HashMap<>();

  /**
   * The last number of steps, since when there was work without a further one, and how long the
   * engine has thought at most that the next one will take.
   */
  private record Progress(long step, long sinceNanos, double expectedMs) {
    boolean overdue(long nowNanos) {
      long patience = step < FIRST_STEPS ? FIRST_NANOS : STALL_NANOS;
      return nowNanos - sinceNanos > Math.max(patience, (long) (TIMES * expectedMs * 1e6));
    }
  }

  /** Takes a report as it is known at this time; a paused engine need not step. */
  void look(LoadReport load, boolean paused, long nowNanos) {
    boolean work = load.waiting() + load.running() > 0 && !paused;
    Progress known = progress.get(load.incarnation());
    double expectedMs = load.work().msToStepEnd();
    if (known == null || !work || known.step != load.step()) {
      progress.put(load.incarnation(), new Progress(load.step(), nowNanos, expectedMs));
    } else if (expectedMs > known.expectedMs) {
      progress.put(load.incarnation(), new Progress(known.step, known.sinceNanos, expectedMs));
    }
  }

  /** Forgets all other engines. */
  void keep(Set<Incarnation> engines) {
    progress.keySet().retainAll(engines);
  }

  /**
   * The serving engines that stall while another does not. Where all do, as a group whose ranks
   * wait for one another, none is worse than another.
   */
  Set<Incarnation> worse(List<ClusterView.Engine> engines, long nowNanos) {
    Set<Incarnation> stalled = new HashSet<>();
    int serving = 0;
    for (ClusterView.Engine engine : engines) {
      serving += engine.serving() ? 1 : 0;
      if (engine.serving() && stalled(engine.incarnation(), nowNanos)) {
        stalled.add(engine.incarnation());
      }
    }
    return stalled.size() < serving ? stalled : Set.of();
  }

  boolean stalled(Incarnation engine, long nowNanos) {
    Progress known = progress.get(engine);
    return known != null && known.overdue(nowNanos);
  }
}
