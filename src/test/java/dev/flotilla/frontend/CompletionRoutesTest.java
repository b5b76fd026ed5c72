package dev.flotilla.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.Logprobs;
import dev.flotilla.protocol.TokenIds;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What clients get from the two generating routes, with an engine that says a known sentence. */
@Timeout(60)
class CompletionRoutesTest {
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
  void answersACompletionWhole() throws Exception {
    HttpResponse<String> response =
        bed.post(
            "/v1/completions",
            "{\"model\":\"tiny-llama\",\"prompt\":\"Hello\",\"max_tokens\":100}",
            "X-Request-Id",
            "abc");
    assertEquals(200, response.statusCode(), response.body());
    assertEquals("abc", response.headers().firstValue("X-Request-Id").orElse(""));
    JsonNode json = FrontendBed.json(response.body());
    assertEquals("cmpl-abc", json.get("id").asText());
    assertEquals("text_completion", json.get("object").asText());
    assertEquals("tiny-llama", json.get("model").asText());
    assertEquals(SENTENCE, json.at("/choices/0/text").asText());
    assertEquals("stop", json.at("/choices/0/finish_reason").asText());
    int output = FrontendBed.idsAndEnd(SENTENCE).size();
    int prompt = FrontendBed.TOKENIZER.encode("Hello", true).size();
    assertEquals(output, json.at("/usage/completion_tokens").asInt());
    assertEquals(prompt, json.at("/usage/prompt_tokens").asInt());
    assertEquals(prompt + output, json.at("/usage/total_tokens").asInt());
  }

  @Test
  void streamsChatWithRoleFirstAndUsageLast() throws Exception {
    HttpResponse<String> response =
        bed.post(
            "/v1/chat/completions",
            """
            {"messages":[{"role":"user","content":"What is the capital of Kenya?"}],
             "stream":true,"stream_options":{"include_usage":true}}""");
    assertEquals(200, response.statusCode(), response.body());
    assertEquals(
        "text/event-stream; charset=utf-8",
        response.headers().firstValue("Content-Type").orElse(""));
    assertEquals("no-cache", response.headers().firstValue("Cache-Control").orElse(""));
    assertTrue(response.headers().firstValue("Content-Length").isEmpty());
    List<String> events = FrontendBed.events(response.body());
    assertEquals("[DONE]", events.getLast());
    List<JsonNode> chunks = new ArrayList<>();
    for (String event : events.subList(0, events.size() - 1)) {
      chunks.add(FrontendBed.json(event));
    }
    StringBuilder text = new StringBuilder();
    for (JsonNode chunk : chunks) {
      assertEquals(chunks.getFirst().get("id"), chunk.get("id"));
      assertEquals("chat.completion.chunk", chunk.get("object").asText());
      assertTrue(chunk.get("created").asLong() > 1_600_000_000L);
      text.append(chunk.at("/choices/0/delta/content").asText(""));
    }
    assertTrue(chunks.getFirst().get("id").asText().startsWith("chatcmpl-"));
    assertEquals("assistant", chunks.getFirst().at("/choices/0/delta/role").asText());
    assertEquals(SENTENCE, text.toString());
    JsonNode usage = chunks.getLast();
    assertEquals(0, usage.get("choices").size());
    assertEquals(
        FrontendBed.idsAndEnd(SENTENCE).size(), usage.at("/usage/completion_tokens").asInt());
    JsonNode last = chunks.get(chunks.size() - 2);
    assertEquals("stop", last.at("/choices/0/finish_reason").asText());
    for (JsonNode chunk : chunks.subList(0, chunks.size() - 2)) {
      assertTrue(chunk.at("/choices/0/finish_reason").isNull());
      assertTrue(chunk.has("usage") && chunk.get("usage").isNull());
    }
  }

  @Test
  void rendersTheChatTemplateAndItsSpecialTokensOnce() throws Exception {
    engine.submits.clear();
    bed.post(
        "/v1/chat/completions",
        """
        {"messages":[{"role":"system","content":"Be brief."},
          {"role":"user","content":[{"type":"text","text":"Hi"}]}],"max_completion_tokens":3}""");
    String prompt = FrontendBed.TOKENIZER.decode(engine.submits.getFirst().prompt(), false);
    assertEquals(
        "<|begin_of_text|><|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
            + "<|im_start|>assistant\n",
        prompt);
    assertEquals(3, engine.submits.getFirst().sampling().maxTokens());
  }

