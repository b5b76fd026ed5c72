package dev.flotilla;

import java.lang.management.ManagementFactory;
import java.time.Duration;

/** How much longer things take on a machine whose cores others use as well. */
final class Slowness {
  private Slowness() {}

  /** Runnable threads per core that the tests themselves bring about. */
  private static final double OWN = 3;

  /** A limit that holds as it is unless others use the cores: then times the threads per core. */
  static Duration scaled(Duration limit) {
    var system = ManagementFactory.getOperatingSystemMXBean();
    double threads = system.getSystemLoadAverage() / system.getAvailableProcessors();
    return Duration.ofMillis((long) (limit.toMillis() * (threads > OWN ? threads : 1)));
  }
}
