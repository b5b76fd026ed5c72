package dev.flotilla.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.balancer.PrefixChain;
import dev.flotilla.balancer.Query;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class NewcomersTest {
  private static final long MS = 1_000_000;

  private final Newcomers newcomers = new Newcomers();

  private static ClusterView serving(int count) {
    List<ClusterView.Engine> engines = new ArrayList<>();
    for (int rank = 0; rank < count; rank++) {
      engines.add(
          new ClusterView.Engine(
              new Rank(rank),
              incarnation(rank),
              new Epoch(1, rank + 1),
              EngineState.READY,
              new NodeId("n"),
              true,
              false,
              null,
              null));
    }
    return new ClusterView(new Term(1, new NodeId("n")), count, count, engines, List.of());
  }

  private static Incarnation incarnation(int rank) {
    return new Incarnation("e" + rank);
  }

  private boolean mayGetOne(int rank, long nowMs) {
    return !newcomers.spared(Query.of(10), nowMs * MS).excluded().contains(incarnation(rank));
  }

  @Test
  void oneThatComesLaterGetsItsFirstRequestAtOnceAndEverMoreInItsFirstSecond() {
    newcomers.seen(serving(2), 0);
    newcomers.seen(serving(3), 5_000 * MS);
    int early = 0;
    int late = 0;
    assertTrue(mayGetOne(2, 5_000));
    for (int i = 0; i < 100; i++) {
      early += mayGetOne(2, 5_001 + i) ? 1 : 0; // The first tenth of a second …
    }
    for (int i = 0; i < 100; i++) {
      assertTrue(mayGetOne(0, 5_800 + i), "the others are never spared");
      late += mayGetOne(2, 5_800 + i) ? 1 : 0;
    }
    assertTrue(early >= 4 && early <= 8, "of 100 requests at first " + early);
    assertTrue(late >= 80 && late <= 90, "of 100 requests at last " + late);
    for (int i = 0; i < 100; i++) {
      assertTrue(mayGetOne(2, 6_000 + i));
    }
  }

  @Test
  void nobodyIsSparedAmongThoseThatCameTogetherNorWhoWasAskedFor() {
    newcomers.seen(serving(1), 0);
    newcomers.seen(serving(4), 700 * MS);
    for (int i = 0; i < 50; i++) {
      assertEquals(Set.of(), newcomers.spared(Query.of(10), (700 + i) * MS).excluded());
    }
    newcomers.seen(serving(5), 5_000 * MS);
    Query asked = new Query(10, PrefixChain.NONE, Set.of(), new Rank(4));
    for (int i = 0; i < 50; i++) {
      assertEquals(asked, newcomers.spared(asked, 5_000 * MS + i));
    }
  }

  @Test
  void oneThatCameAgainIsNewAgain() {
    newcomers.seen(serving(2), 0);
    newcomers.seen(serving(1), 5_000 * MS);
    newcomers.seen(serving(2), 6_000 * MS);
    assertTrue(mayGetOne(1, 6_000));
    int more = 0;
    for (int i = 0; i < 20; i++) {
      more += mayGetOne(1, 6_000) ? 1 : 0;
    }
    assertTrue(more <= 2, "of 20 requests " + more);
  }
}
