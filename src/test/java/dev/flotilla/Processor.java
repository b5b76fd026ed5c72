package dev.flotilla;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What processes have cost; unlike wall time it hardly depends on what else runs. */
final class Processor {
  /** The kernel's unit, {@code USER_HZ}, is the same on every Linux of this kind of machine. */
  private static final double TICKS_PER_SECOND = 100;

  private Processor() {}

  /** User and system time of a process that runs, all threads. */
  static double seconds(long pid) throws IOException {
    String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
    // The name, in brackets, may hold blanks; state is field 3, user and system time 14 and 15.
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
    return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / TICKS_PER_SECOND;
  }
}
