package dev.flotilla.simulation;

import java.util.List;

/** A simulated run broke an invariant or did not converge; says how to run it again. */
public final class SimulationFailure extends RuntimeException {
  private static final long serialVersionUID = 1;

  SimulationFailure(String what, Profile profile, long seed, List<String> lastEvents) {
    this(what, profile.name(), seed, lastEvents);
  }

  SimulationFailure(String what, String profile, long seed, List<String> lastEvents) {
    super(
        "%s (profile %s, -Dsim.seed=%d); the last %d events:%n%s"
            .formatted(what, profile, seed, lastEvents.size(), String.join("\n", lastEvents)));
  }
}
