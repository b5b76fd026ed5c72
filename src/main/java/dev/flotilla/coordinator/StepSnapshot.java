package dev.flotilla.coordinator;

import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Machine;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Published counts of ranks that step together, under the original's policies: those of one step.
 * When a rank reports a later step than any before, what all had reported until then is kept, and
 * published before what comes after it.
 *
 * <p>Source: the original's coordinator; there an older step's report overwrites newer counts.
 *
 * @param wave of the latest report
 * @param step of the latest report
 * @param changed whether something was reported since the last publication
 * @param held the engines before the latest step; null: nothing is held
 */
record StepSnapshot(long wave, long step, boolean changed, @Nullable List<ClusterView.Engine> held)
    implements Machine {
  static final StepSnapshot NONE = new StepSnapshot(-1, -1, false, null);

  /**
   * A publication.
   *
   * @param engines as they are published
   * @param more whether what was reported since is still to be published
   */
  record Published(StepSnapshot next, List<ClusterView.Engine> engines, boolean more) {}

  /**
   * A report has come.
   *
   * @param before the engines without it
   */
  StepSnapshot reported(LoadReport load, List<ClusterView.Engine> before) {
    boolean later = load.wave() > wave || (load.wave() == wave && load.step() > step);
    return later
        ? new StepSnapshot(load.wave(), load.step(), true, changed ? before : held)
        : new StepSnapshot(wave, step, true, held);
  }

  /** What is published of the engines as they are now. */
  Published published(List<ClusterView.Engine> now) {
    List<ClusterView.Engine> kept = held;
    if (kept == null) {
      return new Published(new StepSnapshot(wave, step, false, null), now, false);
    }
    List<ClusterView.Engine> engines = new ArrayList<>();
    for (ClusterView.Engine engine : now) {
      engines.add(
          kept.stream()
              .filter(e -> e.incarnation().equals(engine.incarnation()) && e.load() != null)
              .findFirst()
              .map(e -> engine.with(e.load()))
              .orElse(engine));
    }
    return new Published(new StepSnapshot(wave, step, true, null), engines, true);
  }
}
