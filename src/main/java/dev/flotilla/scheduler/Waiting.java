package dev.flotilla.scheduler;

import dev.flotilla.protocol.RequestId;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The requests that are not in the running batch, in order. Those that were offered to another
 * engine are held: they keep their place but do not start until the offer is over.
 */
final class Waiting implements Iterable<Sequence> {
  private final NavigableSet<Sequence> all = new TreeSet<>();
  private final Map<Sequence, Long> held = new HashMap<>(); // until when
  private final Elapsed now;
  private Pace pace = Pace.ALL;
  private int begun; // that were preempted

  /** An empty one, by the given clock. */
  Waiting(Elapsed now) {
    this.now = now;
  }

  void add(Sequence sequence) {
    begun += all.add(sequence) && !sequence.untouched() ? 1 : 0;
  }

  boolean remove(Sequence sequence) {
    held.remove(sequence);
    boolean was = all.remove(sequence);
    begun -= was && !sequence.untouched() ? 1 : 0;
    return was;
  }

  Pace pace() {
    return pace;
  }

  void pace(Pace now) {
    pace = now;
  }

  int size() {
    return all.size();
  }

  boolean isEmpty() {
    return all.isEmpty();
  }

  /** The first that may start; null if none may. */
  @Nullable Sequence first() {
    if (pace == Pace.NOTHING || (pace == Pace.BEGUN && begun == 0)) {
      return null;
    }
    if (held.isEmpty() && pace == Pace.ALL) {
      return all.isEmpty() ? null : all.first();
    }
    held.values().removeIf(until -> now.nanos() >= until);
    for (Sequence sequence : all) {
      if (!held.containsKey(sequence) && (pace == Pace.ALL || !sequence.untouched())) {
        return sequence;
      }
    }
    return null;
  }

  /** Held ones included. */
  @Override
  public Iterator<Sequence> iterator() {
    return Collections.unmodifiableSet(all).iterator();
  }

  boolean held(Sequence sequence) {
    return held.containsKey(sequence);
  }

  /** Keeps it from starting for so long; no effect on one that does not wait. */
  void hold(Sequence sequence, long nanos) {
    if (all.contains(sequence)) {
      sequence.offered = true;
      held.put(sequence, now.nanos() + nanos);
    }
  }

  /** Lets an attempt that is held start again; no effect on others. */
  void release(RequestId request, int attempt) {
    held.keySet().removeIf(s -> s.request.equals(request) && s.attempt == attempt);
  }

  @Override
  public String toString() {
    return all.toString();
  }
}
