package dev.flotilla.engine;

import dev.flotilla.protocol.BlockHashes;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.PrefixHash;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.scheduler.PrefixContents;
import dev.flotilla.scheduler.PrefixEvent;
import dev.flotilla.scheduler.Scheduler;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Carries the changes of the prefix cache from the step loop, which makes them, to the port, which
 * publishes their net sum: what became of each block in the end. Holds a bounded number; after more
 * the next publication does not follow the last one, and whoever follows asks for a snapshot.
 */
public final class PrefixFeed {
  /** Blocks that wait to be published: those of half a million tokens in blocks of 16. */
  private static final int WAITING_MAX = 1 << 15;

  /** Blocks of one message of a snapshot. */
  static final int PIECE_MAX = 8192;

  private final Map<Long, Boolean> waiting = new LinkedHashMap<>();
  private long after; // what waits follows this change
  private long last; // and ends with this one
  private long published;
  private long followed; // of the step loop alone

  /** Nothing has changed yet. */
  public PrefixFeed() {}

  /** Takes the scheduler's changes since the last call; called by the step loop. */
  public void follow(Scheduler scheduler) {
    add(scheduler.prefixEvents(followed));
  }

  /** Changes, in order; called by the step loop. */
  synchronized void add(List<PrefixEvent> events) {
    for (PrefixEvent event : events) {
      PrefixHash hash = event.hash();
      if (hash == null) {
        // Nothing of before is held: that is what a snapshot says best.
        waiting.clear();
        after = event.number();
      } else {
        if (event.number() != last + 1 || waiting.size() >= WAITING_MAX) {
          waiting.clear();
          after = event.number() - 1;
        }
        waiting.put(hash.low(), event.kind() == PrefixEvent.Kind.ADDED);
      }
      last = event.number();
      followed = last;
    }
  }

  /** Whether something waits to be published. */
  synchronized boolean waits() {
    return last != published;
  }

  /** All that waits; null if nothing does. Called by the port. */
  public synchronized ToFrontend.@Nullable PrefixChange take(
      Rank rank, Incarnation incarnation, Epoch epoch) {
    if (last == published) {
      return null;
    }
    ToFrontend.PrefixChange change =
        new ToFrontend.PrefixChange(
            rank, incarnation, epoch, after, last, 0, 1, waiting(true), waiting(false));
    waiting.clear();
    after = last;
    published = last;
    return change;
  }

  private BlockHashes waiting(boolean added) {
    long[] hashes = new long[waiting.size()];
    int count = 0;
    for (Map.Entry<Long, Boolean> entry : waiting.entrySet()) {
      if (entry.getValue() == added) {
        hashes[count++] = entry.getKey();
      }
    }
    return BlockHashes.of(hashes, 0, count);
  }

  /** A snapshot, in as many messages as it takes. */
  public static List<ToFrontend.PrefixChange> snapshot(
      PrefixContents contents, Rank rank, Incarnation incarnation, Epoch epoch) {
    long[] all = contents.blocks().stream().mapToLong(PrefixHash::low).toArray();
    int pieces = Math.max(1, Math.ceilDiv(all.length, PIECE_MAX));
    List<ToFrontend.PrefixChange> messages = new ArrayList<>(pieces);
    for (int i = 0; i < pieces; i++) {
      int from = i * PIECE_MAX;
      messages.add(
          new ToFrontend.PrefixChange(
              rank,
              incarnation,
              epoch,
              ToFrontend.PrefixChange.SNAPSHOT,
              contents.version(),
              i,
              pieces,
              BlockHashes.of(all, from, Math.min(PIECE_MAX, all.length - from)),
              BlockHashes.EMPTY));
    }
    return messages;
  }
}
