package dev.flotilla.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.flotilla.Scenario;
import dev.flotilla.frontend.UtilityCall.Event;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Rank;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.json.JsonObject;
import java.net.http.HttpResponse;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Utility calls on several engines: the machine, and the way over HTTP and the bus. */
@Timeout(60)
class UtilityCallTest {
  private static final Rank ZERO = new Rank(0);
  private static final Rank ONE = new Rank(1);
  private static final Incarnation A = new Incarnation("a");
  private static final Incarnation B = new Incarnation("b");

  private UtilityCall call = UtilityCall.of("reset", Map.of(ZERO, A, ONE, B), 1_000);

  private void answer(Rank rank, Incarnation its, @Nullable String result, @Nullable String bad) {
    call = call.on(new Event.Answered(rank, its, result, bad));
  }

  @Test
  void awaitsAllEnginesAndKeepsEachResult() {
    answer(ONE, B, "1", null);
    assertFalse(call.done());
    answer(ONE, B, "2", null);
    answer(ZERO, B, "2", null);
    answer(ZERO, A, "0", null);
    assertTrue(call.done());
    assertNull(call.failure());
    assertEquals(Map.of(ZERO, "0", ONE, "1"), call.results());
  }

  @Test
  @Scenario("A63")
  void oneFailureFailsTheCallAndAllAreNamed() {
    answer(ZERO, A, null, "burst");
    assertFalse(call.done());
    call = call.on(new Event.SendFailed(B, "no handlers"));
    assertTrue(call.done());
    assertEquals(
        "reset failed: engine 0: burst; engine 1: cannot be reached: no handlers", call.failure());
  }

  @Test
  void anEngineThatGoesOrIsSilentHasFailed() {
    call = call.on(new Event.Known(Set.of(A)));
    call = call.on(new Event.Tick(999));
    assertFalse(call.done());
    call = call.on(new Event.Tick(1_000));
    assertEquals(
        "reset failed: engine 0: did not answer in time; engine 1: is gone", call.failure());
  }

  @Test
  @Scenario("A63")
  void overHttpAndTheBusAFailureReachesTheCallerAndEnginesServeOn() throws Exception {
    try (FrontendBed bed = new FrontendBed(1024, FrontendBed.settings())) {
      FakeEngine.Script hello = FakeEngine.saying(FrontendBed.idsAndEnd("Hello."));
      FakeEngine first = bed.engine(0, hello);
      bed.engine(1, hello);
      HttpResponse<String> both = bed.post("/reset_prefix_cache?reset_running_requests=true", "");
      assertEquals(200, both.statusCode(), both.body());
      JsonNode results = FrontendBed.json(both.body()).get("results");
      assertEquals(1, results.at("/1/rank").asInt());
      assertEquals(1, results.at("/1/result/said").asInt());
      assertTrue(results.at("/0/result/args/reset_running_requests").asBoolean());
      JsonNode one = FrontendBed.json(bed.post("/collect_stats?rank=1", "").body());
      assertEquals(1, one.get("results").size());
      assertEquals(503, bed.post("/collect_stats?rank=7", "").statusCode());
      assertEquals(400, bed.post("/collect_stats?rank=x", "").statusCode());

      first.failing.add("list_threads");
      HttpResponse<String> failed = bed.post("/list_threads", "");
      assertEquals(500, failed.statusCode());
      assertEquals(
          "list_threads failed: engine 0: failed on purpose",
          FrontendBed.json(failed.body()).at("/error/message").asText());
      HttpResponse<String> served =
          bed.post("/v1/completions", "{\"prompt\": \"Hi\"}", "X-data-parallel-rank", "0");
      assertEquals(200, served.statusCode(), served.body());

      JsonObject asked = new JsonObject().put("name", "collect_stats").put("rank", 1);
      JsonObject reply = (JsonObject) overBus(bed, asked);
      assertEquals(1, reply.getJsonArray("results").getJsonObject(0).getInteger("rank"));
      assertEquals(500, code(bed, new JsonObject().put("name", "list_threads")));
      assertEquals(400, code(bed, new JsonObject().put("name", 7)));
    }
  }

  private static Object overBus(FrontendBed bed, JsonObject asked) throws Exception {
    return bed.vertx
        .eventBus()
        .<Object>request(Addresses.UTILITY, asked)
        .toCompletionStage()
        .toCompletableFuture()
        .get(20, TimeUnit.SECONDS)
        .body();
  }

  private static int code(FrontendBed bed, JsonObject asked) {
    ExecutionException thrown =
        Assertions.assertThrows(ExecutionException.class, () -> overBus(bed, asked));
    return thrown.getCause() instanceof ReplyException reply ? reply.failureCode() : -1;
  }
}
