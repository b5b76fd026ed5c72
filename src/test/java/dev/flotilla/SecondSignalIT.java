package dev.flotilla;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A person who does not want to wait for the drain that the first signal has begun. */
class SecondSignalIT {
  private static final Duration ABORTED = Duration.ofSeconds(5);

  @Test
  @Scenario("A77")
  void aSecondSignalAbortsWhatDrainsAndTheExitCodeStaysZero() throws Exception {
    try (FlotillaProcess head =
        FlotillaProcess.start(
            "serve",
            "--executor",
            "scripted",
            "-dp",
            "1",
            "--no-join",
            "--port",
            "0",
            "--shutdown-timeout",
            "60")) {
      URI base = head.awaitReady();
      try (Streaming streams = Streaming.start(base, 20, 20_000)) {
        streams.awaitFirstTokens();
        head.terminate();
        await("the drain has begun")
            .atMost(Duration.ofSeconds(10))
            .until(() -> FlotillaProcess.get(base, "/readyz").statusCode() == 503);
        assertTrue(streams.running() == 20, "the first signal lets them run");
        head.terminate();
        streams.assertAllEnd("abort", Slowness.scaled(ABORTED));
      }
      assertEquals(0, head.awaitExit(Slowness.scaled(ABORTED)), head.output());
    }
  }
}
