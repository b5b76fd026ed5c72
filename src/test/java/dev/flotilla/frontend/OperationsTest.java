package dev.flotilla.frontend;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.flotilla.protocol.Addresses;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The routes beside generation, the metrics, and the JSON bus address. */
@Timeout(60)
class OperationsTest {
  private static final String SENTENCE = "The capital of Kenya is Nairobi.";
  private static FrontendBed bed;
  private static FakeEngine engine;

  @BeforeAll
  static void start() throws Exception {
    bed = new FrontendBed(1024, FrontendBed.settings());
    engine = bed.engine(0, FakeEngine.saying(FrontendBed.idsAndEnd(SENTENCE)));
  }

  @AfterAll
  static void stop() {
    bed.close();
  }

  @Test
  void answersOperators() throws Exception {
    for (String path : List.of("/health", "/ping", "/livez", "/readyz")) {
      assertEquals(200, bed.send(bed.request(path).build()).statusCode(), path);
    }
    assertTrue(bed.get("/version").get("version").asText().length() > 1);
    JsonNode shown = bed.get("/engines").get("engines").get(0);
    assertEquals(0, shown.get("rank").asInt());
    assertEquals("READY", shown.get("state").asText());
    assertEquals(70, shown.get("step").asInt());
    assertEquals(engine.incarnation.value(), shown.get("incarnation").asText());
  }

  @Test
  @Timeout(20)
  void saysThatNobodyLeadsInsteadOfWaitingForIt() throws Exception {
    for (String order : List.of("/scale_elastic_ep", "/pause", "/resume")) {
      HttpResponse<String> answer = bed.post(order, "{\"new_data_parallel_size\":3}");
      assertEquals(503, answer.statusCode(), answer::body);
      assertTrue(answer.body().contains("no coordinator answers"), answer::body);
    }
  }

  @Test
  void showsTheModel() throws Exception {
    JsonNode list = bed.get("/v1/models");
    assertEquals("tiny-llama", list.at("/data/0/id").asText());
    assertEquals(1024, list.at("/data/0/max_model_len").asInt());
    assertEquals("tiny-llama", bed.get("/v1/models/tiny-llama").get("id").asText());
    HttpResponse<String> other = bed.send(bed.request("/v1/models/a%2Fb").build());
    assertEquals(404, other.statusCode());
    assertTrue(other.body().contains("model_not_found"));
  }

  @Test
  void tokenizesAndBack() throws Exception {
    JsonNode ids =
        FrontendBed.json(
            bed.post("/tokenize", "{\"prompt\":\"Hello\",\"return_token_strs\":true}").body());
    assertEquals(ids.get("count").asInt(), ids.get("tokens").size());
    assertEquals(ids.get("count").asInt(), ids.get("token_strs").size());
    JsonNode text =
        FrontendBed.json(
            bed.post(
                    "/detokenize",
                    "{\"tokens\":"
                        + new JsonArray(FrontendBed.ids("Hi you").stream().boxed().toList())
                        + "}")
                .body());
    assertEquals("Hi you", text.get("prompt").asText());
    JsonNode chat =
        FrontendBed.json(
            bed.post("/tokenize", "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}")
                .body());
    assertEquals(0, chat.at("/tokens/0").asInt());
  }

  @Test
  void answersOnTheBus() throws Exception {
    JsonObject reply =
        (JsonObject)
            bed.vertx
                .eventBus()
                .request(
                    Addresses.GENERATE, new JsonObject().put("prompt", "a").put("max_tokens", 50))
                .toCompletionStage()
                .toCompletableFuture()
                .get()
                .body();
    assertEquals(SENTENCE, reply.getJsonArray("choices").getJsonObject(0).getString("text"));
    assertEquals(400, failure(new JsonObject()).failureCode());
    assertEquals(400, failure(new JsonObject().put("prompt", "")).failureCode());
    ReplyException unknown = failure(new JsonObject().put("prompt", "a").put("model", "x"));
    assertEquals(404, unknown.failureCode());
    assertTrue(String.valueOf(unknown.getMessage()).contains("does not exist"));
  }

  @Test
  void streamsOnTheBusInOrder() throws Exception {
    List<JsonObject> pieces = new CopyOnWriteArrayList<>();
    bed.vertx
        .eventBus()
        .<JsonObject>consumer("test.replies", message -> pieces.add(message.body()));
    JsonObject reply =
        (JsonObject)
            bed.vertx
                .eventBus()
                .request(
                    Addresses.GENERATE,
                    new JsonObject()
                        .put("prompt_token_ids", new JsonArray().add(5).add(6))
                        .put("max_tokens", 50)
                        .put("reply_to", "test.replies"))
                .toCompletionStage()
                .toCompletableFuture()
                .get()
                .body();
    await()
        .atMost(Duration.ofSeconds(10))
        .until(() -> !pieces.isEmpty() && pieces.getLast().getString("finish_reason") != null);
    StringBuilder text = new StringBuilder();
    int offset = 0;
    for (JsonObject piece : pieces) {
      assertEquals(reply.getString("request_id"), piece.getString("request_id"));
      assertEquals(offset, piece.getInteger("offset"));
      offset += piece.getJsonArray("token_ids").size();
      text.append(piece.getString("text"));
    }
    assertEquals(SENTENCE, text.toString());
    assertEquals("stop", pieces.getLast().getString("finish_reason"));
  }

  private static ReplyException failure(JsonObject body) {
    ExecutionException failed =
        assertThrows(
            ExecutionException.class,
            () ->
                bed.vertx
                    .eventBus()
                    .request(Addresses.GENERATE, body)
                    .toCompletionStage()
                    .toCompletableFuture()
                    .get());
    return assertInstanceOf(ReplyException.class, failed.getCause());
  }
}
