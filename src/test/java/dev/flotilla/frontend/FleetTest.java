package dev.flotilla.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.Scenario;
import dev.flotilla.balancer.PrefixChain;
import dev.flotilla.balancer.Query;
import dev.flotilla.config.RankRange;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.json.JsonObject;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The engines as a front-end knows them: which it may choose, and which step. */
@Timeout(60)
class FleetTest {
  private static final long SECOND = 1_000_000_000L;
  private long version;

  private ClusterView view(int size, int waiting, long step) {
    version++;
    return new ClusterView(
        1,
        version,
        size,
        IntStream.range(0, size).mapToObj(rank -> engine(rank, waiting, step)).toList());
  }

  private ClusterView.Engine engine(int value, int waiting, long step) {
    Rank rank = new Rank(value);
    Incarnation incarnation = new Incarnation("e" + value);
    Epoch epoch = new Epoch(1, 1 + value);
    LoadReport load =
        new LoadReport(
            rank,
            incarnation,
            epoch,
            version,
            waiting,
            0,
            0,
            0,
            0,
            64,
            step,
            0,
            false,
            0,
            List.of(),
            null);
    return new ClusterView.Engine(
        rank, incarnation, epoch, EngineState.READY, new NodeId("n"), true, false, null, load);
  }

  private static Query only(int rank) {
    return new Query(10, PrefixChain.NONE, Set.of(), new Rank(rank));
  }

  @Test
  void underHybridAndExternalBalancingOnlyOwnRanksAreChosen() {
    Fleet fleet = new Fleet(new FrontendId("f"), new RankRange(2, 2));
    fleet.take(view(6, 0, 0), 0);
    assertEquals(6, fleet.view().engines().size());
    assertEquals(2, fleet.serving());
    Set<Integer> chosen = new HashSet<>();
    for (int i = 0; i < 20; i++) {
      chosen.add(fleet.choose(Query.of(10), 0).orElseThrow().engine().rank().value());
    }
    assertEquals(Set.of(2, 3), chosen);
    assertTrue(fleet.choose(only(1), 0).isEmpty());
    assertTrue(fleet.choose(only(3), 0).isPresent());
    assertEquals("ranks 2 to 3", fleet.ranks().toString());
  }

  @Test
  @Scenario("A62")
  void anEngineThatHasWorkButDoesNotStepIsNotReadyUntilItStepsAgain() {
    Fleet fleet = new Fleet(new FrontendId("f"), null);
    fleet.take(view(2, 1, 7), 0);
    fleet.tick(0);
    fleet.take(view(2, 1, 7), 10 * SECOND);
    fleet.tick(10 * SECOND);
    assertEquals(2, fleet.stepping(10 * SECOND));
    fleet.tick(11 * SECOND);
    assertEquals(2, fleet.serving(), "it lives");
    assertEquals(0, fleet.stepping(11 * SECOND), "but does not step");
    fleet.take(view(2, 1, 8), 12 * SECOND);
    fleet.tick(12 * SECOND);
    assertEquals(2, fleet.stepping(12 * SECOND));
    fleet.take(view(2, 0, 8), 13 * SECOND);
    fleet.tick(13 * SECOND);
    fleet.tick(100 * SECOND);
    assertEquals(2, fleet.stepping(100 * SECOND), "an idle engine need not step");
  }

  @Test
  @Scenario("A28")
  void eightApiServersShareAPortAndHaveAnAddressEach() throws Exception {
    try (FrontendBed bed = new FrontendBed(1024, FrontendBed.settings())) {
      for (int i = 1; i < 8; i++) {
        JsonObject settings =
            new JsonObject()
                .put("port", 0)
                .put("model", FrontendBed.MODEL.toString())
                .put("index", i);
        bed.vertx
            .deployVerticle(new FrontendVerticle(), new DeploymentOptions().setConfig(settings))
            .toCompletionStage()
            .toCompletableFuture()
            .get();
      }
      var ports = bed.vertx.sharedData().<String, Integer>getLocalMap(FrontendVerticle.PORTS);
      Set<String> addresses = new HashSet<>();
      ports.keySet().forEach(id -> addresses.add(Addresses.frontend(new FrontendId(id)).name()));
      assertEquals(8, addresses.size());
      assertEquals(Set.of(bed.port), Set.copyOf(ports.values()));
    }
  }
}
