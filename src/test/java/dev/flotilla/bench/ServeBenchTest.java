package dev.flotilla.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServeBenchTest {
  @TempDir private Path folder;

  private static final double ALL_AT_ONCE = Double.POSITIVE_INFINITY;

  private static LoadShape load(
      int requests, double rate, @Nullable Integer concurrency, int timeoutSeconds) {
    return new LoadShape(requests, rate, 1, concurrency, 0, 7, timeoutSeconds);
  }

  private static ServeBench.Options options(
      Target target, Backend backend, Dataset dataset, LoadShape load) {
    return new ServeBench.Options(
        List.of(target),
        backend,
        null,
        0,
        true,
        dataset,
        load,
        Reporting.parse("ttft,tpot,itl,e2el", "50,99", List.of("ttft:200")));
  }

  private static BenchResult run(SseServer server, Dataset dataset, LoadShape load) {
    return run(options(server.target(), Backend.OPENAI, dataset, load));
  }

  private static BenchResult run(ServeBench.Options options) {
    var silent = new PrintStream(new ByteArrayOutputStream(), false, StandardCharsets.UTF_8);
    return ServeBench.run(options, new RunProgress(silent, RunProgress.Kind.NONE)).result();
  }

  private static Dataset random(int input, int output) {
    return new Dataset.Random(input, output, 0, null);
  }

  @Test
  void countsEveryTokenOfEveryStream() throws Exception {
    try (var server =
        new SseServer((_, request, exchange) -> SseServer.stream(request, exchange, 0))) {
      BenchResult result = run(server, random(32, 20), load(40, ALL_AT_ONCE, 8, 30));
      assertNull(result.firstFailure());
      assertEquals(40, result.completed());
      assertEquals(40 * 32, result.inputTokens());
      assertEquals(40 * 20, result.outputTokens());
      assertTrue(result.concurrencyPeak() <= 8, "a closed loop keeps its limit");
      JsonNode json = ResultText.json(result);
      assertEquals(40, json.path("completed").asInt());
      assertTrue(json.path("p99_ttft_ms").asDouble() > 0);
      JsonNode sent = server.requests().getFirst();
      assertEquals("toy", sent.path("model").asText());
      assertEquals(32, sent.path("prompt").size());
      assertTrue(sent.path("ignore_eos").asBoolean());
      sent.path("prompt").forEach(id -> assertTrue(id.asInt() >= 11 && id.asInt() <= 13));
    }
  }

  @Test
  void measuresTheTimesThatTheServerTakes() throws Exception {
    SseServer.Script script =
        (_, request, exchange) -> {
          LockSupport.parkNanos(60_000_000);
          SseServer.stream(request, exchange, 10);
        };
    try (var server = new SseServer(script)) {
      BenchResult result = run(server, random(4, 6), load(3, ALL_AT_ONCE, 1, 30));
      double ttft = result.latencies(Metric.TTFT).percentileMs(50);
      double tpot = result.latencies(Metric.TPOT).percentileMs(50);
      double e2el = result.latencies(Metric.E2EL).percentileMs(50);
      assertTrue(ttft >= 69 && ttft < 1000, "ttft " + ttft);
      assertTrue(tpot >= 9.9 && tpot < 200, "tpot " + tpot);
      assertEquals(ttft + 5 * tpot, e2el, e2el * 0.2);
    }
  }

  @Test
  void countsChatWithoutItsOpeningRole() throws Exception {
    try (var server =
        new SseServer((_, request, exchange) -> SseServer.stream(request, exchange, 0))) {
      Target target = Target.of(server.url() + "/", "/v1/chat/completions", Map.of());
      Dataset dataset = new Dataset.Random(16, 5, 0, 1000);
      LoadRun run;
      var generation = new Generation(Backend.OPENAI_CHAT, "toy", 0, false);
      Prompt text = new Prompt.Text("say \"a\"");
      run =
          new LoadLoop(List.of(target), generation, 10, 0)
              .run(List.of(new Planned(0, () -> text, -1, 5)), false, 1, _ -> {});
      assertEquals(5, run.exchanges().getFirst().arrivals);
      assertEquals(
          "say \"a\"",
          server.requests().getFirst().path("messages").path(0).path("content").asText());
      BenchResult result =
          run(options(target, Backend.OPENAI_CHAT, dataset, load(2, ALL_AT_ONCE, 2, 10)));
      assertEquals(2, result.completed());
      assertEquals(10, result.outputTokens());
    }
  }

  @Test
  void tellsEveryKindOfFailureApart() throws Exception {
    SseServer.Script script =
        (number, request, exchange) -> {
          OutputStream out = exchange.getResponseBody();
          switch (number) {
            case 0 -> SseServer.reply(exchange, 503, "{\"error\":{\"message\":\"no engine\"}}");
            case 1 -> {
              exchange.sendResponseHeaders(200, 0);
              SseServer.event(out, "{\"choices\":[{\"text\":\"a\"}]}");
              SseServer.event(out, "{\"error\":{\"message\":\"engine 1 died\",\"code\":503}}");
              exchange.close();
            }
            case 2 -> {
              exchange.sendResponseHeaders(200, 0);
              SseServer.event(out, "{\"choices\":[{\"text\":\"a\"}]}");
              exchange.close();
            }
            case 3 -> {
              exchange.sendResponseHeaders(200, 1000);
              SseServer.event(out, "{\"choices\":[{\"text\":\"a\"}]}");
              throw new IOException("cut");
            }
            default -> SseServer.stream(request, exchange, 0);
          }
        };
    try (var server = new SseServer(script)) {
      LoadRun run = exchanges(server, 6);
      List<String> failures = run.exchanges().stream().map(e -> String.valueOf(e.failure)).toList();
      assertEquals("status 503: no engine", failures.get(0));
      assertEquals("the server broke the stream off: engine 1 died", failures.get(1));
      assertEquals("the answer ended after 1 tokens without [DONE]", failures.get(2));
      assertTrue(failures.get(3).contains("closed the connection"), failures.get(3));
      assertEquals(List.of("null", "null"), failures.subList(4, 6));
      BenchResult result = new BenchResult(run, Reporting.parse("ttft", "99", null));
      assertEquals(4, result.failed());
      assertEquals(2, result.completed());
    }
  }

  private static LoadRun exchanges(SseServer server, int count) {
    Generation generation = new Generation(Backend.OPENAI, "toy", 0, true);
    Planned planned = new Planned(0, () -> new Prompt.Ids(new int[] {1, 2}), 2, 3);
    return new LoadLoop(List.of(server.target()), generation, 20, 0)
        .run(Collections.nCopies(count, planned), false, 1, _ -> {});
  }

  @Test
  void givesUpOnASilentServer() throws Exception {
    try (var silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      Target target = Target.of("http://127.0.0.1:" + silent.getLocalPort(), "/x", Map.of());
      Planned planned = new Planned(0, () -> new Prompt.Ids(new int[] {1}), 1, 1);
      LoadRun run =
          new LoadLoop(List.of(target), new Generation(Backend.OPENAI, "m", 0, false), 1, 0)
              .run(List.of(planned), false, 1, _ -> {});
      assertEquals("no whole answer within 1 s", run.exchanges().getFirst().failure);
    }
  }

  @Test
  void saysThatNoServerIsThere() throws Exception {
    int free;
    try (var socket = new ServerSocket(0)) {
      free = socket.getLocalPort();
    }
    Target target = Target.of("http://127.0.0.1:" + free, "/v1/completions", Map.of());
    var options = options(target, Backend.OPENAI, random(4, 4), load(1, ALL_AT_ONCE, 1, 5));
    BenchException e = assertThrows(BenchException.class, () -> run(options));
    assertTrue(String.valueOf(e.getMessage()).startsWith("no server answers at http://127.0.0.1:"));
  }

  /**
   * A server that stalls once: with one connection the requests behind it leave late, so their
   * service times look fine; counted from the intended start they show the wait.
   */
  @Test
  void aStallShowsInTheCorrectedFiguresOnly() throws Exception {
    SseServer.Script script =
        (number, request, exchange) -> {
          LockSupport.parkNanos(number == 3 ? 500_000_000 : 0);
          SseServer.stream(request, exchange, 0);
        };
    try (var server = new SseServer(script)) {
      BenchResult result = run(server, random(4, 2), load(40, 100, 1, 30));
      assertNull(result.firstFailure());
      double corrected = result.latencies(Metric.TTFT).percentileMs(50);
      double service = assertNotNullAnd(result.serviceLatencies(Metric.TTFT)).percentileMs(50);
      assertTrue(service < 100, "service " + service);
      assertTrue(corrected > service + 100, corrected + " is to exceed " + service);
      Double goodput = result.goodput();
      assertNotNull(goodput);
      assertTrue(goodput < result.perSecond(result.completed()), "some missed 200 ms");
    }
  }

  private static Latencies assertNotNullAnd(@Nullable Latencies latencies) {
    assertNotNull(latencies);
    return latencies;
  }

  @Test
  void replaysATraceInItsOrderAndTime() throws Exception {
    Path trace = folder.resolve("trace.jsonl.gz");
    try (var out = new GZIPOutputStream(Files.newOutputStream(trace))) {
      String lines =
          """
          {"t_ms":0,"input":3,"output":2}
          {"t_ms":200,"input":700,"output":1,"hash_ids":[5,6]}
          {"t_ms":400.5,"input":600,"output":3,"hash_ids":[5,9]}
          """;
      out.write(lines.getBytes(StandardCharsets.UTF_8));
    }
    try (var server =
        new SseServer((_, request, exchange) -> SseServer.stream(request, exchange, 0))) {
      LoadShape shape = new LoadShape(null, ALL_AT_ONCE, 1, null, 0, 1, 30);
      BenchResult result = run(server, new Dataset.Trace(trace, 2, 5000), shape);
      assertEquals(3, result.completed());
      assertEquals(6, result.outputTokens());
      List<JsonNode> sent = server.requests();
      assertEquals(List.of(3, 700, 600), sent.stream().map(r -> r.path("prompt").size()).toList());
      double gap = (server.arrivals().get(2) - server.arrivals().get(0)) / 1e6;
      assertTrue(gap >= 150, "400 ms at double speed, not " + gap);
      for (int i = 0; i < 512; i++) {
        assertEquals(sent.get(1).path("prompt").get(i), sent.get(2).path("prompt").get(i));
      }
      assertTrue(
          !sent.get(1).path("prompt").get(600).equals(sent.get(2).path("prompt").get(599))
              || !sent.get(1).path("prompt").get(599).equals(sent.get(2).path("prompt").get(599)));
    }
  }

  @Test
  void readsCustomPromptsAndRepeatsThem() throws Exception {
    Path file = folder.resolve("prompts.jsonl");
    Files.writeString(file, "{\"prompt\":\"one\"}\n{\"prompt\":\"two\",\"output_tokens\":9}\n");
    try (var server =
        new SseServer((_, request, exchange) -> SseServer.stream(request, exchange, 0))) {
      BenchResult result = run(server, new Dataset.Custom(file, 4), load(4, ALL_AT_ONCE, 2, 30));
      assertEquals(4, result.completed());
      assertEquals(2 * (4 + 9), result.outputTokens());
    }
  }
}
