package dev.flotilla.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.Logprobs;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.protocol.TokenIds;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How fields of a request shape the answer: echo, log-probabilities, candidates, counts. */
@Timeout(60)
class AnswerFieldsTest {
  private static final String PROMPT = "The capital";
  private static final int OTHER = 9;
  private static final int CACHED = 16;

  private static FrontendBed bed;
  private static FakeEngine engine;

  @BeforeAll
  static void start() throws Exception {
    bed = new FrontendBed(1024, FrontendBed.settings());
    engine = bed.engine(0, AnswerFieldsTest::answer);
  }

  @AfterAll
  static void stop() {
    bed.close();
  }

  /** "Hi you", token by token; the probability falls with the distance of the seed from 2. */
  private static void answer(FakeEngine engine, ToEngine.Submit submit) {
    TokenIds ids = FrontendBed.ids("Hi you");
    float logprob = -0.5f - Math.abs(submit.sampling().seed() - 2);
    int last = Math.min(ids.size(), submit.sampling().maxTokens());
    for (int i = 0; i < last; i++) {
      boolean first = i == 0;
      engine.send(
          submit,
          new ToFrontend.Delta(
              submit.request(),
              submit.attempt(),
              i,
              ids.slice(i, i + 1),
              i + 1 == last ? FinishReason.LENGTH : null,
              -1,
              submit.sampling().logprobs() < 0 ? List.of() : List.of(at(ids.get(i), logprob)),
              first && submit.sampling().promptLogprobs() >= 0
                  ? ofPrompt(submit.prompt())
                  : List.of(),
              first ? CACHED : 0,
              null));
    }
  }

  private static Logprobs at(int token, float logprob) {
    Logprobs.Entry own = new Logprobs.Entry(token, logprob);
    return new Logprobs(own, List.of(own, new Logprobs.Entry(OTHER, -4)));
  }

  private static List<Logprobs> ofPrompt(TokenIds prompt) {
    List<Logprobs> all = new ArrayList<>();
    for (int i = 1; i < prompt.size(); i++) {
      Logprobs.Entry best = new Logprobs.Entry(OTHER, -0.25f);
      all.add(new Logprobs(new Logprobs.Entry(prompt.get(i), -3), List.of(best)));
    }
    return all;
  }

  @Test
  void echoesThePromptWithItsLogprobs() throws Exception {
    for (boolean stream : new boolean[] {false, true}) {
      String body =
          "{\"prompt\":\"%s\",\"max_tokens\":2,\"seed\":2,\"echo\":true,\"logprobs\":1,\"stream\":%s}"
              .formatted(PROMPT, stream);
      StringBuilder text = new StringBuilder();
      List<String> tokens = new ArrayList<>();
      List<Double> logprobs = new ArrayList<>();
      List<Integer> offsets = new ArrayList<>();
      for (JsonNode chunk : chunks("/v1/completions", body, stream)) {
        JsonNode choice = chunk.at("/choices/0");
        text.append(choice.path("text").asText());
        JsonNode at = choice.path("logprobs");
        at.path("tokens").forEach(t -> tokens.add(t.asText()));
        at.path("token_logprobs").forEach(l -> logprobs.add(l.asDouble(Double.NaN)));
        at.path("text_offset").forEach(o -> offsets.add(o.asInt()));
      }
      int prompt = FrontendBed.TOKENIZER.encode(PROMPT, true).size();
      assertEquals(prompt + 2, tokens.size());
      assertEquals(String.join("", tokens), text.toString());
      assertTrue(text.toString().startsWith(PROMPT));
      assertTrue(Double.isNaN(logprobs.getFirst()), "the first token has no log-probability");
      assertEquals(-3, logprobs.get(1));
      assertEquals(-0.5, logprobs.getLast());
      assertEquals(0, offsets.getFirst());
      assertEquals(text.length() - tokens.getLast().length(), offsets.getLast());
    }
  }

  @Test
  void scoresAPromptWithoutOutput() throws Exception {
    JsonNode json =
        post(
            "/v1/completions",
            "{\"prompt\":\"%s\",\"max_tokens\":0,\"echo\":true,\"logprobs\":0}".formatted(PROMPT));
    assertEquals(PROMPT, json.at("/choices/0/text").asText());
    int prompt = FrontendBed.TOKENIZER.encode(PROMPT, true).size();
    assertEquals(prompt, json.at("/choices/0/logprobs/tokens").size());
    assertTrue(json.at("/choices/0/logprobs/top_logprobs/0").isNull());
    assertEquals("length", json.at("/choices/0/finish_reason").asText());
    assertEquals(0, json.at("/usage/completion_tokens").asInt());
  }

