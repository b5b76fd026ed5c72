package dev.flotilla.scheduler;

import dev.flotilla.protocol.Machine;
import dev.flotilla.protocol.PrefixHash;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The last changes of the prefix cache, numbered, in a ring. Used by one thread. */
final class PrefixEvents implements Machine {
  /** At 10,000 tokens a second in blocks of 16 it reaches 6 s back; who is later asks for all. */
  static final int COUNT_MAX = 4096;

  private final @Nullable PrefixEvent[] ring = new @Nullable PrefixEvent[COUNT_MAX];
  private long last;

  void add(PrefixEvent.Kind kind, @Nullable PrefixHash hash) {
    last++;
    ring[(int) (last % COUNT_MAX)] = new PrefixEvent(last, kind, hash);
  }

  /** The number of the last change; 0 before the first. */
  long last() {
    return last;
  }

  /** The changes after the given number, in order; those that the ring has lost are missing. */
  List<PrefixEvent> after(long number) {
    List<PrefixEvent> events = new ArrayList<>();
    for (long n = Math.max(number, last - COUNT_MAX) + 1; n <= last; n++) {
      PrefixEvent event = ring[(int) (n % COUNT_MAX)];
      if (event != null) {
        events.add(event);
      }
    }
    return events;
  }
}
