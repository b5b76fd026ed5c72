package dev.flotilla;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole servers with scripted engines: where their requests go, and why. */
@Timeout(90)
class LiveBalancingTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String DECISION = "X-Flotilla-Decision";
  private static final Pattern RANK = Pattern.compile("; rank (\\d+);");

  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  @TempDir Path folder;

  private static LocalServe serve(int engines, String... more) throws InterruptedException {
    List<String> flags = new ArrayList<>(List.of("--executor", "SCRIPTED"));
    flags.addAll(List.of("--data-parallel-size", String.valueOf(engines)));
    flags.addAll(List.of("--disable-log-stats", "--enable-decision-header"));
    flags.addAll(List.of(more));
    return LocalServe.start(flags.toArray(String[]::new));
  }

  private CompletableFuture<HttpResponse<String>> send(
      LocalServe server, int[] prompt, int outputs, String... headers) {
    String ids = IntStream.of(prompt).mapToObj(String::valueOf).collect(Collectors.joining(","));
    HttpRequest.Builder request =
        HttpRequest.newBuilder(server.base().resolve("/v1/completions"))
            .timeout(Duration.ofSeconds(30))
            .POST(
                HttpRequest.BodyPublishers.ofString(
                    "{\"prompt\":[%s],\"max_tokens\":%d,\"return_token_ids\":true}"
                        .formatted(ids, outputs)));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return client.sendAsync(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  private static String decision(HttpResponse<String> response) {
    assertEquals(200, response.statusCode(), response.body());
    return response.headers().firstValue(DECISION).orElse("none");
  }

  private static int rank(HttpResponse<String> response) {
    Matcher rank = RANK.matcher(decision(response));
    assertTrue(rank.find(), decision(response));
    return Integer.parseInt(rank.group(1));
  }

  private static int[] prompt(int seed, int length) {
    return IntStream.range(0, length).map(i -> 10 + (i * 31 + seed * 7919) % 300).toArray();
  }

  @Test
  @Scenario("A55")
  void aConversationStaysWithTheEngineThatHoldsItsPrefix() throws Exception {
    try (LocalServe server = serve(4, "--api-server-count", "1")) {
      for (int session = 0; session < 3; session++) {
        int[] prompt = prompt(session, 400);
        Set<Integer> ranks = new HashSet<>();
        for (int turn = 0; turn < 4; turn++) {
          HttpResponse<String> response = send(server, prompt, 16).get();
          ranks.add(rank(response));
          JsonNode answer = JSON.readTree(response.body());
          if (turn > 0) {
            assertTrue(decision(response).contains("cached="), decision(response));
            assertTrue(
                answer.at("/usage/prompt_tokens_details/cached_tokens").asInt() >= 384,
                answer.at("/usage").toString());
          }
          IntStream said = IntStream.concat(IntStream.of(prompt), IntStream.of(outputs(answer)));
          prompt = IntStream.concat(said, IntStream.of(prompt(turn + 50, 40))).toArray();
          awaitPublished();
        }
        assertEquals(1, ranks.size(), "turns of session " + session + " went to " + ranks);
      }
    }
  }

  private static int[] outputs(JsonNode answer) {
    JsonNode ids = answer.at("/choices/0/token_ids");
    return IntStream.range(0, ids.size()).map(i -> ids.get(i).asInt()).toArray();
  }

  /** Changes of a prefix cache are published within 10 ms; a turn of a person takes longer. */
  private static void awaitPublished() {
    long start = System.nanoTime();
    await().pollInterval(Duration.ofMillis(10)).until(() -> System.nanoTime() - start > 40_000_000);
  }

  @Test
  void anotherTenantsPrefixIsNotLookedFor() throws Exception {
    try (LocalServe server = serve(2, "--api-server-count", "1")) {
      int[] prompt = prompt(1, 400);
      assertEquals(200, send(server, prompt, 4).get().statusCode());
      awaitPublished();
      assertTrue(decision(send(server, prompt, 4).get()).contains("cached=384"));
      String ids = IntStream.of(prompt).mapToObj(String::valueOf).collect(Collectors.joining(","));
      HttpResponse<String> salted =
          client.send(
              HttpRequest.newBuilder(server.base().resolve("/v1/completions"))
                  .POST(
                      HttpRequest.BodyPublishers.ofString(
                          "{\"prompt\":[%s],\"max_tokens\":4,\"cache_salt\":\"other\"}"
                              .formatted(ids)))
                  .build(),
              HttpResponse.BodyHandlers.ofString());
      assertTrue(!decision(salted).contains("cached="), decision(salted));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"round-robin", "least-in-flight", "vllm-classic", "vllm", "flotilla"})
  @Scenario("A49")
  void everyPolicySpreadsASteadyLoad(String policy) throws Exception {
    try (LocalServe server =
        serve(4, "--load-balancing-policy", policy, "--api-server-count", "2")) {
      int[] counts = new int[4];
      List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
      long start = System.nanoTime();
      int total = 200;
      for (int i = 0; i < total; i++) {
        long due = start + i * 10_000_000L;
        await().pollInterval(Duration.ofMillis(1)).until(() -> System.nanoTime() >= due);
        answers.add(send(server, prompt(i, 32), 8));
      }
      for (CompletableFuture<HttpResponse<String>> answer : answers) {
        counts[rank(answer.get())]++;
        assertTrue(decision(answer.get()).startsWith(policy + "; "), decision(answer.get()));
      }
      String last = decision(answers.getLast().get());
      for (int count : counts) {
        assertTrue(
            count > total / 20,
            () ->
                "not every engine gets its share: %s; %s".formatted(Arrays.toString(counts), last));
      }
    }
  }

  @Test
  void theCoordinatorChoosesIfItIsAskedTo() throws Exception {
    try (LocalServe server = serve(4, "--balance-in", "coordinator", "--api-server-count", "2")) {
      // Until it has answered once in time, front-ends choose by themselves.
      await()
          .atMost(Duration.ofSeconds(30))
          .until(
              () ->
                  decision(send(server, prompt(0, 16), 1).get())
                      .startsWith("coordinator; flotilla; "));
      int[] counts = new int[4];
      List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        answers.add(send(server, prompt(i, 64), 4));
      }
      int theirs = 0;
      for (CompletableFuture<HttpResponse<String>> answer : answers) {
        counts[rank(answer.get())]++;
        theirs += decision(answer.get()).startsWith("coordinator; flotilla; ") ? 1 : 0;
      }
      assertTrue(theirs > 0, "the coordinator made none of 40 choices");
      for (int count : counts) {
        assertTrue(count > 0, "40 requests reach every engine");
      }
    }
  }

  @Test
  @Scenario("A53")
  void anExplicitRankIsHonouredEvenIfItIsLoaded() throws Exception {
    try (LocalServe server = serve(2, "--api-server-count", "1")) {
      List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        answers.add(send(server, prompt(i, 200), 20, "X-data-parallel-rank", "1"));
      }
      for (CompletableFuture<HttpResponse<String>> answer : answers) {
        assertEquals(1, rank(answer.get()));
        assertTrue(decision(answer.get()).contains("0: unasked"), decision(answer.get()));
      }
      HttpResponse<String> beyond =
          send(server, prompt(0, 8), 1, "X-data-parallel-rank", "2").get();
      assertEquals(400, beyond.statusCode());
      assertTrue(beyond.body().contains("must be 0 to 1, not 2"), beyond.body());
    }
  }

  @Test
  void aRecordingTellsEveryDecision() throws Exception {
    Path file = folder.resolve("decisions.jfr");
    try (LocalServe server = serve(2, "--api-server-count", "1");
        Recording recording = new Recording()) {
      recording.enable("dev.flotilla.Decision");
      recording.start();
      for (int i = 0; i < 5; i++) {
        assertEquals(200, send(server, prompt(i, 20), 2).get().statusCode());
      }
      recording.stop();
      recording.dump(file);
    }
    List<RecordedEvent> events =
        RecordingFile.readAllEvents(file).stream()
            .filter(e -> e.getEventType().getName().equals("dev.flotilla.Decision"))
            .toList();
    assertEquals(5, events.size());
    for (RecordedEvent event : events) {
      assertEquals(20, event.getInt("promptTokens"));
      assertEquals(1, event.getInt("attempt"));
      assertTrue(event.getDouble("score") > 0);
      assertTrue(event.getString("decision").contains("prefill="), event.getString("decision"));
    }
  }
}
