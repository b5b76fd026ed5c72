package dev.flotilla.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.protocol.Grammar;
import dev.flotilla.protocol.Penalties;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.TokenIds;
import dev.flotilla.protocol.TokenRules;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a request's fields become in the message to the engine. */
@Timeout(60)
class SamplingFieldsTest {
  private static FrontendBed bed;
  private static FakeEngine engine;

  @BeforeAll
  static void start() throws Exception {
    bed = new FrontendBed(64, FrontendBed.settings());
    engine = bed.engine(0, FakeEngine.saying(FrontendBed.idsAndEnd("Hi.")));
  }

  @AfterAll
  static void stop() {
    bed.close();
  }

  @Test
  void passesPenaltiesAndRulesOn() throws Exception {
    Sampling sampling =
        complete(
                """
                "repetition_penalty":1.2,"presence_penalty":-2,"frequency_penalty":0.5,
                "logit_bias":{"7":-1000,"9":2.5},"allowed_token_ids":[7,9,11]""")
            .sampling();
    assertEquals(new Penalties(1.2f, -2, 0.5f), sampling.penalties());
    assertEquals(
        new TokenRules(TokenIds.of(7, 9), List.of(-100f, 2.5f), TokenIds.of(7, 9, 11), List.of()),
        sampling.rules());
  }

  @Test
  void leavesOutWhatChangesNothing() throws Exception {
    Sampling sampling =
        complete(
                """
                "repetition_penalty":1,"presence_penalty":0,"frequency_penalty":0,"logit_bias":{},
                "bad_words":[],"top_k":-1,"min_p":0,"response_format":{"type":"text"},"best_of":1,
                "suffix":null,"user":"me","metadata":{"a":"b"},"store":true,"service_tier":"auto","n":1""")
            .sampling();
    assertTrue(sampling.penalties().neutral());
    assertEquals(TokenRules.NONE, sampling.rules());
    assertEquals(0, sampling.topK());
    assertNull(sampling.grammar());
    assertEquals(-1, sampling.logprobs());
    assertEquals(-1, sampling.promptLogprobs());
  }

  @Test
  void forbidsBadWordsAtTheStartAndBehindASpace() throws Exception {
    List<TokenIds> words = complete("\"bad_words\":[\" Kenya\"]").sampling().rules().badWords();
    assertEquals(FrontendBed.ids("Kenya"), words.getFirst());
    TokenIds spaced = FrontendBed.ids(" Kenya");
    boolean further =
        spaced.size() == words.getFirst().size() && spaced.get(0) != words.getFirst().get(0);
    assertEquals(further ? List.of(words.getFirst(), spaced) : List.of(words.getFirst()), words);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"response_format\":{\"type\":\"json_object\"} | JSON_OBJECT | ''",
        "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"a\",\"schema\":"
            + "{\"type\":\"integer\"}}} | JSON_SCHEMA | {\"type\":\"integer\"}",
        "\"structured_outputs\":{\"json\":\"{\\\"type\\\": \\\"null\\\"}\"}"
            + " | JSON_SCHEMA | {\"type\":\"null\"}",
        "\"structured_outputs\":{\"json_object\":true} | JSON_OBJECT | ''",
        "\"structured_outputs\":{\"regex\":\"[ab]+\"} | REGEX | [ab]+",
        "\"structured_outputs\":{\"choice\":[\"yes\",\"no\"]} | CHOICE | [\"yes\",\"no\"]",
        "\"guided_json\":{\"type\":\"integer\"} | JSON_SCHEMA | {\"type\":\"integer\"}",
        "\"guided_regex\":\"a?b\" | REGEX | a?b",
        "\"guided_choice\":[\"x\"] | CHOICE | [\"x\"]",
      })
  void makesGrammarsOfAllTheNames(String field, Grammar.Kind kind, String text) throws Exception {
    assertEquals(new Grammar(kind, text), complete(field).sampling().grammar());
  }

  @Test
  void passesPriorityAndSaltOn() throws Exception {
    ToEngine.Submit submit = complete("\"priority\":-7,\"cache_salt\":\"tenant\"");
    assertEquals(-7, submit.priority());
    assertEquals("tenant", submit.cacheSalt());
    ToEngine.Submit none = complete("\"n\":1");
    assertEquals(0, none.priority());
    assertEquals("", none.cacheSalt());
  }

  @Test
  void asksForLogprobsOfThePrompt() throws Exception {
    assertEquals(3, complete("\"prompt_logprobs\":3").sampling().promptLogprobs());
    Sampling echoed = complete("\"echo\":true,\"logprobs\":2").sampling();
    assertEquals(2, echoed.logprobs());
    assertEquals(2, echoed.promptLogprobs());
    assertEquals(-1, complete("\"echo\":true").sampling().promptLogprobs());
  }

  @Test
  void truncatesPromptsAtTheirBeginning() throws Exception {
    String ten = "\"prompt\":[1,2,3,4,5,6,7,8,9,10],";
    assertEquals(
        TokenIds.of(8, 9, 10), submit("{" + ten + "\"truncate_prompt_tokens\":3}").prompt());
    assertEquals(10, submit("{" + ten + "\"truncate_prompt_tokens\":30}").prompt().size());
    String hundred = "\"prompt\":[%s1],\"max_tokens\":14,".formatted("2,".repeat(99));
    ToEngine.Submit most = submit("{" + hundred + "\"truncate_prompt_tokens\":-1}");
    assertEquals(50, most.prompt().size());
    assertEquals(14, most.sampling().maxTokens());
  }

  @Test
  void givesTheNewerLimitPreference() throws Exception {
    assertEquals(5, chat("\"max_tokens\":9,\"max_completion_tokens\":5").sampling().maxTokens());
    assertEquals(9, chat("\"max_tokens\":9").sampling().maxTokens());
  }

  @Test
  void continuesTheFinalMessage() throws Exception {
    String messages =
        """
        {"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"I am "}],
         "max_tokens":3,"continue_final_message":true%s}""";
    TokenIds prompt = chatBody(messages.formatted("")).prompt();
    String text = FrontendBed.TOKENIZER.decode(prompt, false);
    assertTrue(text.endsWith("I am") || text.endsWith("I am "), text);
    assertEquals(prompt, chatBody(messages.formatted(",\"add_generation_prompt\":false")).prompt());
  }

  @Test
  void beginsNoTurnIfAskedNotTo() throws Exception {
    String with = FrontendBed.TOKENIZER.decode(chat("\"n\":1").prompt(), false);
    String without =
        FrontendBed.TOKENIZER.decode(chat("\"add_generation_prompt\":false").prompt(), false);
    assertTrue(with.startsWith(without) && with.length() > without.length(), with);
  }

  private static ToEngine.Submit complete(String fields) throws Exception {
    return submit("{\"prompt\":\"a\"," + fields + "}");
  }

  private static ToEngine.Submit submit(String body) throws Exception {
    return send("/v1/completions", body);
  }

  private static ToEngine.Submit chat(String fields) throws Exception {
    return chatBody("{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]," + fields + "}");
  }

  private static ToEngine.Submit chatBody(String body) throws Exception {
    return send("/v1/chat/completions", body);
  }

  private static ToEngine.Submit send(String path, String body) throws Exception {
    engine.submits.clear();
    HttpResponse<String> response = bed.post(path, body);
    assertEquals(200, response.statusCode(), response.body());
    return engine.submits.getFirst();
  }
}
