package dev.flotilla;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.config.Balancing;
import dev.flotilla.config.ConfigException;
import dev.flotilla.config.RankRange;
import dev.flotilla.launch.Backend;
import dev.flotilla.launch.LaunchFlags;
import dev.flotilla.launch.LaunchPlan;
import dev.flotilla.launch.LaunchPlan.Mode;
import dev.flotilla.launch.LaunchPlan.Scope;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** Command lines of {@code serve} and what they start: one line per mode and per refusal. */
class LaunchPlanTest {
  private static ServePlan serve(boolean mixture, String line) {
    String[] words = line.isEmpty() ? new String[0] : line.split(" ");
    ServeFlags flags = CommandLine.populateCommand(new ServeFlags(), words);
    return ServePlan.of(flags, folder -> mixture);
  }

  private static LaunchPlan plan(String line) {
    return serve(false, line).launch();
  }

  private static void refused(String sentence, String line) {
    ConfigException thrown = assertThrows(ConfigException.class, () -> plan(line));
    String message = String.valueOf(thrown.getMessage());
    assertTrue(message.contains(sentence), message);
  }

  @Test
  void aHeadWithAllRanksIsInternal() {
    LaunchPlan plan = plan("-dp 4");
    assertEquals(Mode.INTERNAL, plan.mode());
    assertEquals(RankRange.all(4), plan.starts());
    assertEquals(RankRange.all(4), plan.awaits());
    assertEquals(4, plan.ready());
    assertTrue(plan.coordinator());
    assertNull(plan.choosable());
    assertEquals(Backend.VERTICLE, plan.backend());
    assertFalse(plan.lockstep());
  }

  @Test
  void aHeadAwaitsWhatHeadlessNodesBring() {
    LaunchPlan head = plan("-dp 4 -dpl 2");
    assertEquals(new RankRange(0, 2), head.starts());
    assertEquals(RankRange.all(4), head.awaits());
    LaunchPlan node = plan("--headless -dp 4 -dpl 2 -dpr 2");
    assertEquals(Mode.HEADLESS, node.mode());
    assertEquals(new RankRange(2, 2), node.starts());
    assertEquals(new RankRange(2, 2), node.awaits());
    assertFalse(node.coordinator());
  }

  @Test
  @Scenario("A22")
  void aHeadMayHaveNoEngineAtAll() {
    LaunchPlan head = plan("-dp 4 -dpl 0");
    assertEquals(0, head.starts().count());
    assertEquals(RankRange.all(4), head.awaits());
    assertEquals(4, head.apiServers());
    assertTrue(head.coordinator());
  }

  @Test
  @Scenario({"A19", "A20", "A21"})
  void addressesAreLocalOnlyWhereNobodyElseCanTakePart() {
    assertEquals(Scope.LOCAL, plan("--no-join -dp 4").scope());
    assertEquals(Scope.CLUSTERED, plan("-dp 4").scope());
    assertEquals(Scope.CLUSTERED, plan("-dp 4 -dpl 2").scope());
    refused("all 4 engines (--data-parallel-size) must be local, not 2", "--no-join -dp 4 -dpl 2");
    LaunchPlan elastic = plan("--no-join --enable-elastic-ep -dp 4");
    assertEquals(Mode.ELASTIC, elastic.mode());
    assertEquals(Scope.CLUSTERED, elastic.scope());
    refused("starts others", "--no-join -dp 2 --data-parallel-backend process");
    refused("must be local", "--no-join --headless -dp 2 -dpl 1");
  }

  @Test
  @Scenario("A23")
  void headlessNodesHaveEnginesAndNothingElse() {
    refused("leave --api-server-count (1) out", "--headless -dp 2 --api-server-count 1");
    refused(
        "every node has its own API server", "--headless -dp 2 -dpl 1 --data-parallel-hybrid-lb");
    refused("at least 1 on a --headless node, not 0", "--headless -dp 2 -dpl 0");
    refused("every rank has its own API server", "--headless -dp 2 --data-parallel-rank 1");
    refused("every rank has its own API server", "--headless -dp 2 --data-parallel-external-lb");
    assertEquals(0, plan("--headless -dp 2 --api-server-count 0").apiServers());
  }

  @Test
  @Scenario("A24")
  void impossibleRanksAndModesAreRefused() {
    refused("exclude each other", "-dp 4 -dpl 2 -dph --data-parallel-rank 1");
    refused("exclude each other", "-dp 4 -dpl 2 -dph -dpe");
    refused("ranks 0 to 4 do not fit --data-parallel-size 4", "-dp 4 -dpl 5");
    refused("ranks 3 to 4 do not fit --data-parallel-size 4", "--headless -dp 4 -dpl 2 -dpr 3");
    refused("--data-parallel-rank must be 0 to 3", "-dp 4 --data-parallel-rank 4");
    refused("--data-parallel-rank must be 0 to 3", "-dp 4 --data-parallel-rank -1");
    refused("--data-parallel-start-rank must be 0 to 3", "--headless -dp 4 -dpr 4");
    refused("--data-parallel-size of at least 2, not 1", "-dp 1 --data-parallel-rank 0");
    refused("--data-parallel-size must be 1 to 65535, not 0", "-dp 0");
    refused("--data-parallel-size must be 1 to 65535, not 65536", "-dp 65536");
    refused("at least 0 here, not -1", "-dp 4 -dpl -1");
  }

