package dev.flotilla.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.flotilla.protocol.Grammar;
import dev.flotilla.protocol.ToEngine;
import io.vertx.core.json.JsonObject;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tools over HTTP and the bus, with an engine that says what the test wants said. */
@Timeout(60)
class ToolRoutesTest {
  private static final String TOOLS =
      """
      "tools":[{"type":"function","function":{"name":"weather","description":"Now.",
      "parameters":{"type":"object","properties":{"city":{"type":"string"}}}}},
      {"type":"function","function":{"name":"now"}}]""";
  private static final String WEATHER =
      "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\"}}\n</tool_call>";
  private static final String NOW =
      "<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>";

  @TempDir private static Path model;

  private static FrontendBed bed;
  private static FakeEngine engine;
  private static volatile String says = "";

  @BeforeAll
  static void start() throws Exception {
    // The bundled model with a template that knows of tools.
    try (var files = Files.list(FrontendBed.MODEL)) {
      for (Path file : files.toList()) {
        if (file.toString().endsWith(".json")) {
          Files.copy(file, model.resolve(file.getFileName()));
        }
      }
    }
    Path templates = Path.of(System.getProperty("flotilla.basedir", "."));
    Files.copy(
        templates.resolve("src/test/resources/chat-templates/templates/qwen3.jinja"),
        model.resolve("chat_template.jinja"));
    bed = new FrontendBed(4096, new JsonObject().put("model", model.toString()));
    engine =
        bed.engine(
            0, (e, submit) -> FakeEngine.saying(FrontendBed.idsAndEnd(says)).submit(e, submit));
  }

  @AfterAll
  static void stop() {
    bed.close();
  }

  private static HttpResponse<String> chat(String fields) throws Exception {
    String messages = "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]";
    return bed.post("/v1/chat/completions", "{%s,%s}".formatted(messages, fields));
  }

  private static JsonNode choice(String fields) throws Exception {
    HttpResponse<String> response = chat(fields);
    assertEquals(200, response.statusCode(), response.body());
    return FrontendBed.json(response.body()).at("/choices/0");
  }

  private static ToEngine.Submit submitted() {
    return engine.submits.getLast();
  }

  private static String prompt() {
    return FrontendBed.TOKENIZER.decode(submitted().prompt(), false);
  }

  @Test
  void aWholeAnswerHoldsTheCalls() throws Exception {
    says = "Let me see.\n" + WEATHER + "\n" + NOW;
    JsonNode choice = choice(TOOLS);
    assertEquals("tool_calls", choice.get("finish_reason").asText());
    assertEquals("Let me see.\n", choice.at("/message/content").asText());
    JsonNode calls = choice.at("/message/tool_calls");
    assertEquals(2, calls.size());
    assertEquals("function", calls.at("/0/type").asText());
    assertEquals("weather", calls.at("/0/function/name").asText());
    assertEquals("{\"city\": \"Rome\"}", calls.at("/0/function/arguments").asText());
    assertEquals("{}", calls.at("/1/function/arguments").asText());
    assertTrue(calls.at("/0/id").asText().matches("call_[0-9a-f]{24}"));
    assertNotEquals(calls.at("/0/id"), calls.at("/1/id"));
    assertFalse(calls.get(0).has("index"));
    says = WEATHER;
    assertTrue(choice(TOOLS).at("/message/content").isNull());
  }

  @Test
  void anAnswerInWordsHasNoListOfCalls() throws Exception {
    says = "It is < 20 degrees.";
    JsonNode choice = choice(TOOLS);
    assertEquals("stop", choice.get("finish_reason").asText());
    assertEquals(says, choice.at("/message/content").asText());
    assertFalse(choice.get("message").has("tool_calls"));
    says = "<tool_call>\n{\"name\": 5}\n</tool_call>";
    JsonNode broken = choice(TOOLS);
    assertEquals(says, broken.at("/message/content").asText());
    assertEquals("stop", broken.get("finish_reason").asText());
    assertFalse(chat("\"stream\":true," + TOOLS).body().contains("tool_calls"));
  }

  @Test
  void withoutToolsOrByChoiceCallsAreText() throws Exception {
    says = WEATHER;
    assertEquals(says, choice("\"n\":1").at("/message/content").asText());
    assertFalse(prompt().contains("<tools>"));
    assertEquals(says, choice("\"tool_choice\":\"none\"," + TOOLS).at("/message/content").asText());
    assertEquals(says, choice("\"tools\":[]").at("/message/content").asText());
  }

