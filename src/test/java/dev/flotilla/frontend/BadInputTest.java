package dev.flotilla.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.flotilla.Scenario;
import io.vertx.core.json.JsonObject;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every bad request has its status, a sentence, and the field at fault. */
@Timeout(60)
class BadInputTest {
  private static FrontendBed bed;

  @BeforeAll
  static void start() throws Exception {
    bed =
        new FrontendBed(
            64,
            new JsonObject()
                .put("max-body-bytes", 100_000)
                .put("api-key", FrontendBed.list("secret", "other")));
    bed.engine(0, FakeEngine.saying(FrontendBed.idsAndEnd("Hi.")));
  }

  @AfterAll
  static void stop() {
    bed.close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "-",
      value = {
        "{\"prompt\":                                | 400 | -          | is not JSON",
        "[1]                                         | 400 | -          | must be a JSON object",
        "{}                                          | 400 | prompt     | prompt is missing",
        "{\"prompt\":\"\"}                           | 400 | prompt     | must not be empty",
        "{\"prompt\":[]}                             | 400 | prompt     | must not be empty",
        "{\"prompt\":5}                              | 400 | prompt     | not the number 5",
        "{\"prompt\":[1,\"a\"]}                      | 400 | prompt[1]  | must be a token id",
        "{\"prompt\":[4096]}                         | 400 | prompt     | from 0 to 4095",
        "{\"prompt\":\"a\",\"model\":\"gpt\"}        | 404 | model      | does not exist",
        "{\"prompt\":\"a\",\"max_tokens\":0}         | 400 | max_tokens | must be at least 1",
        "{\"prompt\":\"a\",\"max_tokens\":1.5}       | 400 | max_tokens | must be an integer",
        "{\"prompt\":\"a\",\"max_tokens\":\"9\"}     | 400 | max_tokens | not a string",
        "{\"prompt\":\"a\",\"max_tokens\":64}        | 400 | max_tokens | (64 > 64 - 1)",
        "{\"prompt\":\"a\",\"temperature\":-1}       | 400 | temperature | 0 to 2",
        "{\"prompt\":\"a\",\"temperature\":1e9}      | 400 | temperature | 0 to 2",
        "{\"prompt\":\"a\",\"top_p\":0}              | 400 | top_p      | above 0",
        "{\"prompt\":\"a\",\"top_k\":-2}             | 400 | top_k      | at least -1",
        "{\"prompt\":\"a\",\"n\":0}                  | 400 | n          | 1 to 128",
        "{\"prompt\":\"a\",\"seed\":99999999999999999999} | 400 | seed  | 64 bits",
        "{\"prompt\":\"a\",\"stop\":[1]}             | 400 | stop[0]    | must be a string",
        "{\"prompt\":\"a\",\"stop\":\"\"}            | 400 | stop       | 1 to 4096",
        "{\"prompt\":\"a\",\"stream\":\"yes\"}       | 400 | stream     | true or false",
        "{\"prompt\":\"a\",\"logprobs\":21}          | 400 | logprobs   | 0 to 20",
        "{\"prompt\":\"a\",\"min_tokens\":17}        | 400 | min_tokens | at most the 16",
        "{\"prompt\":\"a\",\"logit_bias\":{\"1\":5}} | 400 | logit_bias | not supported yet",
        "{\"prompt\":\"a\",\"presence_penalty\":1}   | 400 | presence_penalty | not supported",
        "{\"prompt\":\"a\",\"best_of\":3}            | 400 | best_of    | not supported yet",
        "{\"prompt\":\"a\",\"stream_options\":{}}    | 400 | stream_options | needs stream",
      })
  @Scenario("A64")
  void refusesCompletions(String body, int status, String param, String sentence) throws Exception {
    refused(post("/v1/completions", body), status, param, sentence);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "-",
      value = {
        "{}                        | messages | missing",
        "{\"messages\":[]}         | messages | must not be empty",
        "{\"messages\":[{}]}       | messages[0].role | must be a string",
        "{\"messages\":[{\"role\":\"user\"}]} | messages[0].content | missing",
        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]}"
            + " | messages[0].content | reads text only",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"tools\":[{}]}"
            + " | tools | not supported yet",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],"
            + "\"response_format\":{\"type\":\"json_object\"}} | response_format | not supported",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"top_logprobs\":2}"
            + " | top_logprobs | needs logprobs",
      })
  void refusesChats(String body, String param, String sentence) throws Exception {
    refused(post("/v1/chat/completions", body), 400, param, sentence);
  }

  @Test
  void acceptsWhatIsOnlyInformation() throws Exception {
    HttpResponse<String> response =
        post(
            "/v1/completions",
            """
            {"prompt":"a","user":"me","metadata":{"a":"b"},"store":true,"presence_penalty":0,
             "repetition_penalty":1.0,"logit_bias":{},"best_of":1,"suffix":null,"n":null}""");
    assertEquals(200, response.statusCode(), response.body());
  }

  @Test
  void refusesAPromptLongerThanTheModelsLength() throws Exception {
    String body = "{\"prompt\":\"" + "word ".repeat(300) + "\"}";
    refused(post("/v1/completions", body), 400, "prompt", "maximum context length is 64 tokens");
  }

  @Test
  void refusesABodyOverTheLimit() throws Exception {
    HttpResponse<String> response =
        post("/v1/completions", "{\"prompt\":\"" + "a".repeat(200_000) + "\"}");
    refused(response, 413, null, "larger than 100000 bytes");
  }

  @Test
  void refusesUnknownRoutesAndMethods() throws Exception {
    refused(post("/v1/nothing", "{}"), 404, null, "no route /v1/nothing");
    HttpRequest get =
        bed.request("/v1/completions").header("Authorization", "Bearer secret").GET().build();
    refused(bed.send(get), 405, null, "does not take GET");
  }

  @Test
  void asksForAKeyWhereOneIsSet() throws Exception {
    HttpResponse<String> none = bed.post("/v1/completions", "{\"prompt\":\"a\"}");
    assertEquals(401, none.statusCode());
    assertEquals("invalid_api_key", FrontendBed.json(none.body()).at("/error/code").asText());
    HttpResponse<String> wrong =
        bed.post("/tokenize", "{\"prompt\":\"a\"}", "Authorization", "Bearer secre");
    assertEquals(401, wrong.statusCode());
    HttpResponse<String> second =
        bed.post("/tokenize", "{\"prompt\":\"a\"}", "Authorization", "bearer other");
    assertEquals(200, second.statusCode());
    assertEquals(200, bed.send(bed.request("/health").build()).statusCode());
  }

  @Test
  void honoursTheRankOrSaysWhyNot() throws Exception {
    String body = "{\"prompt\":\"a\"}";
    refused(rank(body, "7"), 400, "X-data-parallel-rank", "must be 0 to 1, not 7");
    refused(rank(body, "x"), 400, "X-data-parallel-rank", "must be a number");
    HttpResponse<String> down = rank(body, "1");
    refused(down, 503, null, "engine 1 does not serve now");
    assertEquals("1", down.headers().firstValue("Retry-After").orElse(""));
    assertEquals(200, rank(body, "0").statusCode());
  }

  private static HttpResponse<String> rank(String body, String rank) throws Exception {
    return bed.post(
        "/v1/completions", body, "Authorization", "Bearer secret", "X-data-parallel-rank", rank);
  }

  private static HttpResponse<String> post(String path, String body) throws Exception {
    return bed.post(path, body, "Authorization", "Bearer secret");
  }

  private static void refused(
      HttpResponse<String> response,
      int status,
      @org.jspecify.annotations.Nullable String param,
      String sentence)
      throws Exception {
    assertEquals(status, response.statusCode(), response.body());
    JsonNode error = FrontendBed.json(response.body()).get("error");
    assertTrue(error.get("message").asText().contains(sentence), response.body());
    assertFalse(error.get("type").asText().isEmpty());
    assertEquals(param, error.get("param").isNull() ? null : error.get("param").asText());
    assertTrue(error.has("code"));
  }
}
