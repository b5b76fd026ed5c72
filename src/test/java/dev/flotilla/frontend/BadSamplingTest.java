package dev.flotilla.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every sampling field out of its range is a 400 that names it, in both generating routes. */
@Timeout(60)
class BadSamplingTest {
  private static FrontendBed bed;

  @BeforeAll
  static void start() throws Exception {
    bed = new FrontendBed(64, FrontendBed.settings());
    bed.engine(0, FakeEngine.saying(FrontendBed.idsAndEnd("Hi.")));
  }

  @AfterAll
  static void stop() {
    bed.close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "temperature            | -0.1                | must be 0 to 2",
        "top_p                  | 1.1                 | must be 0 to 1",
        "top_p                  | 0                   | must be above 0",
        "top_k                  | -2                  | must be at least -1",
        "min_p                  | -0.1                | must be 0 to 1",
        "min_p                  | 1.5                 | must be 0 to 1",
        "repetition_penalty     | 0                   | must be above 0",
        "repetition_penalty     | -1                  | must be above 0",
        "repetition_penalty     | \"a\"               | must be a number",
        "presence_penalty       | 2.1                 | must be -2 to 2",
        "presence_penalty       | -2.1                | must be -2 to 2",
        "frequency_penalty      | 3                   | must be -2 to 2",
        "frequency_penalty      | true                | must be a number",
        "logit_bias             | [1]                 | must be an object",
        "logit_bias             | {\"a\":1}           | must name token ids from 0 to 4095, not a",
        "logit_bias             | {\"4096\":1}        | must name token ids from 0 to 4095, not 4096",
        "logit_bias             | {\"1\":\"x\"}       | must be numbers by token id",
        "bad_words              | [\"\"]              | must not be empty",
        "bad_words              | {}                  | must be a string or a list of strings",
        "allowed_token_ids      | []                  | must hold at least one token id",
        "allowed_token_ids      | [4096]              | from 0 to 4095",
        "stop_token_ids         | [-1]                | from 0 to 4095",
        "min_tokens             | -1                  | must be at least 0",
        "min_tokens             | 64                  | must be at most the",
        "max_tokens             | 0                   | must be at least 1",
        "ignore_eos             | 1                   | must be true or false",
        "stop                   | [\"\"]              | must have 1 to 4096 characters",
        "include_stop_str_in_output | \"no\"          | must be true or false",
        "skip_special_tokens    | 0                   | must be true or false",
        "seed                   | 1.5                 | must be an integer",
        "n                      | 129                 | must be 1 to 128",
        "prompt_logprobs        | 21                  | must be 0 to 20",
        "prompt_logprobs        | -1                  | must be 0 to 20",
        "echo                   | \"yes\"             | must be true or false",
        "return_token_ids       | \"yes\"             | must be true or false",
        "truncate_prompt_tokens | 0                   | must be -1 or at least 1",
        "truncate_prompt_tokens | -2                  | must be at least -1",
        "truncate_prompt_tokens | 65                  | at most the model's 64 tokens",
        "priority               | 1.5                 | must be an integer",
        "cache_salt             | \"\"                | must have 1 to 1024 characters",
        "cache_salt             | 5                   | must be a string",
        "stream_options         | {}                  | needs stream to be true",
        "use_beam_search        | true                | not supported",
        "logits_processors      | [\"a\"]             | not supported",
        "response_format        | \"json\"            | must be an object",
        "response_format        | {}                  | must be text, json_object or json_schema",
        "response_format        | {\"type\":\"xml\"}  | not xml",
        "response_format        | {\"type\":\"json_schema\"} | needs json_schema",
        "structured_outputs     | {}                  | must hold one of json, regex, choice",
        "structured_outputs     | {\"regex\":5}       | must be a regular expression",
        "structured_outputs     | {\"choice\":[]}     | a list of one choice or more",
        "structured_outputs     | {\"json\":\"{\"}    | is not JSON",
        "structured_outputs     | {\"grammar\":\"a\"} | grammar is not supported",
        "structured_outputs     | {\"regex\":\"a\",\"choice\":[\"b\"]} | one constraint only",
        "structured_outputs     | {\"regex\":\"(a\"}  | regex",
        "response_format        | {\"type\":\"json_schema\",\"json_schema\":{\"name\":\"a\","
            + "\"schema\":{\"type\":\"array\",\"uniqueItems\":true}}} | uniqueItems",
        "guided_json            | {\"not\":{}}        | not",
        "guided_json            | 5                   | must be a JSON Schema",
        "guided_choice          | \"a\"               | a list of one choice or more",
        "guided_grammar         | \"a\"               | not supported",
      })
  void refusesWhatIsOutOfRange(String field, String value, String sentence) throws Exception {
    String rest = "\"%s\":%s}".formatted(field, value);
    refused(bed.post("/v1/completions", "{\"prompt\":\"a\"," + rest), field, sentence);
    refused(
        bed.post(
            "/v1/chat/completions",
            "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]," + rest),
        field,
        sentence);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "best_of         | \"best_of\":0                        | must be 1 to 128",
        "best_of         | \"best_of\":2,\"n\":3                | must be at least n, 3, not 2",
        "best_of         | \"best_of\":2,\"stream\":true        | cannot be streamed",
        "prompt_logprobs | \"prompt_logprobs\":1,\"stream\":true | not available when stream",
        "guided_regex    | \"guided_regex\":\"a\",\"response_format\":{\"type\":\"json_object\"}"
            + " | response_format and guided_regex cannot both",
      })
  void refusesWhatDoesNotGoTogether(String field, String rest, String sentence) throws Exception {
    refused(bed.post("/v1/completions", "{\"prompt\":\"a\"," + rest + "}"), field, sentence);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"continue_final_message\":true,"
            + "\"add_generation_prompt\":true",
        "\"messages\":[{\"role\":\"assistant\",\"content\":\"\"}],\"continue_final_message\":true",
      })
  void refusesToContinueWhatCannotBe(String fields) throws Exception {
    HttpResponse<String> response = bed.post("/v1/chat/completions", "{" + fields + "}");
    refused(response, "continue_final_message", "continue_final_message");
  }

  private static void refused(HttpResponse<String> response, String param, String sentence)
      throws Exception {
    assertEquals(400, response.statusCode(), response.body());
    JsonNode error = FrontendBed.json(response.body()).get("error");
    assertTrue(error.get("message").asText().contains(sentence), response.body());
    assertEquals(param, error.get("param").asText());
  }
}
