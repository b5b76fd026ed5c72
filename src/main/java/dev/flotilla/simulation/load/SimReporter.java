package dev.flotilla.simulation.load;

import dev.flotilla.config.LoadBalancing;
import dev.flotilla.protocol.LoadReport;

/**
 * When one engine says what about its load. Under the original's two policies: its counts before
 * and after each step, to the coordinator. Else: on receipt of work (receipts within a millisecond
 * share a report), when a step starts and when it ends, to the coordinator and all front-ends; or
 * only so often, if the settings say so.
 */
final class SimReporter {
  private static final long COALESCED_NANOS = 1_000_000;

  private final SimFleet fleet;
  private final SimEngine engine;
  private final boolean counts;
  private final boolean live;
  private long lastNanos = -COALESCED_NANOS;
  private boolean planned;

  SimReporter(SimFleet fleet, SimEngine engine) {
    this.fleet = fleet;
    this.engine = engine;
    LoadBalancing policy = fleet.settings().policy();
    counts = policy == LoadBalancing.VLLM_CLASSIC || policy == LoadBalancing.VLLM;
    live = policy == LoadBalancing.FLOTILLA && fleet.settings().reportMs() == 0;
  }

  /** Work has come or gone. */
  void received() {
    if (!live || planned) {
      return;
    }
    if (fleet.now() - lastNanos >= COALESCED_NANOS) {
      tell();
    } else {
      planned = true;
      fleet.plan(
          lastNanos + COALESCED_NANOS,
          () -> {
            planned = false;
            tell();
          });
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
      tell();
    }
  }

  /** A step has ended. */
  void stepped() {
    if (counts) {
      tellCoordinator();
    } else if (live && engine.idle()) {
      // Otherwise the next step begins at once, and its report says it all.
      tell();
    }
  }

  private void tell() {
    if (engine.dead()) {
      return;
    }
    lastNanos = fleet.now();
    LoadReport load = engine.report();
    fleet.send(() -> fleet.publish(load));
  }

  private void tellCoordinator() {
    LoadReport load = engine.report();
    fleet.send(() -> fleet.coordinator().report(load));
  }
}
