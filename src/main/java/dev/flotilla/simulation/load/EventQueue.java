package dev.flotilla.simulation.load;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Virtual time: what is planned happens in the order of its times, and at equal times in the order
 * of planning. A binary heap in arrays, because a trace plans millions of events. One thread.
 */
final class EventQueue {
  private long[] times = new long[1024];
  private long[] orders = new long[1024];
  private @Nullable Runnable[] actions = new @Nullable Runnable[1024];
  private int size;
  private long planned;
  private long now;

  long now() {
    return now;
  }

  /** Plans an action; nothing can be planned for the past. */
  void plan(long time, Runnable action) {
    if (size == times.length) {
      times = Arrays.copyOf(times, size * 2);
      orders = Arrays.copyOf(orders, size * 2);
      actions = Arrays.copyOf(actions, size * 2);
    }
    long at = Math.max(time, now);
    long order = planned++;
    int hole = size++;
    while (hole > 0) {
      int parent = (hole - 1) >>> 1;
      if (before(parent, at, order)) {
        break;
      }
      move(parent, hole);
      hole = parent;
    }
    put(hole, at, order, action);
  }

  /** Lets the next planned action happen; false if there is none. */
  boolean advance() {
    if (size == 0) {
      return false;
    }
    now = times[0];
    Runnable action = actions[0];
    size--;
    Runnable last = actions[size];
    long at = times[size];
    long order = orders[size];
    actions[size] = null;
    if (size > 0) {
      int hole = 0;
      while (true) {
        int child = 2 * hole + 1;
        if (child >= size) {
          break;
        }
        if (child + 1 < size && before(child + 1, times[child], orders[child])) {
          child++;
        }
        if (!before(child, at, order)) {
          break;
        }
        move(child, hole);
        hole = child;
      }
      put(hole, at, order, last);
    }
    if (action != null) {
      action.run();
    }
    return true;
  }

  private boolean before(int index, long time, long order) {
    return times[index] != time ? times[index] < time : orders[index] < order;
  }

  private void move(int from, int to) {
    put(to, times[from], orders[from], actions[from]);
  }

  private void put(int at, long time, long order, @Nullable Runnable action) {
    times[at] = time;
    orders[at] = order;
    actions[at] = action;
  }
}
