package dev.flotilla;

import java.lang.management.ManagementFactory;
import java.time.Duration;

/** How much longer things take on a machine whose cores others use as well. */
final class Slowness {
  private Slowness() {}

  /** A limit that holds on an idle machine, multiplied by the runnable threads per core. */
  static Duration scaled(Duration limit) {
    var system = ManagementFactory.getOperatingSystemMXBean();
    double waiting = system.getSystemLoadAverage() / system.getAvailableProcessors();
    // The tests' own JVMs keep the cores of an idle machine busy.
    double factor = Math.max(1, waiting / 2);
    return Duration.ofMillis((long) (limit.toMillis() * factor));
  }
}
