package dev.flotilla;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.URI;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/** Streamed completions that run at the same time. */
final class Streaming implements AutoCloseable {
  private final ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor();
  private final List<Future<String>> ends = new ArrayList<>();
  private final AtomicInteger begun = new AtomicInteger();

  static Streaming start(URI base, int count, int tokens) {
    Streaming streams = new Streaming();
    for (int i = 0; i < count; i++) {
      String body =
          "{\"prompt\":\"stream %d\",\"max_tokens\":%d,\"ignore_eos\":true,\"stream\":true}"
              .formatted(i, tokens);
      streams.ends.add(streams.clients.submit(() -> streams.read(base, body)));
    }
    return streams;
  }

  /** The finish reason of a stream that ended as streams do, else what came instead. */
  private String read(URI base, String body) throws Exception {
    HttpResponse<Stream<String>> response =
        FlotillaProcess.HTTP.send(
            FlotillaProcess.postRequest(base, "/v1/completions", body), BodyHandlers.ofLines());
    String finish = "none";
    boolean done = false;
    boolean first = true;
    try (Stream<String> lines = response.body()) {
      for (var line = lines.iterator(); line.hasNext(); ) {
        String data = line.next();
        if (first && data.startsWith("data: ")) {
          first = false;
          begun.incrementAndGet();
        }
        done |= data.equals("data: [DONE]");
        if (data.startsWith("data: {")) {
          String reason =
              FlotillaProcess.json(data.substring(6)).at("/choices/0/finish_reason").asText("");
          finish = reason.isEmpty() || reason.equals("null") ? finish : reason;
        }
      }
    }
    return response.statusCode() != 200 ? "status " + response.statusCode() : done ? finish : "cut";
  }

  void awaitFirstTokens() {
    awaitBegun(ends.size());
  }

  void awaitSomeTokens() {
    awaitBegun(1);
  }

  /** How many have not ended. */
  long running() {
    return ends.stream().filter(end -> !end.isDone()).count();
  }

  private void awaitBegun(int count) {
    await("streams have begun").atMost(Duration.ofSeconds(30)).until(() -> begun.get() >= count);
  }

  void assertAllEnd(String reason, Duration limit) throws Exception {
    long deadline = System.nanoTime() + limit.toNanos();
    List<String> reasons = new ArrayList<>();
    for (Future<String> end : ends) {
      reasons.add(end.get(Math.max(1, deadline - System.nanoTime()), TimeUnit.NANOSECONDS));
    }
    assertEquals(List.of(reason), reasons.stream().distinct().toList());
  }

  @Override
  public void close() {
    clients.shutdownNow();
    clients.close();
  }
}
