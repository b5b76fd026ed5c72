package dev.flotilla;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.flotilla.frontend.FrontendVerticle;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** One of two API servers behind one port ends, and another takes its place. */
class FrontendReplacementTest {
  private static final int AFTERWARDS = 8;

  private final Logger guard = (Logger) LoggerFactory.getLogger(PartGuard.class);
  private final ListAppender<ILoggingEvent> reports = new ListAppender<>();

  @BeforeEach
  void listen() {
    reports.start();
    guard.addAppender(reports);
    guard.setLevel(Level.INFO);
  }

  @AfterEach
  void detach() {
    guard.detachAppender(reports);
    guard.setLevel(null);
  }

  @Test
  void thePortAnswersThroughoutTheEndIsReportedAndBothServeAgain() throws Exception {
    try (LocalServe serve =
        LocalServe.start(
            "--executor",
            "SCRIPTED",
            "--scripted-time-scale",
            "0",
            "-dp",
            "1",
            "--api-server-count",
            "2")) {
      Map<String, Integer> ports =
          serve.node().vertx().sharedData().getLocalMap(FrontendVerticle.PORTS);
      Set<String> before = Set.copyOf(ports.keySet());
      assertEquals(2, before.size());
      String ended = Objects.requireNonNull(serve.node().deployment("ApiServer_1"));

      serve
          .node()
          .vertx()
          .undeploy(ended)
          .toCompletionStage()
          .toCompletableFuture()
          .get(20, TimeUnit.SECONDS);
      await("another takes its place")
          .atMost(Duration.ofSeconds(20))
          .until(
              () -> {
                assertEquals(200, complete(serve.base()), "the port answers");
                return ports.size() == 2;
              });
      assertNotEquals(ended, serve.node().deployment("ApiServer_1"));
      Set<String> after = new HashSet<>(ports.keySet());
      after.removeAll(before);
      assertEquals(1, after.size(), "a new front-end beside the one that stayed");
      assertEquals(
          Set.of(serve.base().getPort()), new HashSet<>(ports.values()), "behind the same port");
      for (int i = 0; i < AFTERWARDS; i++) {
        assertEquals(200, complete(serve.base()), "each connection goes to the next of both");
      }
      assertTrue(
          lines().contains("ApiServer_1 has ended; it is replaced now"), () -> lines().toString());
      await("its return is told")
          .atMost(Duration.ofSeconds(20))
          .until(() -> lines().contains("ApiServer_1 is back"));
    }
  }

  private List<String> lines() {
    return List.copyOf(reports.list).stream().map(ILoggingEvent::getFormattedMessage).toList();
  }

  /** Over a connection of its own. */
  private static int complete(URI base) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client
          .send(
              FlotillaProcess.postRequest(
                  base, "/v1/completions", "{\"prompt\":\"x\",\"max_tokens\":2}"),
              BodyHandlers.ofString())
          .statusCode();
    }
  }
}
