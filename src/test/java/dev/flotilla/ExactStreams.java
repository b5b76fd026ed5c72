package dev.flotilla;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.flotilla.executor.scripted.ScriptedExecutor;
import dev.flotilla.model.ModelFolder;
import dev.flotilla.protocol.TokenIds;
import java.net.URI;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Streams, one after the other from several clients, whose tokens are compared one by one with
 * those that the scripted executor must draw: none may be missing, doubled or another's.
 */
final class ExactStreams implements AutoCloseable {
  private static final Path MODEL = SourceFormat.root().resolve("src/main/models/tiny-llama");
  private static final Duration LIMIT = Duration.ofSeconds(60);

  private final ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor();
  private final List<String> faults = new CopyOnWriteArrayList<>();
  private final List<Double> firstTokensMs = new CopyOnWriteArrayList<>();
  private final AtomicInteger ended = new AtomicInteger();
  private final Map<URI, AtomicInteger> running = new ConcurrentHashMap<>(); // By front-end.
  private final Supplier<URI> base;
  private final int tokens;
  private final int vocab;
  private final TokenIds specials;
  private volatile boolean over;

  private ExactStreams(Supplier<URI> base, int tokens) {
    this.base = base;
    this.tokens = tokens;
    ModelFolder folder = ModelFolder.open(MODEL);
    vocab = folder.config().vocab();
    specials =
        TokenIds.of(folder.specialTokens().keySet().stream().mapToInt(i -> i).toArray())
            .concat(folder.config().eos());
  }

  /**
   * Starts.
   *
   * @param base of the front-end that the next stream goes to
   * @param streams that run at any time
   * @param tokens of each
   */
  static ExactStreams start(Supplier<URI> base, int streams, int tokens) {
    ExactStreams all = new ExactStreams(base, tokens);
    for (int i = 0; i < streams; i++) {
      int client = i;
      all.clients.execute(() -> all.repeat(client));
    }
    return all;
  }

  private void repeat(int client) {
    for (int i = 0; !over; i++) {
      int[] prompt = {10 + client, 11, 100 + i % 300};
      URI at = base.get();
      AtomicInteger there = running.computeIfAbsent(at, _ -> new AtomicInteger());
      there.incrementAndGet();
      try {
        String fault = read(at, prompt);
        if (!fault.isEmpty()) {
          faults.add("stream %d of client %d: %s".formatted(i, client, fault));
        }
      } catch (Exception e) {
        faults.add("stream %d of client %d: %s".formatted(i, client, e));
      } finally {
        there.decrementAndGet();
      }
      if (!faults.isEmpty()) {
        return;
      }
      ended.incrementAndGet();
    }
  }

  /** What was wrong with one stream; empty: nothing. */
  private String read(URI at, int[] prompt) throws Exception {
    String body =
        "{\"prompt\":[%d,%d,%d],\"max_tokens\":%d,\"ignore_eos\":true,\"stream\":true,\"return_token_ids\":true}"
            .formatted(prompt[0], prompt[1], prompt[2], tokens);
    long begun = System.nanoTime();
    HttpResponse<Stream<String>> response =
        FlotillaProcess.HTTP.send(
            FlotillaProcess.postRequest(at, "/v1/completions", body), BodyHandlers.ofLines());
    List<Integer> got = new ArrayList<>();
    String finish = "none";
    String last = "";
    try (Stream<String> lines = response.body()) {
      for (var line = lines.iterator(); line.hasNext(); ) {
        String data = line.next();
        last = data.isEmpty() ? last : data;
        if (data.startsWith("data: {")) {
          JsonNode choice = FlotillaProcess.json(data.substring(6)).at("/choices/0");
          if (got.isEmpty() && !choice.path("token_ids").isEmpty()) {
            firstTokensMs.add((System.nanoTime() - begun) / 1e6);
          }
          choice.path("token_ids").forEach(id -> got.add(id.asInt()));
          String reason = choice.path("finish_reason").asText("null");
          finish = reason.equals("null") ? finish : reason;
        }
      }
    }
    if (response.statusCode() != 200 || !finish.equals("length")) {
      return "status %d, finish reason %s, last line %s"
          .formatted(response.statusCode(), finish, last);
    }
    TokenIds expected =
        ScriptedExecutor.expectedTokens(vocab, specials, TokenIds.of(prompt), tokens);
    TokenIds all = TokenIds.of(got.stream().mapToInt(i -> i).toArray());
    return all.equals(expected) ? "" : "%s instead of %s".formatted(all, expected);
  }

  /** Waits until so many more have ended, or one has failed. */
  void awaitEnded(int more) {
    int wanted = ended.get() + more;
    await("streams end")
        .atMost(Slowness.scaled(LIMIT))
        .pollInterval(Duration.ofMillis(20))
        .until(() -> ended.get() >= wanted || !faults.isEmpty());
  }

  /** Waits until none runs at a front-end, to which none may go any more. */
  void awaitGone(URI frontend) {
    await("streams leave " + frontend)
        .atMost(Slowness.scaled(LIMIT))
        .pollInterval(Duration.ofMillis(20))
        .until(() -> running.getOrDefault(frontend, new AtomicInteger()).get() == 0);
  }

  /** Streams that have ended as they should. */
  int ended() {
    return ended.get();
  }

  /** What went wrong; none starts again after that. */
  List<String> faults() {
    return List.copyOf(faults);
  }

  /** Times to the first token since the last call, in milliseconds, sorted. */
  List<Double> takeFirstTokensMs() {
    List<Double> taken = new ArrayList<>(firstTokensMs);
    firstTokensMs.subList(0, taken.size()).clear();
    taken.sort(null);
    return taken;
  }

  /** Lets those that run come to their end; a second call does nothing. */
  @Override
  public void close() {
    over = true;
    clients.close();
  }
}
