package dev.flotilla.balancer;

import static dev.flotilla.balancer.FleetOf.incarnation;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.protocol.BlockHashes;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.ToFrontend.PrefixChange;
import dev.flotilla.protocol.TokenIds;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** How a chooser keeps its index of prefixes complete. */
class FollowingTest {
  private static final long SECOND = 1_000_000_000L;
  private static final Incarnation ENGINE = incarnation(0);
  private static final Set<Incarnation> KNOWN = Set.of(ENGINE);

  private final PrefixIndex index = new PrefixIndex();
  private final Following following = new Following(index);

  private static PrefixChange change(long after, long number, long[] added, long... evicted) {
    return new PrefixChange(
        new Rank(0),
        ENGINE,
        new Epoch(1, 1),
        after,
        number,
        0,
        1,
        BlockHashes.of(added),
        BlockHashes.of(evicted));
  }

  private static PrefixChange piece(int piece, int pieces, long number, long... held) {
    return new PrefixChange(
        new Rank(0),
        ENGINE,
        new Epoch(1, 1),
        PrefixChange.SNAPSHOT,
        number,
        piece,
        pieces,
        BlockHashes.of(held),
        BlockHashes.EMPTY);
  }

  private int hits(long... hashes) {
    index.look(PrefixChain.of(16, hashes));
    return index.hits(ENGINE);
  }

  private static long[] blocks(long... hashes) {
    return hashes;
  }

  @Test
  void aNewEngineIsAskedOnceAndAgainWhenItDoesNotAnswer() {
    assertEquals(List.of(ENGINE), following.ask(KNOWN, 0));
    assertEquals(List.of(), following.ask(KNOWN, SECOND / 2));
    assertEquals(List.of(ENGINE), following.ask(KNOWN, SECOND));
    following.take(piece(0, 1, 7, 1, 2, 3));
    following.heard(ENGINE, 2 * SECOND);
    assertEquals(List.of(), following.ask(KNOWN, 3 * SECOND));
    assertEquals(3, hits(1, 2, 3));
  }

  @Test
  void changesThatFollowAreTakenAndAGapAsksForASnapshot() {
    following.ask(KNOWN, 0);
    following.heard(ENGINE, 0);
    following.take(piece(0, 1, 7, 1));
    following.take(change(7, 9, blocks(2, 3)));
    assertEquals(3, hits(1, 2, 3));
    following.take(change(7, 9, blocks(4)));
    assertEquals(3, hits(1, 2, 3, 4), "a repeated change has no effect");
    following.take(change(8, 11, blocks(4), 3));
    assertEquals(2, hits(1, 2, 3, 4), "a change may begin before what is known");
    following.take(change(12, 13, blocks(5)));
    assertEquals(0, hits(1, 2), "after a gap nothing is believed");
    assertEquals(List.of(ENGINE), following.ask(KNOWN, SECOND / 10), "and all is asked for");
    assertEquals(List.of(), following.ask(KNOWN, SECOND / 5));
    following.take(change(13, 14, blocks(6)));
    following.take(piece(0, 2, 14, 1, 2));
    assertEquals(0, hits(1, 2), "half a snapshot is none");
    following.take(piece(1, 2, 14, 5, 6));
    assertEquals(4, hits(1, 2, 5, 6));
    following.take(change(14, 15, blocks(7)));
    assertEquals(5, hits(1, 2, 5, 6, 7));
  }

  @Test
  void aSnapshotThatLostAPieceIsAskedForAgain() {
    following.ask(KNOWN, 0);
    following.take(piece(0, 3, 4, 1));
    following.take(piece(2, 3, 4, 3));
    assertEquals(0, hits(1));
    assertEquals(List.of(ENGINE), following.ask(KNOWN, SECOND));
    following.take(piece(0, 1, 5, 1, 2));
    assertEquals(2, hits(1, 2));
  }

  @Test
  void aSilentEngineIsAskedBecauseItMayHaveForgotten() {
    following.ask(KNOWN, 0);
    following.take(piece(0, 1, 0));
    following.heard(ENGINE, SECOND);
    assertEquals(List.of(), following.ask(KNOWN, 2 * SECOND));
    assertEquals(List.of(ENGINE), following.ask(KNOWN, SECOND + Following.SILENT_NANOS));
  }

  @Test
  void whatIsGoneIsForgottenAndWhatIsUnknownIsNotTaken() {
    following.take(piece(0, 1, 3, 1));
    assertEquals(0, hits(1), "nobody knows this engine");
    following.ask(KNOWN, 0);
    following.take(piece(0, 1, 3, 1));
    assertEquals(1, hits(1));
    following.ask(Set.of(), SECOND);
    assertEquals(0, index.size());
  }

  @Test
  void aPromptsBlocksAreHashedOnlyAsFarAsTheyAreLookedFor() {
    TokenIds prompt = TokenIds.of(IntStream.range(0, 100).toArray());
    PrefixChain whole = PrefixChain.of(prompt, 16, "");
    PrefixChain part = PrefixChain.of(prompt.slice(0, 40), 16, "");
    PrefixChain salted = PrefixChain.of(prompt, 16, "tenant");
    assertEquals(6, whole.size());
    assertEquals(2, part.size());
    assertEquals(whole.hash(1), part.hash(1));
    assertTrue(whole.hash(0) != salted.hash(0), "another tenant's blocks have other names");
    assertEquals(0, PrefixChain.of(prompt.slice(0, 15), 16, "").size());
  }
}