  @Test
  void aStreamGivesNamesFirstAndThenArguments() throws Exception {
    says = "Look: " + WEATHER + "\n" + NOW;
    HttpResponse<String> response = chat("\"stream\":true,\"n\":2," + TOOLS);
    List<String> events = FrontendBed.events(response.body());
    assertEquals("[DONE]", events.getLast());
    for (int index = 0; index < 2; index++) {
      StringBuilder content = new StringBuilder();
      List<StringBuilder> arguments = new ArrayList<>();
      List<String> names = new ArrayList<>();
      String finish = "";
      for (String event : events.subList(0, events.size() - 1)) {
        JsonNode choice = FrontendBed.json(event).at("/choices/0");
        if (choice.get("index").asInt() != index) {
          continue;
        }
        content.append(choice.at("/delta/content").asText(""));
        JsonNode calls = choice.at("/delta/tool_calls");
        assertTrue(calls.isMissingNode() || !calls.isEmpty());
        for (JsonNode call : calls) {
          if (call.get("index").asInt() == names.size()) {
            assertTrue(call.get("id").asText().startsWith("call_"));
            assertEquals("function", call.get("type").asText());
            names.add(call.at("/function/name").asText());
            arguments.add(new StringBuilder());
          } else {
            assertFalse(call.has("id") || call.get("function").has("name"));
          }
          arguments.get(call.get("index").asInt()).append(call.at("/function/arguments").asText());
        }
        finish = choice.get("finish_reason").asText(finish);
      }
      assertEquals("Look: ", content.toString());
      assertEquals(List.of("weather", "now"), names);
      assertEquals("[{\"city\": \"Rome\"}, {}]", arguments.toString());
      assertEquals("tool_calls", finish);
    }
  }

  @Test
  void theTemplateGetsTheToolsAndTheCallsAsValues() throws Exception {
    says = "Warm.";
    String messages =
        """
        {"messages":[{"role":"user","content":"Rome?"},
         {"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function",
          "function":{"name":"weather","arguments":"{\\"city\\":\\"Rome\\"}"}}]},
         {"role":"tool","tool_call_id":"call_1","content":[{"type":"text","text":"22"}]}],"""
            + TOOLS
            + "}";
    HttpResponse<String> response = bed.post("/v1/chat/completions", messages);
    assertEquals(200, response.statusCode(), response.body());
    String prompt = prompt();
    assertTrue(
        prompt.contains("{\"type\": \"function\", \"function\": {\"name\": \"now\"}}\n</tools>"),
        prompt);
    assertTrue(
        prompt.contains(
            "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\"}}"),
        prompt);
    assertTrue(prompt.contains("<tool_response>\n22\n</tool_response>"), prompt);
    JsonNode tokens = FrontendBed.json(bed.post("/tokenize", messages).body());
    assertEquals(submitted().prompt().size(), tokens.get("count").asInt());
  }

  @Test
  void requiredAndNamedCallsAreForcedByAGrammar() throws Exception {
    says = NOW;
    JsonNode required = choice("\"tool_choice\":\"required\"," + TOOLS);
    assertEquals("tool_calls", required.get("finish_reason").asText());
    Grammar grammar = submitted().sampling().grammar();
    assertNotNull(grammar);
    assertEquals(Grammar.Kind.TOOL_CALLS, grammar.kind());
    JsonNode text = FrontendBed.json(grammar.text());
    assertEquals(2, text.get("tools").size());
    assertTrue(text.get("parallel").asBoolean());
    choice("\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"now\"}}," + TOOLS);
    Grammar named = submitted().sampling().grammar();
    assertNotNull(named);
    assertEquals("{\"tools\":[{\"name\":\"now\"}],\"parallel\":false}", named.text());
    choice(TOOLS);
    assertNull(submitted().sampling().grammar());
  }

  @Test
  void oneCallIsGivenIfParallelOnesAreNotWanted() throws Exception {
    says = WEATHER + NOW;
    JsonNode choice = choice("\"parallel_tool_calls\":false," + TOOLS);
    assertEquals(1, choice.at("/message/tool_calls").size());
  }

  @Test
  void stopStringsAndLimitsEndCallsToo() throws Exception {
    says = "Look: " + WEATHER;
    JsonNode stopped = choice("\"stop\":[\"Rome\"]," + TOOLS);
    assertEquals("stop", stopped.get("finish_reason").asText());
    assertEquals("Rome", stopped.get("stop_reason").asText());
    assertTrue(stopped.at("/message/content").asText().endsWith("{\"city\": \""));
    JsonNode cut = choice("\"max_tokens\":8," + TOOLS);
    assertEquals("length", cut.get("finish_reason").asText());
    assertFalse(cut.get("message").has("tool_calls"));
    JsonNode closing = choice("\"stop\":[\"</tool_call>\"]," + TOOLS);
    assertEquals("tool_calls", closing.get("finish_reason").asText());
    assertEquals(1, closing.at("/message/tool_calls").size());
  }