  @Test
  void reportsThePromptsLogprobsInVllmsShape() throws Exception {
    JsonNode completion =
        post("/v1/completions", "{\"prompt\":\"%s\",\"prompt_logprobs\":1}".formatted(PROMPT))
            .at("/choices/0/prompt_logprobs");
    TokenIds ids = FrontendBed.TOKENIZER.encode(PROMPT, true);
    assertEquals(ids.size(), completion.size());
    assertTrue(completion.get(0).isNull());
    JsonNode best = completion.get(1).get(Integer.toString(OTHER));
    assertEquals(1, best.get("rank").asInt());
    assertEquals(-0.25, best.get("logprob").asDouble());
    JsonNode own = completion.get(1).get(Integer.toString(ids.get(1)));
    assertEquals(-3, own.get("logprob").asDouble());
    assertEquals(FrontendBed.TOKENIZER.piece(ids.get(1)), own.get("decoded_token").asText());
    JsonNode chat =
        post(
            "/v1/chat/completions",
            "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"prompt_logprobs\":0}");
    assertEquals(chat.at("/usage/prompt_tokens").asInt(), chat.get("prompt_logprobs").size());
    assertEquals(1, chat.get("prompt_logprobs").get(1).size());
    assertFalse(
        post("/v1/completions", "{\"prompt\":\"a\"}").at("/choices/0").has("prompt_logprobs"));
  }

  @Test
  void showsTheBestOfItsCandidatesBestFirst() throws Exception {
    engine.submits.clear();
    JsonNode json =
        post(
            "/v1/completions",
            """
            {"prompt":["a","b"],"n":2,"best_of":5,"seed":0,"max_tokens":2,"logprobs":0}""");
    assertEquals(10, engine.submits.size());
    JsonNode choices = json.get("choices");
    assertEquals(4, choices.size());
    for (int i = 0; i < 4; i++) {
      assertEquals(i, choices.get(i).get("index").asInt());
      double expected = i % 2 == 0 ? -0.5 : -1.5;
      assertEquals(expected, choices.get(i).at("/logprobs/token_logprobs/0").asDouble());
    }
    assertEquals(20, json.at("/usage/completion_tokens").asInt());
    JsonNode silent = post("/v1/completions", "{\"prompt\":\"a\",\"best_of\":3}");
    assertEquals(1, silent.get("choices").size());
    assertTrue(silent.at("/choices/0/logprobs").isNull());
  }

  @Test
  void alwaysReportsCachedTokens() throws Exception {
    String details = "/usage/prompt_tokens_details/cached_tokens";
    assertEquals(CACHED, post("/v1/completions", "{\"prompt\":\"a\",\"n\":2}").at(details).asInt());
    assertEquals(
        2 * CACHED, post("/v1/completions", "{\"prompt\":[\"a\",\"b\"]}").at(details).asInt());
    List<JsonNode> chunks =
        chunks(
            "/v1/chat/completions",
            """
            {"messages":[{"role":"user","content":"a"}],"stream":true,
             "stream_options":{"include_usage":true,"continuous_usage_stats":true}}""",
            true);
    assertEquals(CACHED, chunks.getLast().at(details).asInt());
    for (JsonNode chunk : chunks) {
      assertTrue(chunk.at("/usage/prompt_tokens").asInt() > 0, chunk.toString());
    }
  }

  @Test
  void namesTokensByTheirIds() throws Exception {
    JsonNode json =
        post(
            "/v1/completions",
            "{\"prompt\":\"a\",\"logprobs\":1,\"return_tokens_as_token_ids\":true}");
    assertEquals(
        "token_id:" + FrontendBed.ids("Hi you").get(0),
        json.at("/choices/0/logprobs/tokens/0").asText());
  }

  @Test
  void repeatsTheLastMessageOfTheSameSpeaker() throws Exception {
    JsonNode json =
        post(
            "/v1/chat/completions",
            """
            {"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"I say:"}],
             "continue_final_message":true,"echo":true}""");
    assertEquals("I say:Hi you", json.at("/choices/0/message/content").asText());
    JsonNode other =
        post(
            "/v1/chat/completions",
            "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"echo\":true}");
    assertEquals("Hi you", other.at("/choices/0/message/content").asText());
  }

  private static JsonNode post(String path, String body) throws Exception {
    return chunks(path, body, false).getFirst();
  }

  private static List<JsonNode> chunks(String path, String body, boolean stream) throws Exception {
    HttpResponse<String> response = bed.post(path, body);
    assertEquals(200, response.statusCode(), response.body());
    List<JsonNode> chunks = new ArrayList<>();
    for (String event : stream ? FrontendBed.events(response.body()) : List.of(response.body())) {
      if (!event.equals("[DONE]")) {
        chunks.add(FrontendBed.json(event));
      }
    }
    return chunks;
  }
}
