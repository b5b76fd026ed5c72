package dev.flotilla.simulation.load;

/** Ranks that step together: all start at once, and the slowest ends the step for all. */
final class SimLockstep {
  private final SimFleet fleet;
  private boolean stepping;

  SimLockstep(SimFleet fleet) {
    this.fleet = fleet;
  }

  /** A rank has got work. */
  void wake() {
    if (!stepping && busy()) {
      step();
    }
  }

  /** A rank has died; the others go on without it when their step has ended. */
  void lost() {
    wake();
  }

  private boolean busy() {
    return fleet.engines().stream().anyMatch(e -> !e.dead() && !e.resting());
  }

  private void step() {
    stepping = true;
    long slowest = 0;
    for (SimEngine engine : fleet.engines()) {
      if (!engine.dead()) {
        slowest = Math.max(slowest, engine.begin());
      }
    }
    fleet.plan(
        fleet.now() + slowest,
        () -> {
          fleet.engines().forEach(SimEngine::end);
          stepping = false;
          wake();
        });
  }
}
