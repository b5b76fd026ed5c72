package dev.flotilla.coordinator;

import dev.flotilla.coordinator.Membership.Effect;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineAt;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Machine;
import dev.flotilla.protocol.StepCost;
import dev.flotilla.protocol.ToEngine;
import java.util.Optional;

/**
 * Has ranks that are about to go hand over what waits there, whatever is gained by it, to the rank
 * that stays with the fewest requests. It is the same order by which a busy rank gives requests to
 * an idler one, so that their owners move them and none is lost.
 */
final class Evacuation implements Machine {
  /** By no request is so much won that it would stay: an hour. */
  private static final double GAP_MS = 3_600_000;

  /** What a prompt costs there is no reason to keep it here. */
  private static final StepCost FREE = new StepCost(0, 0, 0, 0, 0);

  /** As many as one order can move; the next report brings the next order. */
  private static final int ROOM = 32;

  /** What to send now that a rank has reported. */
  Optional<Effect.Send> on(LoadReport load, ClusterView shown) {
    ClusterView.Engine from = shown.engine(load.rank()).orElse(null);
    if (from == null
        || from.state() != EngineState.DRAINING
        || !from.incarnation().equals(load.incarnation())
        || !from.epoch().equals(load.epoch())
        || load.waiting() == 0) {
      return Optional.empty();
    }
    ClusterView.Engine to = null;
    long least = Long.MAX_VALUE;
    for (ClusterView.Engine engine : shown.engines()) {
      LoadReport its = engine.load();
      if (engine.serving() && !engine.suspect() && its != null) {
        long requests = (long) its.waiting() + its.running();
        if (requests < least) {
          least = requests;
          to = engine;
        }
      }
    }
    return to == null ? Optional.empty() : Optional.of(order(from, load, to));
  }

  private static Effect.Send order(
      ClusterView.Engine from, LoadReport load, ClusterView.Engine to) {
    return new Effect.Send(
        from.address(),
        new ToEngine.HandOver(
            from.incarnation(),
            from.epoch(),
            load.sequence(),
            new EngineAt(to.rank(), to.incarnation(), to.epoch()),
            GAP_MS,
            FREE,
            Long.MAX_VALUE,
            ROOM));
  }
}
