package dev.flotilla;

import java.lang.management.ManagementFactory;
import java.time.Duration;

/** How much longer things take on a machine whose cores others use as well. */
final class Slowness {
  private Slowness() {}

  /** A limit that holds as it is on free cores: otherwise times the runnable threads per core. */
  static Duration scaled(Duration limit) {
    var system = ManagementFactory.getOperatingSystemMXBean();
    double threads = system.getSystemLoadAverage() / system.getAvailableProcessors();
    return Duration.ofMillis((long) (limit.toMillis() * Math.max(1, threads)));
  }
}