  @Test
  void takesPromptsInAllFourForms() throws Exception {
    assertEquals(1, choices("{\"prompt\":\"a\"}").size());
    assertEquals(2, choices("{\"prompt\":[\"a\",\"b\"]}").size());
    assertEquals(1, choices("{\"prompt\":[5,6,7]}").size());
    assertEquals(2, choices("{\"prompt\":[[5,6],[7]]}").size());
    JsonNode four = choices("{\"prompt\":[\"a\",\"b\"],\"n\":2,\"seed\":7}");
    assertEquals(4, four.size());
    for (int i = 0; i < 4; i++) {
      assertEquals(i, four.get(i).get("index").asInt());
    }
  }

  @Test
  void passesSamplingOn() throws Exception {
    engine.submits.clear();
    choices(
        """
        {"prompt":"a","max_tokens":9,"temperature":0.5,"top_p":0.9,"top_k":-1,"min_p":0.1,
         "seed":-3,"stop_token_ids":[4],"min_tokens":2,"ignore_eos":true,"logprobs":2,"n":2}""");
    var first = engine.submits.getFirst().sampling();
    assertEquals(0.5f, first.temperature());
    assertEquals(0.9f, first.topP());
    assertEquals(0, first.topK());
    assertEquals(0.1f, first.minP());
    assertEquals(-3, first.seed());
    assertEquals(TokenIds.of(4), first.stopIds());
    assertEquals(2, first.minTokens());
    assertTrue(first.ignoreEos());
    assertEquals(2, first.logprobs());
    assertEquals(-2, engine.submits.get(1).sampling().seed());
    engine.submits.clear();
    choices("{\"prompt\":\"a\"}");
    assertEquals(16, engine.submits.getFirst().sampling().maxTokens());
    assertEquals(1f, engine.submits.getFirst().sampling().temperature());
  }

  @Test
  void cutsAtStopStringsAcrossTokens() throws Exception {
    for (boolean stream : new boolean[] {false, true}) {
      String body =
          "{\"prompt\":\"a\",\"max_tokens\":50,\"stop\":[\"never\",\"nya is N\"],\"stream\":%s}"
              .formatted(stream);
      HttpResponse<String> response = bed.post("/v1/completions", body);
      StringBuilder text = new StringBuilder();
      JsonNode last = Fields.MAPPER.createObjectNode();
      for (String event : stream ? FrontendBed.events(response.body()) : List.of(response.body())) {
        if (!event.equals("[DONE]")) {
          last = FrontendBed.json(event).at("/choices/0");
          text.append(last.get("text").asText());
        }
      }
      assertEquals("The capital of Ke", text.toString());
      assertEquals("stop", last.get("finish_reason").asText());
      assertEquals("nya is N", last.get("stop_reason").asText());
    }
    JsonNode with =
        choices(
            """
            {"prompt":"a","max_tokens":50,"stop":"Kenya","include_stop_str_in_output":true}""");
    assertEquals("The capital of Kenya", with.at("/0/text").asText());
  }

  @Test
  void echoesThePromptAndReturnsIds() throws Exception {
    JsonNode choice =
        choices(
                """
                {"prompt":"Hello","max_tokens":2,"echo":true,"return_token_ids":true}""")
            .get(0);
    String two = FrontendBed.TOKENIZER.decode(FrontendBed.ids(SENTENCE).slice(0, 2), true);
    assertEquals("Hello" + two, choice.get("text").asText());
    assertEquals("length", choice.get("finish_reason").asText());
    assertEquals(2, choice.get("token_ids").size());
    assertEquals(
        FrontendBed.TOKENIZER.encode("Hello", true).size(), choice.get("prompt_token_ids").size());
  }

