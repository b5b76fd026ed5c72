package dev.flotilla;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Bounded queues over HTTP, with real engines of the scripted kind. */
@Timeout(120)
class AdmissionTest {
  private static final int BURST = 40;

  /** Bodies that are made from their number, so that no prefix cache holds what they ask. */
  private static List<HttpResponse<String>> burst(LocalServe serve, IntFunction<String> body)
      throws Exception {
    List<CompletableFuture<HttpResponse<String>>> sent = new ArrayList<>();
    for (int i = 0; i < BURST; i++) {
      sent.add(
          FlotillaProcess.HTTP.sendAsync(
              FlotillaProcess.postRequest(serve.base(), "/v1/completions", body.apply(i)),
              BodyHandlers.ofString()));
    }
    List<HttpResponse<String>> answers = new ArrayList<>();
    for (CompletableFuture<HttpResponse<String>> one : sent) {
      answers.add(one.get());
    }
    return answers;
  }

  private static void assertBounded(List<HttpResponse<String>> answers, int least, int most)
      throws Exception {
    int served = 0;
    for (HttpResponse<String> answer : answers) {
      if (answer.statusCode() == 200) {
        served++;
      } else {
        assertEquals(429, answer.statusCode(), answer.body());
        int seconds = Integer.parseInt(answer.headers().firstValue("Retry-After").orElse(""));
        assertTrue(seconds >= 1 && seconds <= 60, "Retry-After: " + seconds);
        assertEquals(
            "rate_limit_error",
            FlotillaProcess.json(answer.body()).at("/error/type").asText(),
            answer.body());
      }
    }
    assertTrue(served >= least && served <= most, served + " of " + BURST + " served");
  }

  @Test
  void aBurstBeyondTheRequestsThatMayBeUnderWayIsRefused() throws Exception {
    try (LocalServe serve = serve("--max-num-queued-reqs", "8")) {
      String body = "{\"prompt\":\"a\",\"max_tokens\":60,\"ignore_eos\":true}";
      assertBounded(burst(serve, i -> body), 8, BURST - 1);
      assertEquals(200, FlotillaProcess.post(serve.base(), "/v1/completions", body).statusCode());
    }
  }

  @Test
  void aBurstBeyondThePromptTokensThatMayWaitIsRefused() throws Exception {
    try (LocalServe serve = serve("--max-num-queued-tokens", "6000")) {
      String rest =
          IntStream.range(0, 1_500)
              .mapToObj(i -> "," + (10 + i % 50))
              .collect(Collectors.joining());
      IntFunction<String> body =
          i -> "{\"prompt\":[%d%s],\"max_tokens\":1}".formatted(60 + i, rest);
      // Three fit; more are let in as prompts are computed.
      assertBounded(burst(serve, body), 3, BURST - 1);
      assertEquals(
          200, FlotillaProcess.post(serve.base(), "/v1/completions", body.apply(99)).statusCode());
    }
  }

  private static LocalServe serve(String flag, String value) throws InterruptedException {
    return LocalServe.start(
        "--executor",
        "SCRIPTED",
        "--scripted-time-scale",
        "5",
        "-dp",
        "1",
        "--max-num-seqs",
        "4",
        flag,
        value);
  }
}
