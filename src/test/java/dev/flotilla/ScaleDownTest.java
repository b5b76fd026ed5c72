package dev.flotilla;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.PlacedGroup.Asked;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What becomes of the requests of a rank that goes. */
class ScaleDownTest {
  private static final Duration SOON = Slowness.scaled(Duration.ofSeconds(5));

  private static List<Asked> ask(PlacedGroup group, int count, int promptTokens, int outputs) {
    List<Asked> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      all.add(group.ask(i, promptTokens, outputs));
    }
    return all;
  }

  private static void assertAllRight(List<Asked> requests) throws Exception {
    for (Asked request : requests) {
      assertEquals("", request.fault());
    }
  }

  private static void awaitWork(PlacedGroup group, String what, int least) {
    await("rank 1 has work")
        .atMost(SOON)
        .pollInterval(Duration.ofMillis(20))
        .untilAsserted(
            () -> assertTrue(group.engine(1, what) >= least, () -> "engines: " + group.engines()));
  }

  @Test
  @Scenario("A75")
  void whatWaitsMovesAtOnceWhatRunsFinishesAndASecondChangeIsTurnedAway() throws Exception {
    try (PlacedGroup group = new PlacedGroup(2, 2, 60, 256, "")) {
      List<Asked> requests = ask(group, 12, 4, 25);
      awaitWork(group, "waiting", 2);
      CompletableFuture<HttpResponse<String>> answer = group.scale(1, 60);
      await("nothing waits there")
          .atMost(SOON)
          .pollInterval(Duration.ofMillis(20))
          .untilAsserted(
              () -> {
                assertEquals(0, group.engine(1, "waiting"), group::engines);
                assertTrue(group.engine(0, "waiting") >= 4, group::engines);
              });
      assertEquals(2, group.engine(1, "running"), "what runs stays");
      assertFalse(answer.isDone(), "the rank has not finished what runs");
      assertEquals(409, group.scale(2, 60).get(10, TimeUnit.SECONDS).statusCode());
      assertAllRight(requests);
      HttpResponse<String> done = answer.get(30, TimeUnit.SECONDS);
      assertEquals(200, done.statusCode(), done::body);
      assertEquals(0, group.metric("flotilla_stream_failovers_total"), "nothing was interrupted");
      assertEquals(List.of(0), FlotillaProcess.readyRanks(group.base()));
      assertEquals(1, group.node().path("free").asInt());
    }
  }

  @Test
  void whatOutlastsTheDrainTimeGoesOnElsewhereWithTheTokensThatWereDelivered() throws Exception {
    try (PlacedGroup group = new PlacedGroup(2, 2, 40, 256, "")) {
      List<Asked> requests = ask(group, 4, 4, 100);
      awaitWork(group, "running", 2);
      HttpResponse<String> done = group.scale(1, 1).get(30, TimeUnit.SECONDS);
      assertEquals(200, done.statusCode(), done::body);
      assertEquals(List.of(0), FlotillaProcess.readyRanks(group.base()));
      assertAllRight(requests);
      assertTrue(group.metric("flotilla_stream_failovers_total") >= 2, "two were moved");
    }
  }

  @Test
  @Scenario("A75")
  void whereNoRankHasRoomForTheRestTheChangeFailsWith408AndAllIsServed() throws Exception {
    // Each rank runs two requests of 20 to 26 blocks, and has 60.
    try (PlacedGroup group = new PlacedGroup(2, 2, 40, 60, "")) {
      List<Asked> requests = ask(group, 4, 310, 90);
      awaitWork(group, "running", 2);
      HttpResponse<String> refused = group.scale(1, 1).get(30, TimeUnit.SECONDS);
      assertEquals(408, refused.statusCode(), refused::body);
      assertTrue(refused.body().contains("room for"), refused::body);
      assertEquals(List.of(0, 1), FlotillaProcess.readyRanks(group.base()));
      assertAllRight(requests);
      assertAllRight(ask(group, 2, 4, 4));
      HttpResponse<String> later = group.scale(1, 5).get(30, TimeUnit.SECONDS);
      assertEquals(200, later.statusCode(), later::body);
    }
  }
}
