package dev.flotilla.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.Scenario;
import dev.flotilla.balancer.PrefixChain;
import dev.flotilla.balancer.Query;
import dev.flotilla.config.LoadBalancing;
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
import dev.flotilla.protocol.Term;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

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
    return engine(value, waiting, 0, step);
  }

  private ClusterView.Engine engine(int value, int waiting, int running, long step) {
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
            running,
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

  private ClusterView among(ClusterView view, int frontends) {
    return new ClusterView(
        view.term(),
        view.version(),
        view.dataParallelSize(),
        view.engines(),
        IntStream.range(0, frontends)
            .mapToObj(i -> new ClusterView.Frontend(new FrontendId("f" + i), new NodeId("n")))
            .toList());
  }

  private static int chosen(Fleet fleet, int tokens, long now) {
    ClusterView.Engine engine = fleet.choose(Query.of(tokens), now).orElseThrow().engine();
    fleet.send(engine.incarnation(), tokens, 0);
    return engine.rank().value();
  }

  @ParameterizedTest
  @EnumSource
  @Scenario("A50")
  void fourFrontEndsBeginWithFourDifferentEngines(LoadBalancing policy) {
    ClusterView view = among(view(4, 0, 0), 4);
    Set<Integer> chosen = new HashSet<>();
    for (int i = 0; i < 4; i++) {
      Fleet fleet = new Fleet(new FrontendId("f" + i), new NodeId("n"), null, policy);
      fleet.take(view, 0);
      chosen.add(chosen(fleet, 100, 1));
    }
    assertEquals(Set.of(0, 1, 2, 3), chosen);
  }

  @ParameterizedTest
  @EnumSource
  @Scenario("A48")
  void fortyEqualRequestsAtOnceAreSpreadEvenlyBeforeAnyReportComes(LoadBalancing policy) {
    for (int frontends : new int[] {1, 4}) {
      ClusterView view = among(view(4, 0, 0), frontends);
      int[] counts = new int[4];
      for (int i = 0; i < frontends; i++) {
        Fleet fleet = new Fleet(new FrontendId("f" + i), new NodeId("n"), null, policy);
        fleet.take(view, 0);
        for (int request = 0; request < 40 / frontends; request++) {
          counts[chosen(fleet, 100, request)]++;
        }
      }
      for (int count : counts) {
        assertTrue(Math.abs(count - 10) <= 1, () -> policy + ": " + Arrays.toString(counts));
      }
    }
  }

  /** Each request runs for 60 ms; views come every 100 ms, as the original's do. */
  @ParameterizedTest
  @EnumSource
  @Scenario("A49")
  void aSteadyLoadReachesEveryEngine(LoadBalancing policy) {
    long ms = 1_000_000;
    Fleet[] fleets = new Fleet[2];
    for (int i = 0; i < fleets.length; i++) {
      fleets[i] = new Fleet(new FrontendId("f" + i), new NodeId("n"), null, policy);
    }
    int[] counts = new int[4];
    List<int[]> running = new ArrayList<>(); // rank, end in ms, front-end
    for (int request = 0; request < 200; request++) {
      int at = request * 10;
      running.removeIf(
          one -> {
            boolean over = one[1] <= at;
            if (over) {
              fleets[one[2]].left(new Incarnation("e" + one[0]), 0);
            }
            return over;
          });
      version++;
      List<ClusterView.Engine> engines = new ArrayList<>();
      for (int rank = 0; rank < 4; rank++) {
        int its = rank;
        int count = (int) running.stream().filter(one -> one[0] == its).count();
        engines.add(engine(rank, 0, count, request));
      }
      for (Fleet fleet : fleets) {
        if (request % 10 == 0) {
          fleet.take(among(new ClusterView(1, version, 4, engines), 2), at * ms);
        } else if (policy == LoadBalancing.FLOTILLA) {
          engines.forEach(one -> fleet.report(Objects.requireNonNull(one.load()), at * ms));
        }
      }
      int rank = chosen(fleets[request % 2], 32, at * ms);
      counts[rank]++;
      running.add(new int[] {rank, at + 60, request % 2});
    }
    for (int count : counts) {
      assertTrue(count > 200 / 5, () -> policy + ": " + Arrays.toString(counts));
    }
  }

  @Test
  void underHybridBalancingOnlyFrontEndsOfTheSameNodeCount() {
    ClusterView four = among(view(4, 0, 0), 4);
    Fleet fleet =
        new Fleet(
            new FrontendId("g1"),
            new NodeId("other"),
            new RankRange(2, 2),
            LoadBalancing.VLLM_CLASSIC);
    List<ClusterView.Frontend> all = new ArrayList<>(four.frontends());
    all.add(new ClusterView.Frontend(new FrontendId("g0"), new NodeId("other")));
    all.add(new ClusterView.Frontend(new FrontendId("g1"), new NodeId("other")));
    fleet.take(new ClusterView(four.term(), four.version(), 4, four.engines(), all), 0);
    assertEquals(3, chosen(fleet, 10, 0), "the second of two begins at the second of two ranks");
  }

  @Test
  void reportsAgeByTheClockUnlessTheCoordinatorConfirmsThem() {
    Fleet fleet = new Fleet(new FrontendId("f0"), null);
    ClusterView first = among(view(2, 0, 0), 1);
    fleet.take(first, 0);
    long ms = 1_000_000;
    assertEquals(0.0, age(fleet, 0), 0.1);
    assertEquals(40.0, age(fleet, 40 * ms), 0.1);
    fleet.take(
        new ClusterView(first.term(), first.version() + 50, 2, first.engines(), first.frontends()),
        45 * ms);
    assertEquals(5.0, age(fleet, 50 * ms), 0.1, "nothing newer has come to the coordinator");
    assertEquals(955.0, age(fleet, 1000 * ms), 0.1);
    version += 100;
    fleet.report(Objects.requireNonNull(engine(0, 0, 1).load()), 2000 * ms);
    assertEquals(
        0, chosen(fleet, 10, 2001 * ms), "an engine that is silent for a second is left out");
  }

  private static double age(Fleet fleet, long now) {
    return fleet
        .reason(Query.of(10), now)
        .orElseThrow()
        .decision()
        .candidates()
        .getFirst()
        .estimate()
        .age();
  }

  @Test
  @Scenario("A62")
  void anEngineThatHasWorkButDoesNotStepIsNotReadyUntilItStepsAgain() {
    Fleet fleet = new Fleet(new FrontendId("f"), null);
    fleet.take(view(2, 1, 70), 0);
    fleet.tick(0);
    fleet.take(view(2, 1, 70), 10 * SECOND);
    fleet.tick(10 * SECOND);
    assertEquals(2, fleet.stepping(10 * SECOND));
    fleet.tick(11 * SECOND);
    assertEquals(2, fleet.serving(), "it lives");
    assertEquals(0, fleet.stepping(11 * SECOND), "but does not step");
    fleet.take(view(2, 1, 71), 12 * SECOND);
    fleet.tick(12 * SECOND);
    assertEquals(2, fleet.stepping(12 * SECOND));
    fleet.take(view(2, 0, 71), 13 * SECOND);
    fleet.tick(13 * SECOND);
    fleet.tick(100 * SECOND);
    assertEquals(2, fleet.stepping(100 * SECOND), "an idle engine need not step");
  }

  @Test
  void anEngineThatDoesNotStepWhileAnotherDoesGetsNothingNew() {
    Fleet fleet = new Fleet(new FrontendId("f"), null);
    for (int second = 0; second <= 11; second++) {
      long now = second * SECOND;
      ClusterView all = view(3, 1, 70);
      ClusterView.Engine steps = engine(1, 1, 70 + second);
      fleet.take(all.withEngines(List.of(all.engines().get(0), steps, all.engines().get(2))), now);
      fleet.tick(now);
    }
    assertEquals(Set.of(new Incarnation("e0"), new Incarnation("e2")), fleet.stalled());
    for (int i = 0; i < 5; i++) {
      assertEquals(
          1, fleet.choose(Query.of(10), 11 * SECOND).orElseThrow().engine().rank().value());
    }
    assertEquals(2, fleet.choose(only(2), 11 * SECOND).orElseThrow().engine().rank().value());
    fleet.take(view(3, 1, 80), 12 * SECOND);
    fleet.tick(12 * SECOND);
    assertEquals(Set.of(), fleet.stalled(), "all step again");
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

  /** The view of a coordinator that has just begun to lead, and knows the first engine only. */
  private ClusterView successors(ClusterView before) {
    Term next = new Term(before.term().number() + 1, new NodeId("next"));
    return new ClusterView(
        next, 1, before.dataParallelSize(), before.engines().subList(0, 1), before.frontends());
  }

  @Test
  void afterATakeoverAnEngineThatSpeaksIsNotTakenForGone() {
    ClusterView three = view(3, 0, 0);
    Incarnation mute = three.engines().get(1).incarnation();
    Incarnation speaking = three.engines().get(2).incarnation();
    Fleet fleet = new Fleet(new FrontendId("f"), null);
    fleet.take(three, 0);
    assertEquals(Set.of(), fleet.take(successors(three), 0), "all have the grace");
    Set<Incarnation> gone = new HashSet<>();
    long tenth = SECOND / 10;
    long end = Fleet.GRACE_NANOS + Fleet.SPEAKING_NANOS;
    for (long now = 0; now < end; now += tenth) {
      version++;
      fleet.report(Objects.requireNonNull(engine(2, 1, now).load()), now);
      gone.addAll(fleet.tick(now));
      assertEquals(
          now < Fleet.GRACE_NANOS ? Set.of() : Set.of(mute), gone, "after " + now / 1e9 + " s");
    }
    fleet.report(Objects.requireNonNull(engine(2, 1, end).load()), end);
    assertEquals(Set.of(speaking), fleet.tick(end), "nobody learns of it any more");
  }

  @Test
  void withoutATakeoverTheViewDecides() {
    ClusterView three = view(3, 0, 0);
    Fleet fleet = new Fleet(new FrontendId("f"), null);
    fleet.take(three, 0);
    fleet.report(Objects.requireNonNull(engine(2, 1, 1).load()), 1);
    version++;
    ClusterView fewer =
        new ClusterView(three.term(), version, 3, three.engines().subList(0, 2), three.frontends());
    assertEquals(Set.of(three.engines().get(2).incarnation()), fleet.take(fewer, 2));
  }
}
