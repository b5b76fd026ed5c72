package dev.flotilla.simulation;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.PriorityQueue;

/**
 * A clock that jumps from one planned event to the next; events of the same moment happen in the
 * order in which they were planned. Remembers the last events for failure texts. One thread.
 */
final class VirtualTime {
  private static final int REMEMBERED = Integer.getInteger("sim.events", 30);

  private final PriorityQueue<Planned> queue =
      new PriorityQueue<>(
          (a, b) ->
              a.at() != b.at() ? Long.compare(a.at(), b.at()) : Long.compare(a.order(), b.order()));
  private final Deque<Planned> past = new ArrayDeque<>();
  private long now;
  private long order;

  /** What is to happen; {@code what} is only turned into text in a failure. */
  private record Planned(long at, long order, String who, Object what, Runnable action) {
    @Override
    public String toString() {
      return String.format(Locale.ROOT, "%9.3f s  %-12s %s", at / 1e9, who, what);
    }
  }

  long now() {
    return now;
  }

  void plan(long at, String who, Object what, Runnable action) {
    queue.add(new Planned(Math.max(at, now), order++, who, what, action));
  }

  /** Lets the next event happen unless it lies beyond the end; says whether one did. */
  boolean advance(long end) {
    Planned next = queue.peek();
    if (next == null || next.at() > end) {
      return false;
    }
    queue.remove();
    now = next.at();
    past.addLast(next);
    if (past.size() > REMEMBERED) {
      past.removeFirst();
    }
    next.action().run();
    return true;
  }

  List<String> lastEvents() {
    return past.stream().map(Planned::toString).toList();
  }
}
