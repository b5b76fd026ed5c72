package dev.flotilla;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.awaitility.Awaitility;

/**
 * Streamed completions whose texts are known, since a server with one rank gave them: sent to
 * another server, each must end with the same text, no token lost or doubled.
 */
final class GoldenRequests implements AutoCloseable {
  private static final String MODEL = "tiny-qwen3-moe";

  private final List<String> bodies = new ArrayList<>();
  private final List<String> expected = new ArrayList<>();
  private final ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor();
  private final Queue<String> failures = new ConcurrentLinkedQueue<>();
  private final AtomicInteger begun = new AtomicInteger();
  private final AtomicInteger ended = new AtomicInteger();
  private final AtomicLong lastNews = new AtomicLong(System.nanoTime());

  private GoldenRequests() {}

  /** So many requests of different prompts, lengths and ways to draw; asks one rank for each. */
  static GoldenRequests of(int count, int leastTokens, int mostTokens) throws Exception {
    GoldenRequests requests = new GoldenRequests();
    for (int i = 0; i < count; i++) {
      requests.bodies.add(
          """
          {"prompt": "question %d: name a river, a hill and %d towns near them", "max_tokens": %d,
           "ignore_eos": true, "temperature": %s, "seed": %d, "stream": true}"""
              .formatted(
                  i,
                  i * i,
                  leastTokens + i * (mostTokens - leastTokens) / Math.max(1, count - 1),
                  i % 2 == 0 ? "0" : "0.9",
                  i));
    }
    try (LocalServe one =
        LocalServe.startModel(MODEL, "-dp", "1", "--num-gpu-blocks-override", "1024")) {
      List<Future<String>> texts =
          requests.bodies.stream()
              .map(body -> requests.clients.submit(() -> requests.text(one.base(), body)))
              .toList();
      for (Future<String> text : texts) {
        requests.expected.add(text.get());
      }
    }
    return requests;
  }

  /** How many different ones there are. */
  int count() {
    return bodies.size();
  }

  /** Sends one; it is compared when it ends. */
  void send(URI base, int number) {
    if (begun.getAndIncrement() == ended.get()) {
      lastNews.set(System.nanoTime()); // Nobody waited for anything until now.
    }
    clients.execute(() -> check(base, number));
  }

  private void check(URI base, int number) {
    long start = System.nanoTime();
    try {
      String text = text(base, bodies.get(number));
      if (!text.equals(expected.get(number))) {
        failures.add(
            "request %d gave '%s' instead of '%s'".formatted(number, text, expected.get(number)));
      }
    } catch (Exception e) {
      failures.add(
          "request %d after %d ms: %s"
              .formatted(number, (System.nanoTime() - start) / 1_000_000, e));
    } finally {
      ended.incrementAndGet();
    }
  }

  /** The text of a stream that ended by its length; anything else is an error. */
  private String text(URI base, String body) throws Exception {
    HttpResponse<Stream<String>> response =
        FlotillaProcess.HTTP.send(
            FlotillaProcess.postRequest(base, "/v1/completions", body), BodyHandlers.ofLines());
    StringBuilder text = new StringBuilder();
    String finish = "none";
    try (Stream<String> lines = response.body()) {
      if (response.statusCode() != 200) {
        throw new IOException(response.statusCode() + " " + lines.toList());
      }
      for (var line = lines.iterator(); line.hasNext(); ) {
        String data = line.next();
        lastNews.set(System.nanoTime());
        if (data.startsWith("data: {")) {
          JsonNode event = FlotillaProcess.json(data.substring(6));
          text.append(event.at("/choices/0/text").asText(""));
          finish = event.at("/choices/0/finish_reason").asText(finish);
        }
      }
    }
    return finish.equals("length") ? text.toString() : text + " [" + finish + "]";
  }

  /** Requests that have not ended. */
  int running() {
    return begun.get() - ended.get();
  }

  /** Requests that were sent. */
  int sent() {
    return begun.get();
  }

  /** Time since anything came for anyone. */
  long silentMs() {
    return (System.nanoTime() - lastNews.get()) / 1_000_000;
  }

  /** What went wrong. */
  List<String> failures() {
    return List.copyOf(failures);
  }

  /** Waits for the end of all, and that all were right. */
  void assertAllRight(Duration limit) {
    Awaitility.await("all requests end").atMost(limit).until(() -> running() == 0);
    assertEquals(List.of(), failures());
  }

  /** Where the ranks of a group stand, as a server shows it. */
  static List<JsonNode> engines(URI base) throws Exception {
    JsonNode all =
        FlotillaProcess.json(FlotillaProcess.get(base, "/engines").body()).path("engines");
    return StreamSupport.stream(all.spliterator(), false).toList();
  }

  @Override
  public void close() {
    clients.shutdownNow();
    clients.close();
  }
}