  @Test
  void theBusGivesCallsToo() throws Exception {
    says = "Look: " + WEATHER;
    JsonObject request =
        new JsonObject("{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]," + TOOLS + "}");
    JsonObject whole = await(request);
    JsonObject choice = whole.getJsonArray("choices").getJsonObject(0);
    assertEquals("tool_calls", choice.getString("finish_reason"));
    LinkedBlockingQueue<JsonObject> pieces = new LinkedBlockingQueue<>();
    bed.vertx.eventBus().<JsonObject>consumer("tools-here", m -> pieces.add(m.body()));
    assertNotNull(await(request.copy().put("reply_to", "tools-here")).getString("request_id"));
    StringBuilder text = new StringBuilder();
    StringBuilder arguments = new StringBuilder();
    String finish = null;
    while (finish == null) {
      JsonObject piece = pieces.poll(20, TimeUnit.SECONDS);
      assertNotNull(piece);
      text.append(piece.getString("text"));
      if (piece.containsKey("tool_calls")) {
        for (Object call : piece.getJsonArray("tool_calls")) {
          arguments.append(((JsonObject) call).getJsonObject("function").getString("arguments"));
        }
      }
      finish = piece.getString("finish_reason");
    }
    assertEquals("tool_calls", finish);
    assertEquals("Look: ", text.toString());
    assertEquals("{\"city\": \"Rome\"}", arguments.toString());
  }

  private static JsonObject await(JsonObject request) throws Exception {
    return bed.vertx
        .eventBus()
        .<JsonObject>request("flotilla.v1.generate", request)
        .toCompletionStage()
        .toCompletableFuture()
        .get(20, TimeUnit.SECONDS)
        .body();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"tools\":{} | tools | a list of tools",
        "\"tools\":[{\"type\":\"web\"}] | tools | tools[0].type must be function",
        "\"tools\":[{\"type\":\"function\"}] | tools | tools[0].function must be an object",
        "\"tools\":[{\"type\":\"function\",\"function\":{}}] | tools | tools[0].function.name",
        "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":1}}]"
            + " | tools | must be a JSON Schema",
        "\"tool_choice\":\"required\" | tools | must be given",
        "\"tool_choice\":\"some\" | tool_choice | none, auto, required",
        "\"tool_choice\":{\"type\":\"function\"} | tool_choice | none, auto, required",
        "\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}},\"tools\":"
            + "[{\"type\":\"function\",\"function\":{\"name\":\"g\"}}]"
            + " | tool_choice | none of the tools",
        "\"tool_choice\":\"required\",\"tools\":[{\"type\":\"function\",\"function\":"
            + "{\"name\":\"f\",\"parameters\":{\"type\":\"object\",\"not\":{}}}}] | tools | not",
        "\"tool_choice\":\"required\",\"response_format\":{\"type\":\"json_object\"},\"tools\":"
            + "[{\"type\":\"function\",\"function\":{\"name\":\"g\"}}]"
            + " | tool_choice | cannot both",
        "\"parallel_tool_calls\":1 | parallel_tool_calls | true or false",
      })
  void refusesWhatCannotBe(String fields, String param, String sentence) throws Exception {
    refused(chat(fields), param, sentence);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{} | messages[1].tool_calls | a list of calls",
        "[{}] | messages[1].tool_calls[0].function.name | must be a string",
        "[{\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}]"
            + " | messages[1].tool_calls[0].function.arguments | must hold JSON",
        "[{\"function\":{\"name\":\"f\",\"arguments\":[]}}]"
            + " | messages[1].tool_calls[0].function.arguments | a JSON object",
        "[] | messages[1].content | is missing",
      })
  void refusesCallsThatAreNone(String calls, String param, String sentence) throws Exception {
    refused(
        bed.post(
            "/v1/chat/completions",
            "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\","
                + "\"tool_calls\":%s}]}".formatted(calls)),
        param,
        sentence);
  }

  @Test
  void completionsTakeNoTools() throws Exception {
    refused(bed.post("/v1/completions", "{\"prompt\":\"a\"," + TOOLS + "}"), "tools", "chat");
  }

  private static void refused(HttpResponse<String> response, String param, String sentence)
      throws Exception {
    assertEquals(400, response.statusCode(), response.body());
    JsonNode error = FrontendBed.json(response.body()).get("error");
    assertEquals(param, error.get("param").asText(), response.body());
    assertTrue(error.get("message").asText().contains(sentence), response.body());
  }
}
