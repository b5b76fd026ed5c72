package dev.flotilla;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Where the time between the start of this JVM and its readiness went, phase by phase. Safe for use
 * by several threads.
 */
final class StartTimes {
  private final List<Phase> phases = new ArrayList<>();
  private final long bootNanos;
  private long lastNanos;

  /** One phase, from the end of the one before. */
  private record Phase(String name, long nanos) {}

  private StartTimes(long bootNanos) {
    this.bootNanos = bootNanos;
    this.lastNanos = bootNanos;
  }

  /** Begins; what the JVM itself has taken so far is the first phase. */
  static StartTimes begin() {
    // Not the process's start: the script's exec keeps that of whatever shell began it.
    long jvmStart = ManagementFactory.getRuntimeMXBean().getStartTime();
    long sinceBoot = Math.max(0, System.currentTimeMillis() - jvmStart);
    StartTimes times = new StartTimes(System.nanoTime() - sinceBoot * 1_000_000);
    times.ended("JVM");
    return times;
  }

  /** The phase that has just ended. */
  synchronized void ended(String name) {
    long now = System.nanoTime();
    phases.add(new Phase(name, now - lastNanos));
    lastNanos = now;
  }

  /** One line: the sum, then its parts in order. */
  synchronized String line() {
    return "Started in %s: %s"
        .formatted(
            seconds(lastNanos - bootNanos),
            phases.stream()
                .map(p -> p.name() + " " + seconds(p.nanos()))
                .collect(Collectors.joining(", ")));
  }

  private static String seconds(long nanos) {
    return String.format(Locale.ROOT, "%.2f s", nanos / 1e9);
  }
}
