package dev.flotilla;

import static dev.flotilla.FlotillaProcess.readyRanks;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The node of the leading coordinator is killed while another node's front-end serves. */
class CoordinatorLossIT {
  private static final int STREAMS = 6;
  private static final int TOKENS = 250;

  /** What a stream may show beyond the detection, which a stream of another rank need not await. */
  private static final Duration GAP = Duration.ofMillis(200);

  @Test
  void streamsOfSurvivingRanksGoOnAndTheNextCoordinatorLeadsAboveTheTerm() throws Exception {
    String cluster = FlotillaProcess.uniqueCluster();
    try (FlotillaProcess first = node(cluster, 0);
        FlotillaProcess second = node(cluster, 1)) {
      first.awaitReady();
      URI base = second.awaitReady();
      JsonNode before = engines(base);
      assertEquals(1, before.get("term").asInt());
      try (GapMeter streams = GapMeter.start(base, STREAMS, TOKENS)) {
        streams.awaitRequests(2 * STREAMS);
        long calm = streams.longestGapMs();
        streams.forgetGaps();

        long killed = System.nanoTime();
        first.kill();
        await("another coordinator leads")
            .atMost(Slowness.scaled(Duration.ofSeconds(5)))
            .pollInterval(Duration.ofMillis(20))
            .until(() -> engines(base).get("term").asInt() > 1);
        long detected = (System.nanoTime() - killed) / 1_000_000;
        await("its rank is ready again")
            .atMost(Slowness.scaled(Duration.ofSeconds(5)))
            .until(() -> readyRanks(base).equals(List.of(1)));
        long ready = (System.nanoTime() - killed) / 1_000_000;
        streams.awaitRequests(2 * STREAMS);
        long gap = streams.longestGapMs();
        System.out.printf(
            "coordinator lost: another led after %d ms, its rank was ready after %d ms; longest gap %d ms, before %d ms%n",
            detected, ready, gap, calm);

        assertEquals(List.of(), streams.failures());
        long limit = Math.max(Slowness.scaled(GAP).toMillis(), 2 * calm);
        assertTrue(gap <= limit, () -> "a stream paused for %d ms".formatted(gap));
      }
      JsonNode after = engines(base);
      assertTrue(epoch(after, 1) > epoch(before, 1), () -> after + " after " + before);
      assertEquals("DEAD", engine(after, 0).path("state").asText("DEAD"));
      assertEquals(2, after.get("data_parallel_size").asInt(), "the plan is the first leader's");
    }
  }

  private static JsonNode engines(URI base) throws Exception {
    return FlotillaProcess.json(FlotillaProcess.get(base, "/engines").body());
  }

  private static JsonNode engine(JsonNode engines, int rank) {
    for (JsonNode engine : engines.get("engines")) {
      if (engine.get("rank").asInt() == rank) {
        return engine;
      }
    }
    return engines.path("none");
  }

  private static long epoch(JsonNode engines, int rank) {
    return engine(engines, rank).get("epoch").asLong();
  }

  /** One rank and its front-end; that of rank 0 is the head. */
  static FlotillaProcess node(String cluster, int rank) throws Exception {
    return FlotillaProcess.start(
        "serve",
        "--executor",
        "scripted",
        "-dp",
        "2",
        "-dpl",
        "1",
        "--data-parallel-hybrid-lb",
        "--data-parallel-start-rank",
        Integer.toString(rank),
        "--port",
        "0",
        "--cluster-name",
        cluster);
  }
}
