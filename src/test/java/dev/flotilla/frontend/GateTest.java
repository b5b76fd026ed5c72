package dev.flotilla.frontend;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.flotilla.config.QueueLimits;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineFacts;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.EngineWork;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.StepCost;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.TokenIds;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.json.JsonObject;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The bounds of the queues: what is refused, and when a refused client may come again. */
@Timeout(60)
class GateTest {
  private static final EngineFacts FACTS =
      new EngineFacts("m", "scripted", 64, 16, 4096, 256, 2048, "0");

  /** Two engines, each of which computes a prompt token in a millisecond and nothing else. */
  private static Fleet fleet(int waiting, int running, long queuedTokens) {
    Fleet fleet = new Fleet(new FrontendId("f"), null);
    List<ClusterView.Engine> engines =
        List.of(engine(0, waiting, running, queuedTokens), engine(1, 0, 0, 0));
    fleet.take(new ClusterView(1, 1, 2, engines), 0);
    return fleet;
  }

  private static ClusterView.Engine engine(int value, int waiting, int running, long queued) {
    Rank rank = new Rank(value);
    Incarnation incarnation = new Incarnation("e" + value);
    Epoch epoch = new Epoch(1, 1 + value);
    EngineWork work =
        new EngineWork(queued, running, 0, 0, 0, new StepCost(running > 0 ? 10 : 0, 1, 0, 0, 0));
    LoadReport load =
        new LoadReport(
            rank,
            incarnation,
            epoch,
            1,
            waiting,
            running,
            queued,
            0,
            0,
            64,
            0,
            0,
            false,
            0,
            List.of(),
            null,
            work);
    return new ClusterView.Engine(
        rank, incarnation, epoch, EngineState.READY, new NodeId("n"), true, false, FACTS, load);
  }

  private static Gate gate(@Nullable Integer requests, @Nullable Long tokens, Fleet fleet) {
    return new Gate(new QueueLimits(requests, tokens), fleet);
  }

  @Test
  void withoutLimitsEverythingIsLetIn() {
    assertDoesNotThrow(() -> gate(null, null, fleet(999, 999, 999_999)).admit(999, 999, 999_999));
  }

  @Test
  void requestsThatWaitOrRunAnywhereCount() {
    Gate gate = gate(10, null, fleet(4, 4, 0));
    assertDoesNotThrow(() -> gate.admit(0, 2, 0));
    ApiException full = assertThrows(ApiException.class, () -> gate.admit(0, 3, 0));
    assertEquals(429, full.status());
    assertTrue(
        full.sentence().startsWith("8 requests are under way, and --max-num-queued-reqs is 10"),
        full.sentence());
    ApiException own = assertThrows(ApiException.class, () -> gate.admit(10, 1, 0));
    assertTrue(own.sentence().startsWith("10 requests"), "streams without an engine count too");
  }

  @Test
  void ownSendsCountBeforeAnyEngineAcknowledgesThem() {
    Fleet fleet = fleet(0, 0, 0);
    Gate gate = gate(null, 1_000L, fleet);
    assertDoesNotThrow(() -> gate.admit(0, 1, 900));
    fleet.send(new Incarnation("e1"), 900, 0);
    assertThrows(ApiException.class, () -> gate.admit(0, 1, 101));
    assertDoesNotThrow(() -> gate.admit(0, 1, 100));
  }

  @Test
  void whatFindsNothingUnderWayIsLetInHoweverLongItIs() {
    assertDoesNotThrow(() -> gate(1, 10L, fleet(0, 0, 0)).admit(0, 4, 5_000));
  }

