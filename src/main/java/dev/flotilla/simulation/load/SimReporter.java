package dev.flotilla.simulation.load;

import dev.flotilla.config.LoadBalancing;
import dev.flotilla.engine.Audience;
import dev.flotilla.engine.Pacer;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.LoadReport;
import java.util.List;

/**
 * When one engine says what about its load. Under the original's two policies: its counts before
 * and after each step, to the coordinator. Else as the real engine does, paced and paid for by the
 * same objects; or only so often, if the settings say so. All reports are messages of their own:
 * one that rides on tokens costs the same budget.
 */
final class SimReporter {
  private final SimFleet fleet;
  private final SimEngine engine;
  private final boolean counts;
  private final boolean live;
  private final Audience audience;
  private final Pacer toFrontends;
  private final Pacer toCoordinator;

  SimReporter(SimFleet fleet, SimEngine engine) {
    this.fleet = fleet;
    this.engine = engine;
    LoadBalancing policy = fleet.settings().policy();
    counts = policy == LoadBalancing.VLLM_CLASSIC || policy == LoadBalancing.VLLM;
    live = policy == LoadBalancing.FLOTILLA && fleet.settings().reportMs() == 0;
    audience = new Audience(fleet.now());
    Pacer.Later later = (ms, action) -> fleet.plan(fleet.now() + ms * 1_000_000, action);
    toFrontends = new Pacer(Audience.GAP_MS, this::tellFrontends, later, fleet::now);
    toCoordinator =
        new Pacer(Audience.COORDINATOR_GAP_MS, this::tellCoordinator, later, fleet::now);
  }

  /** A front-end exists. */
  void add(FrontendId frontend) {
    audience.add(frontend);
  }

  /** Work has come from a front-end, or from another engine for it. */
  void received(FrontendId from) {
    if (live) {
      audience.received(from);
      tell();
    }
  }

  /** Work has gone elsewhere. */
  void moved() {
    if (live) {
      audience.changed();
      tell();
    }
  }

  /** A step is about to be scheduled. */
  void boundary() {
    if (counts) {
      tellCoordinator();
    }
  }

  /** A step has begun. */
  void stepping() {
    if (live) {
      audience.stepped();
      tell();
    }
  }

  /** A step has ended. */
  void stepped() {
    if (counts) {
      tellCoordinator();
    } else if (engine.idle()) {
      // Otherwise the next step begins at once, and its report says it all.
      moved();
    }
  }

  private void tell() {
    toFrontends.request();
    toCoordinator.request();
  }

  private void tellFrontends() {
    if (engine.dead()) {
      return;
    }
    List<FrontendId> due = audience.due(fleet.now(), true);
    if (due.isEmpty()) {
      return;
    }
    LoadReport load = engine.report();
    for (FrontendId frontend : due) {
      SimFrontend hearer = fleet.frontend(frontend);
      fleet.send(() -> hearer.report(load));
    }
  }

  private void tellCoordinator() {
    if (engine.dead()) {
      return;
    }
    audience.pay(fleet.now());
    LoadReport load = engine.report();
    fleet.send(() -> fleet.coordinator().report(load));
  }
}