  @Test
  void reportsLogprobsInBothShapes() throws Exception {
    FakeEngine.Script script =
        (e, submit) -> {
          TokenIds ids = FrontendBed.ids("Hi you");
          List<Logprobs> logprobs = new ArrayList<>();
          for (int i = 0; i < ids.size(); i++) {
            Logprobs.Entry own = new Logprobs.Entry(ids.get(i), -0.5f);
            logprobs.add(new Logprobs(own, List.of(own, new Logprobs.Entry(9, -2f))));
          }
          e.send(submit, FakeEngine.delta(submit, 0, ids, FinishReason.LENGTH, -1, logprobs));
        };
    try (FrontendBed other = new FrontendBed(1024, FrontendBed.settings())) {
      other.engine(0, script);
      JsonNode text =
          FrontendBed.json(
                  other.post("/v1/completions", "{\"prompt\":\"a\",\"logprobs\":2}").body())
              .at("/choices/0/logprobs");
      int count = FrontendBed.ids("Hi you").size();
      for (String list : List.of("tokens", "token_logprobs", "top_logprobs", "text_offset")) {
        assertEquals(count, text.get(list).size(), list);
      }
      assertEquals(-0.5, text.at("/token_logprobs/0").asDouble());
      assertEquals(2, text.at("/top_logprobs/0").size());
      assertEquals(0, text.at("/text_offset/0").asInt());
      JsonNode chat =
          FrontendBed.json(
                  other
                      .post(
                          "/v1/chat/completions",
                          """
                          {"messages":[{"role":"user","content":"a"}],"logprobs":true,
                           "top_logprobs":1}""")
                      .body())
              .at("/choices/0/logprobs/content");
      assertEquals(count, chat.size());
      assertEquals(1, chat.at("/0/top_logprobs").size());
      assertEquals(
          "H".getBytes(java.nio.charset.StandardCharsets.UTF_8)[0], chat.at("/0/bytes/0").asInt());
    }
  }

  @Test
  void streamsToTheJdkClientsOwnUpgrade() throws Exception {
    try (HttpClient upgrading =
        HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build()) {
      HttpRequest request =
          bed.request("/v1/completions")
              .POST(
                  HttpRequest.BodyPublishers.ofString(
                      "{\"prompt\":\"a\",\"max_tokens\":50,\"stream\":true}"))
              .build();
      for (int i = 0; i < 2; i++) {
        HttpResponse<String> response =
            upgrading.send(request, HttpResponse.BodyHandlers.ofString());
        assertEquals(200, response.statusCode());
        assertEquals(HttpClient.Version.HTTP_2, response.version());
        assertTrue(response.body().endsWith("data: [DONE]\n\n"));
      }
    }
  }

  @Test
  void takesLongBodiesAfterExpectContinue() throws Exception {
    String prompt = "word ".repeat(100_000);
    HttpRequest request =
        bed.request("/v1/completions")
            .expectContinue(true)
            .POST(HttpRequest.BodyPublishers.ofString("{\"prompt\":\"" + prompt + "\"}"))
            .build();
    HttpResponse<String> response = bed.send(request);
    assertEquals(400, response.statusCode());
    assertTrue(response.body().contains("maximum context length is 1024 tokens"), response.body());
  }

  @Test
  void serves64StreamsAtOnce() throws Exception {
    HttpRequest request =
        bed.request("/v1/completions")
            .POST(
                HttpRequest.BodyPublishers.ofString(
                    "{\"prompt\":\"a\",\"max_tokens\":50,\"stream\":true}"))
            .build();
    List<CompletableFuture<HttpResponse<String>>> all = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      all.add(bed.client.sendAsync(request, HttpResponse.BodyHandlers.ofString()));
    }
    for (CompletableFuture<HttpResponse<String>> one : all) {
      StringBuilder text = new StringBuilder();
      List<String> events = FrontendBed.events(one.get().body());
      for (String event : events.subList(0, events.size() - 1)) {
        text.append(FrontendBed.json(event).at("/choices/0/text").asText());
      }
      assertEquals(SENTENCE, text.toString());
    }
    assertEquals(0, bed.get("/load").get("server_load").asInt());
    assertFalse(engine.running.iterator().hasNext());
  }

  private static JsonNode choices(String body) throws Exception {
    HttpResponse<String> response = bed.post("/v1/completions", body);
    assertEquals(200, response.statusCode(), response.body());
    return FrontendBed.json(response.body()).get("choices");
  }
}
