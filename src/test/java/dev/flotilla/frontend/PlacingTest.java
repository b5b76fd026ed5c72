package dev.flotilla.frontend;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.Scenario;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.BlockHashes;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.json.JsonObject;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How one front-end finds engines: with a coordinator that chooses, and without. */
@Timeout(60)
class PlacingTest {
  private static final String BODY = "{\"prompt\": \"Hi\", \"max_tokens\": 4}";

  private static FrontendBed bed(String in) throws Exception {
    JsonObject choice = new JsonObject().put("in", in).put("header", true);
    return new FrontendBed(1024, new JsonObject().put("choice", choice));
  }

  private static FakeEngine.Script says() {
    return FakeEngine.saying(FrontendBed.idsAndEnd("ok"));
  }

  private static String decision(HttpResponse<String> response) {
    assertEquals(200, response.statusCode(), response.body());
    return response.headers().firstValue("X-Flotilla-Decision").orElse("none");
  }

  @Test
  void withoutACoordinatorEachFrontEndChoosesByItselfAfterAMoment() throws Exception {
    try (FrontendBed bed = bed("coordinator")) {
      bed.engine(0, says());
      for (int i = 0; i < 5; i++) {
        assertTrue(decision(bed.post("/v1/completions", BODY)).startsWith("flotilla; rank 0"));
      }
    }
  }

  @Test
  void aCoordinatorThatDoesNotAnswerCostsOneWaitNotOneForEachRequest() throws Exception {
    try (FrontendBed bed = bed("coordinator")) {
      bed.engine(0, says());
      List<ToCoordinator.Choose> questions = new CopyOnWriteArrayList<>();
      listen(bed, questions, false);
      bed.post("/v1/completions", BODY);
      long start = System.nanoTime();
      int more = 0;
      while (System.nanoTime() - start < 500_000_000L) {
        assertTrue(decision(bed.post("/v1/completions", BODY)).startsWith("flotilla; "));
        more++;
      }
      assertEquals(1, questions.size(), more + " more requests did not wait");
    }
  }

  private static void listen(FrontendBed bed, List<ToCoordinator.Choose> questions, boolean answers)
      throws Exception {
    Bus bus = Bus.of(bed.vertx);
    bus.consume(
            Addresses.COORDINATOR,
            message -> {
              if (message instanceof ToCoordinator.Choose question) {
                questions.add(question);
                if (answers) {
                  bus.send(
                      Addresses.frontend(question.from()),
                      new ToFrontend.Chosen(
                          question.call(),
                          question.only(),
                          question.excluded().isEmpty() ? null : question.excluded().getFirst(),
                          0,
                          ""));
                }
              }
            })
        .toCompletionStage()
        .toCompletableFuture()
        .get();
  }

  @Test
  void aChoiceThatMakesNoSenseHereIsMadeAgain() throws Exception {
    try (FrontendBed bed = bed("coordinator")) {
      bed.engine(0, says());
      List<ToCoordinator.Choose> questions = new CopyOnWriteArrayList<>();
      listen(bed, questions, true);
      assertTrue(decision(bed.post("/v1/completions", BODY)).startsWith("flotilla; rank 0"));
      assertEquals(1, questions.size());
      assertTrue(questions.getFirst().promptTokens() > 0);
    }
  }

  @Test
  void prefixesAreFollowedFromASnapshotOn() throws Exception {
    try (FrontendBed bed = bed("frontend")) {
      FakeEngine engine = bed.engine(0, says());
      await().atMost(Duration.ofSeconds(5)).until(() -> !engine.snapshots.isEmpty());
      Bus.of(bed.vertx)
          .send(
              Addresses.frontend(engine.snapshots.getFirst().from()),
              new ToFrontend.PrefixChange(
                  engine.rank,
                  engine.incarnation,
                  engine.epoch,
                  ToFrontend.PrefixChange.SNAPSHOT,
                  5,
                  0,
                  1,
                  BlockHashes.of(1, 2),
                  BlockHashes.EMPTY));
      int asked = engine.snapshots.size();
      Bus.of(bed.vertx)
          .send(
              Addresses.frontend(engine.snapshots.getFirst().from()),
              new ToFrontend.PrefixChange(
                  engine.rank,
                  engine.incarnation,
                  engine.epoch,
                  9,
                  10,
                  0,
                  1,
                  BlockHashes.of(3),
                  BlockHashes.EMPTY));
      await().atMost(Duration.ofSeconds(5)).until(() -> engine.snapshots.size() > asked);
    }
  }

  @Test
  @Scenario("A53")
  void anExplicitRankIsHonouredOnEveryRouteAndSaidToBeDownWhenItIs() throws Exception {
    try (FrontendBed bed = bed("frontend")) {
      FakeEngine zero = bed.engine(0, says());
      FakeEngine one = bed.engine(1, says());
      String chat =
          "{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}], \"max_tokens\": 4}";
      for (int i = 0; i < 3; i++) {
        bed.post("/v1/completions", BODY, "X-data-parallel-rank", "1");
        bed.post("/v1/chat/completions", chat, "X-Data-Parallel-Rank", "1");
        bed.vertx
            .eventBus()
            .request(
                Addresses.GENERATE,
                new JsonObject(BODY),
                new DeliveryOptions().addHeader("X-data-parallel-rank", "1"))
            .toCompletionStage()
            .toCompletableFuture()
            .get();
      }
      assertEquals(9, one.submits.size());
      assertEquals(List.of(), new ArrayList<ToEngine.Submit>(zero.submits));
      bed.hide(one);
      await()
          .atMost(Duration.ofSeconds(5))
          .until(
              () ->
                  bed.post("/v1/completions", BODY, "X-data-parallel-rank", "1").statusCode()
                      == 503);
      for (String route : List.of("/v1/completions", "/v1/chat/completions")) {
        String body = route.contains("chat") ? chat : BODY;
        assertEquals(503, bed.post(route, body, "X-data-parallel-rank", "1").statusCode());
        assertEquals(400, bed.post(route, body, "X-data-parallel-rank", "2").statusCode());
      }
    }
  }
}
