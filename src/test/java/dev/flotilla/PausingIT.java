package dev.flotilla;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The node of the leading coordinator is killed while all ranks are paused. */
class PausingIT {
  private static final int STREAMS = 4;

  @Test
  void aPauseOutlivesItsCoordinator_andStreamsGoOnAfterTheResume() throws Exception {
    String cluster = FlotillaProcess.uniqueCluster();
    try (FlotillaProcess first = CoordinatorLossIT.node(cluster, 0);
        FlotillaProcess second = CoordinatorLossIT.node(cluster, 1)) {
      first.awaitReady();
      URI base = second.awaitReady();
      try (Streaming streams = Streaming.start(base, STREAMS, 400)) {
        streams.awaitFirstTokens();
        assertEquals(200, FlotillaProcess.post(base, "/pause?mode=keep", "").statusCode());
        first.kill();
        await("another coordinator leads")
            .atMost(Slowness.scaled(Duration.ofSeconds(8)))
            .until(() -> json(base, "/engines").get("term").asInt() > 1);
        await("and knows that all are paused")
            .atMost(Slowness.scaled(Duration.ofSeconds(8)))
            .until(() -> json(base, "/is_paused").path("is_paused").asBoolean());
        assertTrue(json(base, "/engines").get("paused").asBoolean());
        assertEquals(STREAMS, streams.running());
        assertEquals(200, FlotillaProcess.post(base, "/resume", "").statusCode());
        streams.assertAllEnd("length", Slowness.scaled(Duration.ofSeconds(40)));
      }
    }
  }

  private static JsonNode json(URI base, String path) throws Exception {
    return FlotillaProcess.json(FlotillaProcess.get(base, path).body());
  }
}
