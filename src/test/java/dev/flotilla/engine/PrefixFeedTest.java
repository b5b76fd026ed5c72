package dev.flotilla.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.balancer.PrefixIndex;
import dev.flotilla.protocol.BlockHashes;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.PrefixHash;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.ToFrontend.PrefixChange;
import dev.flotilla.scheduler.PrefixContents;
import dev.flotilla.scheduler.PrefixEvent;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The net sum of a prefix cache's changes. */
class PrefixFeedTest {
  private static final Rank RANK = new Rank(1);
  private static final Incarnation ENGINE = new Incarnation("e");
  private static final Epoch EPOCH = new Epoch(1, 1);

  private final PrefixFeed feed = new PrefixFeed();
  private long number;

  private void add(long hash) {
    feed.add(List.of(event(PrefixEvent.Kind.ADDED, hash)));
  }

  private void evict(long hash) {
    feed.add(List.of(event(PrefixEvent.Kind.EVICTED, hash)));
  }

  private PrefixEvent event(PrefixEvent.Kind kind, long hash) {
    return new PrefixEvent(++number, kind, new PrefixHash(9, hash));
  }

  private @Nullable PrefixChange take() {
    return feed.take(RANK, ENGINE, EPOCH);
  }

  @Test
  void saysWhatBecameOfEachBlockInTheEnd() {
    assertNull(take());
    add(1);
    add(2);
    evict(1);
    add(1);
    add(3);
    evict(3);
    PrefixChange change = take();
    assertEquals(
        new PrefixChange(RANK, ENGINE, EPOCH, 0, 6, 0, 1, BlockHashes.of(1, 2), BlockHashes.of(3)),
        change);
    assertNull(take());
    evict(2);
    assertEquals(
        new PrefixChange(RANK, ENGINE, EPOCH, 6, 7, 0, 1, BlockHashes.EMPTY, BlockHashes.of(2)),
        take());
  }

  @Test
  void aClearedCacheAndLostChangesLeaveAGap() {
    add(1);
    feed.add(List.of(new PrefixEvent(++number, PrefixEvent.Kind.CLEARED, null)));
    add(2);
    PrefixChange cleared = take();
    assertTrue(cleared != null && cleared.after() == 2 && cleared.number() == 3, "" + cleared);
    number += 10;
    add(3);
    PrefixChange lost = take();
    assertTrue(lost != null && lost.after() == 13 && lost.number() == 14, "" + lost);
    assertTrue(!feed.waits());
  }

  @Test
  void holdsABoundedNumber() {
    for (int i = 0; i < 100_000; i++) {
      add(i);
    }
    PrefixChange change = take();
    assertTrue(change != null && change.added().size() <= 1 << 15, "bounded");
    assertTrue(change != null && change.after() > 0, "with a gap");
  }

  @Test
  void aSnapshotComesInPieces() {
    Set<PrefixHash> held = new HashSet<>();
    LongStream.range(0, PrefixFeed.PIECE_MAX + 5L).forEach(i -> held.add(new PrefixHash(0, i)));
    List<PrefixChange> pieces =
        PrefixFeed.snapshot(new PrefixContents(77, held), RANK, ENGINE, EPOCH);
    assertEquals(2, pieces.size());
    assertEquals(5, pieces.get(1).added().size());
    assertTrue(pieces.stream().allMatch(p -> p.snapshot() && p.pieces() == 2));
    List<PrefixChange> empty =
        PrefixFeed.snapshot(new PrefixContents(0, Set.of()), RANK, ENGINE, EPOCH);
    assertEquals(1, empty.size(), "an empty cache says so");
  }

  @Test
  void whoeverTakesAllChangesKnowsWhatIsHeld() {
    Random random = new Random(5);
    PrefixIndex index = new PrefixIndex();
    Set<Long> held = new HashSet<>();
    for (int i = 0; i < 20_000; i++) {
      long hash = random.nextInt(500);
      if (held.add(hash)) {
        add(hash);
      } else {
        held.remove(hash);
        evict(hash);
      }
      if (random.nextInt(7) == 0) {
        PrefixChange change = take();
        if (change != null) {
          assertEquals(
              PrefixIndex.Taken.APPLIED,
              index.changed(
                  ENGINE,
                  change.after(),
                  change.number(),
                  change.added().toArray(),
                  change.evicted().toArray()));
        }
        assertEquals(held.size(), index.size());
      }
    }
  }
}