  @Test
  void externalBalancingNeedsOneRankPerProcess() {
    refused("needs --data-parallel-rank", "-dp 4 --data-parallel-external-lb");
    refused("must be 1, not 2", "-dp 4 --data-parallel-rank 1 -dpl 2");
    refused("--data-parallel-rank names the rank", "-dp 4 --data-parallel-rank 1 -dpr 1");
    LaunchPlan second = plan("-dp 4 --data-parallel-rank 1");
    assertEquals(Mode.EXTERNAL, second.mode());
    assertEquals(new RankRange(1, 1), second.starts());
    assertEquals(new RankRange(1, 1), second.awaits());
    assertEquals(new RankRange(1, 1), second.choosable());
    assertFalse(second.coordinator());
    assertFalse(second.headless());
    LaunchPlan first = plan("-dp 4 --data-parallel-rank 0 --data-parallel-external-lb");
    assertEquals(RankRange.all(4), first.awaits());
    assertEquals(new RankRange(0, 1), first.choosable());
    assertTrue(first.coordinator());
  }

  @Test
  @Scenario("A25")
  void externalBalancingHasACoordinatorThatPublishesNoCounts() {
    for (boolean mixture : new boolean[] {false, true}) {
      ServePlan plan = serve(mixture, "-dp 2 --data-parallel-rank 0 --enable-expert-parallel");
      assertTrue(plan.launch().coordinator());
      assertEquals(Balancing.EXTERNAL, plan.coordinator().balancing());
      assertEquals(mixture, plan.launch().lockstep());
      assertEquals(mixture, plan.coordinator().lockstep());
    }
  }

  @Test
  @Scenario("A26")
  void anApiServerWithoutRankZeroNeedsALocalSize() {
    refused("--data-parallel-start-rank 2 without --headless", "-dp 4 -dpr 2");
    LaunchPlan plan = plan("-dp 4 -dpr 2 -dpl 2");
    assertEquals(Mode.HYBRID, plan.mode());
    assertEquals(new RankRange(2, 2), plan.choosable());
    assertFalse(plan.coordinator());
  }

  @Test
  void hybridBalancingTiesFrontEndsToTheirNode() {
    refused("needs --data-parallel-size-local", "-dp 4 --data-parallel-hybrid-lb");
    refused("at least 1 under hybrid load balancing", "-dp 4 -dph -dpl 0");
    refused("growth would change the ranks", "-dp 4 -dph -dpl 2 --enable-elastic-ep");
    ServePlan plan = serve(false, "-dp 4 --data-parallel-hybrid-lb -dpl 2");
    assertEquals(Mode.HYBRID, plan.launch().mode());
    assertTrue(plan.launch().coordinator());
    assertEquals(new RankRange(0, 2), plan.frontend().ranks());
    assertEquals(RankRange.all(4), plan.launch().awaits());
  }

  @Test
  @Scenario("A27")
  void eachModeHasItsNumberOfApiServers() {
    assertEquals(4, plan("-dp 4").apiServers());
    assertEquals(4, plan("-dp 4 --enable-elastic-ep").apiServers());
    assertEquals(2, plan("-dp 4 -dpl 2 --data-parallel-hybrid-lb").apiServers());
    assertEquals(1, plan("-dp 4 --data-parallel-rank 3").apiServers());
    assertEquals(0, plan("-dp 4 --headless").apiServers());
    assertEquals(3, plan("-dp 1 --api-server-count 3").apiServers());
    refused("--api-server-count must be 1 to 64, not 0", "-dp 1 --api-server-count 0");
    refused("--api-server-count must be 1 to 64, not 65", "-dp 1 --api-server-count 65");
  }

  @Test
  void backendsAreVerticlesOrProcesses() {
    assertEquals(Backend.PROCESS, plan("-dp 2 --data-parallel-backend mp").backend());
    assertEquals(Backend.PROCESS, plan("-dp 2 -dpb process").backend());
    refused("there is no Ray here", "-dp 2 --data-parallel-backend ray");
    assertEquals(Backend.CLUSTER, plan("-dp 2 --data-parallel-backend cluster").backend());
    refused("not 'threads'", "-dp 2 --data-parallel-backend threads");
  }

  @Test
  void lockstepIsForAMixtureOverSeveralRanksAlone() {
    assertTrue(serve(true, "-dp 2 --enable-expert-parallel").launch().lockstep());
    assertFalse(serve(true, "-dp 2").launch().lockstep());
    assertFalse(serve(true, "-dp 1 --enable-expert-parallel").launch().lockstep());
    assertFalse(serve(false, "-dp 2 --enable-expert-parallel").launch().lockstep());
  }

  @Test
  void fewerReadyEnginesMaySuffice() {
    assertEquals(3, plan("-dp 4 --min-ready-engines 3").ready());
    refused("must be 1 to 4", "-dp 4 --min-ready-engines 5");
    refused("must be 1 to 1", "-dp 4 --data-parallel-rank 2 --min-ready-engines 2");
    refused("at least 1 second", "-dp 2 --engine-ready-timeout 0");
    refused("must not be negative", "-dp 2 --shutdown-timeout -1");
  }

  @Test
  void offlineUseIsOneEngineInThisProcess() {
    LaunchPlan plan = LaunchPlan.of(LaunchFlags.ofOffline(), () -> false);
    assertEquals(Mode.OFFLINE, plan.mode());
    assertEquals(Scope.LOCAL, plan.scope());
    assertEquals(0, plan.apiServers());
    assertFalse(plan.coordinator());
  }

  @Test
  void enginesHaveTheOriginalsNames() {
    assertEquals("EngineCore", LaunchPlan.engineName(0, 1));
    assertEquals("EngineCore_DP3", LaunchPlan.engineName(3, 4));
  }

  @Test
  void devicesAreCheckedBeforeAnythingStarts() {
    refused("local rank 1 needs those of [1, 2)", "-dp 2 --device-ids 0");
    assertEquals("3", serve(false, "-dp 2 --device-ids 2,3").devices().of(1).getFirst());
  }
}
