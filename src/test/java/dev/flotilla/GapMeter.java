package dev.flotilla;

import static org.awaitility.Awaitility.await;

import java.net.URI;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/** Streamed completions, one after the other from several clients, and the longest pause in one. */
final class GapMeter implements AutoCloseable {
  private final ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor();
  private final List<String> failures = new CopyOnWriteArrayList<>();
  private final AtomicInteger requests = new AtomicInteger();
  private final AtomicLong longest = new AtomicLong();
  private volatile boolean over;

  static GapMeter start(URI base, int clients, int tokens) {
    GapMeter meter = new GapMeter();
    for (int i = 0; i < clients; i++) {
      int client = i;
      meter.clients.execute(() -> meter.ask(base, client, tokens));
    }
    return meter;
  }

  private void ask(URI base, int client, int tokens) {
    for (int i = 0; !over; i++) {
      String body =
          "{\"prompt\":\"client %d, question %d\",\"max_tokens\":%d,\"ignore_eos\":true,\"stream\":true,\"stream_options\":{\"include_usage\":true}}"
              .formatted(client, i, tokens);
      try {
        String problem = read(base, body, tokens);
        if (!problem.isEmpty()) {
          failures.add(problem);
          return;
        }
      } catch (Exception e) {
        failures.add(e.toString());
        return;
      }
      requests.incrementAndGet();
    }
  }

  /** What was wrong with one stream; empty: nothing. */
  private String read(URI base, String body, int tokens) throws Exception {
    long before = System.nanoTime();
    HttpResponse<Stream<String>> response =
        FlotillaProcess.HTTP.send(
            FlotillaProcess.postRequest(base, "/v1/completions", body), BodyHandlers.ofLines());
    if (response.statusCode() != 200) {
      return "status %d: %s".formatted(response.statusCode(), response.body().toList());
    }
    String last = "";
    try (Stream<String> lines = response.body()) {
      for (var line = lines.iterator(); line.hasNext(); ) {
        String data = line.next();
        long now = System.nanoTime();
        if (data.startsWith("data: ")) {
          longest.accumulateAndGet(now - before, Math::max);
          before = now;
          last = data.startsWith("data: {") ? data.substring(6) : last;
        }
      }
    }
    int received = FlotillaProcess.json(last).at("/usage/completion_tokens").asInt(-1);
    return received == tokens ? "" : "%d of %d tokens: %s".formatted(received, tokens, last);
  }

  /** Waits until so many more have ended. */
  void awaitRequests(int more) {
    int wanted = requests.get() + more;
    await("streams end")
        .atMost(Duration.ofSeconds(60))
        .until(() -> requests.get() >= wanted || !failures.isEmpty());
  }

  /** The longest pause between two events of a stream, the first token's time included. */
  long longestGapMs() {
    return longest.get() / 1_000_000;
  }

  void forgetGaps() {
    longest.set(0);
  }

  List<String> failures() {
    return List.copyOf(failures);
  }

  @Override
  public void close() {
    over = true;
    clients.close();
  }
}
