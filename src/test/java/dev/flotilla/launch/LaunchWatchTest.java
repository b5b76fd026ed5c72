package dev.flotilla.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.Scenario;
import dev.flotilla.config.RankRange;
import dev.flotilla.launch.LaunchWatch.Effect;
import dev.flotilla.launch.LaunchWatch.Event;
import dev.flotilla.launch.LaunchWatch.Part;
import dev.flotilla.launch.LaunchWatch.Result;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A head with ranks 0 and 1 that waits for 2 and 3 from elsewhere, for 600 s. */
class LaunchWatchTest {
  private LaunchWatch watch = watch(4, EngineFailure.STOP);
  private List<Effect> effects = List.of();
  private long version;

  private static LaunchWatch watch(int ready, EngineFailure onFailure) {
    return LaunchWatch.start(
        new LaunchWatch.Goal(RankRange.all(4), new RankRange(0, 2), ready, 600_000, onFailure), 0);
  }

  private void on(Event event) {
    LaunchWatch.Step step = watch.on(event);
    watch = step.next();
    effects = step.effects();
  }

  /** One letter per rank: R ready, C connected, S suspect, - absent. */
  private void see(String states) {
    List<ClusterView.Engine> engines = new ArrayList<>();
    for (int rank = 0; rank < states.length(); rank++) {
      char state = states.charAt(rank);
      if (state != '-') {
        engines.add(
            new ClusterView.Engine(
                new Rank(rank),
                new Incarnation("e" + rank),
                new Epoch(1, 1 + rank),
                state == 'C' ? EngineState.CONNECTED : EngineState.READY,
                new NodeId("n"),
                rank < 2,
                state == 'S',
                null,
                null));
      }
    }
    on(new Event.View(new ClusterView(1, ++version, states.length(), engines)));
  }

  private String failed() {
    return effects.size() == 1
            && effects.getFirst() instanceof Effect.Finish(Result.Failed(String sentence))
        ? sentence
        : "no failure: " + effects;
  }

  @Test
  void endsWhenAllAwaitedRanksServe() {
    see("RRRC");
    assertEquals(List.of(), effects);
    see("RRRR");
    assertEquals(List.of(new Effect.Finish(new Result.AllReady(4))), effects);
    on(new Event.Tick(600_000));
    assertEquals(List.of(), effects);
  }

  @Test
  void endsWithFewerWhereTheySuffice() {
    watch = watch(2, EngineFailure.CONTINUE);
    see("R-SC");
    assertEquals(List.of(), effects);
    see("RR-C");
    assertEquals(
        List.of(
            new Effect.Finish(
                new Result.Degraded(
                    2,
                    "remote engines to connect: 1 (rank 2); remote engines to become ready: 1 (rank 3)"))),
        effects);
  }

  @Test
  void saysEveryTenSecondsWhatIsMissing() {
    see("RC--");
    on(new Event.Tick(9_999));
    assertEquals(List.of(), effects);
    on(new Event.Tick(10_000));
    assertEquals(
        List.of(
            new Effect.Progress(
                "after 10 s: 1 of 4 engines are ready; waits for local engines to become ready: 1 (rank 1); remote engines to connect: 2 (ranks 2, 3)")),
        effects);
    on(new Event.Tick(19_999));
    assertEquals(List.of(), effects);
    on(new Event.Tick(20_000));
    assertEquals(1, effects.size());
  }

  @Test
  @Scenario("A15")
  void aRankThatNeverAppearsEndsTheLaunchAtItsDeadline() {
    see("RR-R");
    on(new Event.Tick(599_999));
    on(new Event.Tick(600_000));
    assertEquals(
        "after 600 s (--engine-ready-timeout) only 3 of 4 engines are ready; missing: remote engines to connect: 1 (rank 2)",
        failed());
  }

  @Test
  @Scenario("A11")
  void anEngineThatEndsBeforeItIsReadyIsNamedWithItsCode() {
    see("RC--");
    on(new Event.Ended(Part.ENGINE, "EngineCore_DP1", "exit code 3"));
    assertTrue(failed().startsWith("an engine ended during start-up"), failed());
    assertTrue(failed().contains("EngineCore_DP1: exit code 3"), failed());
  }

  @Test
  @Scenario("A12")
  void aFrontEndThatEndsIsAFailureOfItsOwn() {
    on(new Event.Ended(Part.API_SERVER, "ApiServer_1", "exit code 1"));
    assertTrue(failed().startsWith("an API server (front-end) ended"), failed());
    assertTrue(failed().contains("ApiServer_1: exit code 1"), failed());
  }

  @Test
  @Scenario("A13")
  void aNoticeWithoutACauseChangesNothing() {
    LaunchWatch before = watch;
    on(new Event.Ended(Part.ENGINE, "EngineCore_DP1", null));
    assertEquals(before, watch);
    see("RRRR");
    assertEquals(List.of(new Effect.Finish(new Result.AllReady(4))), effects);
  }

  @Test
  @Scenario("A14")
  void aCoordinatorThatEndsIsNamed() {
    on(new Event.Ended(Part.COORDINATOR, "Coordinator", "steps down"));
    assertTrue(failed().startsWith("the coordinator ended"), failed());
  }

  @Test
  void whereOthersServeOnTheEndsAreToldAtTheDeadline() {
    watch = watch(4, EngineFailure.CONTINUE);
    on(new Event.Ended(Part.ENGINE, "EngineCore_DP1", "signal 9"));
    assertEquals(List.of(), effects);
    on(new Event.Tick(600_000));
    assertTrue(failed().endsWith("ended before: EngineCore_DP1: signal 9"), failed());
  }

  @Test
  void aRankThatIsGivenUpEndsTheLaunchOnlyIfItIsNeeded() {
    watch = watch(3, EngineFailure.CONTINUE);
    on(new Event.GivenUp(new Rank(1), "it died 3 times"));
    assertEquals(List.of(), effects);
    on(new Event.GivenUp(new Rank(0), "it died 3 times"));
    assertTrue(failed().startsWith("only 2 of 3 engines can still come"), failed());
    assertTrue(failed().contains("rank 0 is given up: it died 3 times"), failed());
  }

  @Test
  void aNodeThatIsNoHeadWaitsForItsOwnRanksOnly() {
    watch =
        LaunchWatch.start(
            new LaunchWatch.Goal(
                new RankRange(2, 2), new RankRange(2, 2), 2, 1_000, EngineFailure.STOP),
            0);
    see("--RR");
    assertEquals(List.of(new Effect.Finish(new Result.AllReady(2))), effects);
  }
}
