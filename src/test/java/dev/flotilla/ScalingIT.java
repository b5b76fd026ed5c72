package dev.flotilla;

import static dev.flotilla.FlotillaProcess.readyRanks;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A head and two nodes, each a process, whose group grows and shrinks while streams run. */
class ScalingIT {
  private static final int STREAMS = 50;
  private static final int TOKENS = 60;

  private final Map<Integer, String> expected = new ConcurrentHashMap<>(); // Text by prompt.
  private final List<String> faults = new CopyOnWriteArrayList<>();
  private final AtomicInteger ended = new AtomicInteger();
  private volatile boolean over;

  @Test
  @Scenario({"A70", "A74", "A75", "A76"})
  void growsAndShrinksWhileStreamsRunAndLosesNoToken() throws Exception {
    String cluster = FlotillaProcess.uniqueCluster();
    try (FlotillaProcess head = head(cluster);
        FlotillaProcess one = node(cluster, 2);
        FlotillaProcess other = node(cluster, 2);
        ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
      URI base = head.awaitReady();
      assertEquals(List.of(0, 1, 2, 3), readyRanks(base));
      assertEquals(4, nodes(base, "used"));
      refusesWhatMakesNoSense(base);
      List<Future<?>> streams = new ArrayList<>();
      for (int i = 0; i < STREAMS; i++) {
        int prompt = i;
        streams.add(clients.submit(() -> repeat(base, prompt)));
      }
      awaitEnded(STREAMS);
      for (int size : List.of(6, 2, 5)) {
        HttpResponse<String> answer = whileOthersAnswer(base, clients, size);
        assertEquals(200, answer.statusCode(), answer::body);
        assertEquals(size, FlotillaProcess.json(answer.body()).get("data_parallel_size").asInt());
        assertEquals(size, readyRanks(base).size());
        awaitEnded(ended.get() + STREAMS);
        assertTrue(everyRankWorks(base, size), () -> "a rank has nothing to do of " + size);
      }
      over = true;
      for (Future<?> stream : streams) {
        stream.get();
      }
      assertEquals(List.of(), faults);
      assertEquals(5, nodes(base, "used"));
      assertTrue(one.alive() && other.alive());
    }
  }

  private static void refusesWhatMakesNoSense(URI base) throws Exception {
    for (String body :
        List.of(
            "{}",
            "no JSON",
            "{\"new_data_parallel_size\":\"2\"}",
            "{\"new_data_parallel_size\":0}",
            "{\"new_data_parallel_size\":-1}",
            "{\"new_data_parallel_size\":2,\"drain_timeout\":0}")) {
      assertEquals(400, scale(base, body).statusCode(), body);
    }
    HttpResponse<String> same = scale(base, "{\"new_data_parallel_size\":4}");
    assertEquals(200, same.statusCode(), same::body);
    HttpResponse<String> much = scale(base, "{\"new_data_parallel_size\":64}");
    assertEquals(503, much.statusCode(), much::body);
    assertTrue(much.body().contains("of 60 more ranks"), much::body);
    assertEquals(4, nodes(base, "used"));
  }

  private static HttpResponse<String> scale(URI base, String body) throws Exception {
    return FlotillaProcess.post(base, "/scale_elastic_ep", body);
  }

  /** Scales; meanwhile a second one is turned away, and all else is served. */
  private static HttpResponse<String> whileOthersAnswer(URI base, ExecutorService clients, int size)
      throws Exception {
    String body = "{\"new_data_parallel_size\":%d,\"drain_timeout\":2}".formatted(size);
    Future<HttpResponse<String>> answer = clients.submit(() -> scale(base, body));
    await("the change begins")
        .atMost(Duration.ofSeconds(20))
        .pollInterval(Duration.ofMillis(2))
        .until(() -> answer.isDone() || scaling(base));
    if (!answer.isDone()) {
      int second = scale(base, "{\"new_data_parallel_size\":3}").statusCode();
      assertTrue(second == 409 || answer.isDone(), () -> "a second change got " + second);
    }
    for (String path : List.of("/health", "/metrics", "/engines", "/v1/models")) {
      assertEquals(200, FlotillaProcess.get(base, path).statusCode(), path);
    }
    return answer.get();
  }

  private static boolean scaling(URI base) throws Exception {
    String answer = FlotillaProcess.post(base, "/is_scaling_elastic_ep", "").body();
    return FlotillaProcess.json(answer).get("is_scaling_elastic_ep").asBoolean();
  }

  private static int nodes(URI base, String what) throws Exception {
    int sum = 0;
    for (JsonNode node :
        FlotillaProcess.json(FlotillaProcess.get(base, "/nodes").body()).get("nodes")) {
      sum += node.get(what).asInt();
    }
    return sum;
  }

  private static boolean everyRankWorks(URI base, int size) throws Exception {
    String engines = FlotillaProcess.get(base, "/engines").body();
    int working = 0;
    for (JsonNode engine : FlotillaProcess.json(engines).get("engines")) {
      working += engine.get("step").asLong() > 0 ? 1 : 0;
    }
    return working == size;
  }

  private void awaitEnded(int count) {
    await("streams end")
        .atMost(Slowness.scaled(Duration.ofSeconds(60)))
        .until(() -> ended.get() >= count || !faults.isEmpty());
    assertEquals(List.of(), faults);
  }

  private void repeat(URI base, int prompt) {
    while (!over) {
      try {
        String text = stream(base, prompt);
        String first = expected.putIfAbsent(prompt, text);
        if (first != null && !first.equals(text)) {
          faults.add("prompt %d gave another text: %s, not %s".formatted(prompt, text, first));
        }
        ended.incrementAndGet();
      } catch (Exception e) {
        faults.add(e.toString());
        return;
      }
    }
  }

  private static String stream(URI base, int prompt) throws Exception {
    String body =
        "{\"prompt\":\"stream %d\",\"max_tokens\":%d,\"ignore_eos\":true,\"stream\":true}"
            .formatted(prompt, TOKENS);
    HttpResponse<Stream<String>> response =
        FlotillaProcess.HTTP.send(
            FlotillaProcess.postRequest(base, "/v1/completions", body), BodyHandlers.ofLines());
    StringBuilder text = new StringBuilder();
    String finish = "none";
    try (Stream<String> lines = response.body()) {
      for (var line = lines.iterator(); line.hasNext(); ) {
        String data = line.next();
        if (data.startsWith("data: {")) {
          JsonNode choice = FlotillaProcess.json(data.substring(6)).at("/choices/0");
          text.append(choice.path("text").asText());
          String reason = choice.path("finish_reason").asText("null");
          finish = reason.equals("null") ? finish : reason;
        }
      }
    }
    assertEquals("200 length", response.statusCode() + " " + finish);
    return text.toString();
  }

  private static FlotillaProcess head(String cluster) throws Exception {
    return FlotillaProcess.start(
        "serve",
        "--executor",
        "scripted",
        "--data-parallel-backend",
        "cluster",
        "-dp",
        "4",
        "--data-parallel-size-local",
        "2",
        "--pack-strategy",
        "fill",
        "--devices",
        "2",
        "--api-server-count",
        "1",
        "--port",
        "0",
        "--cluster-name",
        cluster);
  }

  private static FlotillaProcess node(String cluster, int devices) throws Exception {
    return FlotillaProcess.start(
        "join", "--devices", Integer.toString(devices), "--cluster-name", cluster);
  }
}
