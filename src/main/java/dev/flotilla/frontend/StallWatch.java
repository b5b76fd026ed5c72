package dev.flotilla.frontend;

import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Machine;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * Which engines live but do not step: they have work, and their number of steps has not risen for
 * longer than the longest step takes. Their ports still report, since a port needs no worker. Used
 * by one thread.
 */
final class StallWatch implements Machine {
  /** A step of a full batch takes seconds on a slow machine, not ten. */
  static final long STALL_NANOS = 10_000_000_000L;

  private final Map<Incarnation, Progress> progress = new HashMap<>();

  /** The last number of steps, and since when there was work without a further one. */
  private record Progress(long step, long sinceNanos) {}

  /** Takes a report as it is known at this time; a paused engine need not step. */
  void look(LoadReport load, boolean paused, long nowNanos) {
    boolean work = load.waiting() + load.running() > 0 && !paused;
    Progress known = progress.get(load.incarnation());
    if (known == null || !work || known.step != load.step()) {
      progress.put(load.incarnation(), new Progress(load.step(), nowNanos));
    }
  }

  /** Forgets all other engines. */
  void keep(Set<Incarnation> engines) {
    progress.keySet().retainAll(engines);
  }

  boolean stalled(Incarnation engine, long nowNanos) {
    Progress known = progress.get(engine);
    return known != null && nowNanos - known.sinceNanos > STALL_NANOS;
  }
}