  @Test
  void retryAfterFollowsFromTheRateAtWhichPromptsAreComputed() {
    // 30,000 tokens wait, 20,000 may, this one has 1,000: 11,000 ms of one engine, half of two.
    ApiException full =
        assertThrows(
            ApiException.class, () -> gate(null, 20_000L, fleet(9, 0, 30_000)).admit(0, 1, 1_000));
    assertEquals(6, full.retrySeconds());
    assertTrue(full.sentence().endsWith("; try again in 6 s"), full.sentence());
    ApiException little =
        assertThrows(ApiException.class, () -> gate(null, 100L, fleet(1, 0, 101)).admit(0, 1, 1));
    assertEquals(1, little.retrySeconds(), "at least a second");
  }

  @Test
  void retryAfterFollowsFromTheRateAtWhichRequestsEnd() {
    // Each of 4 takes 200 tokens of 10 ms, so that one ends every 500 ms; five must end.
    Fleet fleet = fleet(8, 4, 0);
    ApiException full = assertThrows(ApiException.class, () -> gate(8, null, fleet).admit(0, 1, 0));
    assertEquals(429, full.status());
    assertEquals(3, full.retrySeconds(), full::sentence);
    ApiException fuller =
        assertThrows(ApiException.class, () -> gate(8, null, fleet).admit(0, 1_000, 0));
    assertEquals(502, fuller.retrySeconds(), fuller::sentence);
  }

  @Test
  void overHttpAndTheBusWhatIsTooMuchGets429() throws Exception {
    JsonObject limits = new JsonObject().put("max-num-queued-reqs", 2);
    try (FrontendBed bed = new FrontendBed(4096, new JsonObject().put("queue", limits))) {
      FakeEngine engine = bed.engine(0, (e, submit) -> {}); // It keeps them waiting.
      String body = "{\"prompt\":\"a\",\"max_tokens\":5}";
      CompletableFuture<HttpResponse<String>> first = post(bed, body);
      CompletableFuture<HttpResponse<String>> second = post(bed, body);
      await().atMost(Duration.ofSeconds(10)).until(() -> engine.submits.size() == 2);

      for (String path : List.of("/v1/completions", "/v1/chat/completions")) {
        HttpResponse<String> refused =
            bed.post(
                path,
                path.contains("chat")
                    ? "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"stream\":true}"
                    : body);
        assertEquals(429, refused.statusCode(), refused.body());
        int seconds = Integer.parseInt(refused.headers().firstValue("Retry-After").orElse(""));
        assertTrue(seconds >= 1);
        JsonNode error = FrontendBed.json(refused.body()).get("error");
        assertEquals("rate_limit_error", error.get("type").asText());
        assertTrue(error.get("message").asText().contains("try again in " + seconds + " s"));
        assertTrue(error.get("param").isNull() && error.has("code"), refused.body());
      }
      ExecutionException e =
          assertThrows(
              ExecutionException.class,
              () ->
                  bed.vertx
                      .eventBus()
                      .request(Addresses.GENERATE, new JsonObject().put("prompt", "a"))
                      .toCompletionStage()
                      .toCompletableFuture()
                      .get(10, TimeUnit.SECONDS));
      assertEquals(429, assertInstanceOf(ReplyException.class, e.getCause()).failureCode());

      for (ToEngine.Submit submit : engine.submits) {
        engine.running.remove(submit.request());
        engine.tokens(submit, 0, TokenIds.of(7), FinishReason.LENGTH);
      }
      assertEquals(200, first.get().statusCode());
      assertEquals(200, second.get().statusCode());
      CompletableFuture<HttpResponse<String>> third = post(bed, body);
      await("it is let in").atMost(Duration.ofSeconds(10)).until(() -> engine.submits.size() == 3);
      engine.tokens(engine.submits.getLast(), 0, TokenIds.of(7), FinishReason.LENGTH);
      assertEquals(200, third.get().statusCode());
    }
  }

  private static CompletableFuture<HttpResponse<String>> post(FrontendBed bed, String body) {
    return bed.client.sendAsync(
        bed.request("/v1/completions")
            .POST(java.net.http.HttpRequest.BodyPublishers.ofString(body))
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }
}
