package dev.flotilla.frontend;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.TokenIds;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What becomes of streams when clients leave or read slowly and engines fail. */
@Timeout(30)
class StreamsTest {
  private static final String SENTENCE = "Zażółć gęślą jaźń — 漢字 🚀 done.";
  private static final FakeEngine.Script SILENT = (_, _) -> {};

  private FrontendBed bed;

  @BeforeEach
  void start() throws Exception {
    bed = new FrontendBed(100_000, FrontendBed.settings());
  }

  @AfterEach
  void stop() {
    bed.close();
  }

  private CompletableFuture<HttpResponse<String>> stream() {
    return bed.client.sendAsync(
        bed.request("/v1/completions")
            .POST(
                java.net.http.HttpRequest.BodyPublishers.ofString(
                    "{\"prompt\":\"a\",\"max_tokens\":1000,\"stream\":true,\"temperature\":0}"))
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }

  private static String text(String body) throws Exception {
    StringBuilder text = new StringBuilder();
    for (String event : FrontendBed.events(body)) {
      if (!event.equals("[DONE]")) {
        text.append(FrontendBed.json(event).at("/choices/0/text").asText(""));
      }
    }
    return text.toString();
  }

  private static void eventually(java.util.concurrent.Callable<Boolean> holds) {
    await().atMost(Duration.ofSeconds(10)).until(holds);
  }

  @Test
  void neverSplitsACharacter() throws Exception {
    TokenIds ids = FrontendBed.idsAndEnd(SENTENCE);
    assertTrue(ids.size() > SENTENCE.length() / 2, "many tokens are parts of characters");
    bed.engine(0, FakeEngine.saying(ids));
    String body = stream().get().body();
    assertEquals(SENTENCE, text(body));
    assertFalse(body.contains("\uFFFD"));
  }

  @Test
  void continuesOnAnotherEngineWhenOneIsLost() throws Exception {
    TokenIds ids = FrontendBed.idsAndEnd(SENTENCE);
    FakeEngine first = bed.engine(0, (e, submit) -> e.tokens(submit, 0, ids.slice(0, 5), null));
    CompletableFuture<HttpResponse<String>> response = stream();
    eventually(() -> first.submits.size() == 1);
    FakeEngine second = bed.engine(1, FakeEngine.saying(ids));
    bed.hide(first);
    assertEquals(SENTENCE, text(response.get().body()));
    ToEngine.Submit resumed = second.submits.getFirst();
    assertEquals(2, resumed.attempt());
    assertEquals(ids.slice(0, 5), resumed.delivered());
    assertEquals(first.submits.getFirst().sampling(), resumed.sampling());
  }

  /** As when its device hangs; it reports all the time. */
  @Test
  void continuesOnAnotherEngineWhenOneLivesAndDoesNotStep() throws Exception {
    TokenIds ids = FrontendBed.idsAndEnd(SENTENCE);
    FakeEngine hung = bed.engine(0, (e, submit) -> e.tokens(submit, 0, ids.slice(0, 5), null));
    hung.hung = true;
    CompletableFuture<HttpResponse<String>> response = stream();
    eventually(() -> hung.submits.size() == 1);
    FakeEngine other = bed.engine(1, FakeEngine.saying(ids));
    assertEquals(SENTENCE, text(response.get().body()));
    ToEngine.Submit resumed = other.submits.getFirst();
    assertEquals(ids.slice(0, 5), resumed.delivered());
    eventually(() -> hung.aborts.size() == 1);
    assertEquals(1, hung.aborts.getFirst().attempt());
    assertEquals(SENTENCE, text(stream().get().body()), "what comes now does not go there");
    assertEquals(1, hung.submits.size());
  }

  @Test
  void tellsAnEngineThatComputesWhatNobodyWaitsForToStop() throws Exception {
    TokenIds ids = FrontendBed.idsAndEnd(SENTENCE);
    FakeEngine late = bed.engine(0, SILENT);
    CompletableFuture<HttpResponse<String>> response = stream();
    eventually(() -> late.submits.size() == 1);
    ToEngine.Submit old = late.submits.getFirst();
    FakeEngine next = bed.engine(1, (e, submit) -> e.tokens(submit, 0, ids.slice(0, 5), null));
    bed.hide(late); // It stands still, and goes on when the stream has moved on.
    eventually(() -> next.submits.size() == 1);
    late.tokens(old, 0, ids.slice(0, 2), null);
    eventually(() -> late.aborts.size() == 1);
    assertEquals(old.request(), late.aborts.getFirst().request());
    assertEquals(1, late.aborts.getFirst().attempt());
    bed.engine(0, FakeEngine.saying(ids));
    bed.hide(next);
    assertEquals(SENTENCE, text(response.get().body()));
    late.tokens(old, 2, ids.slice(2, 3), null);
    eventually(() -> late.aborts.size() == 2);
  }

  @Test
  void resendsToADeafEngineAndThenMovesOn() throws Exception {
    FakeEngine deaf = bed.engine(0, SILENT);
    deaf.deaf = true;
    CompletableFuture<HttpResponse<String>> response = stream();
    eventually(() -> deaf.submits.size() == 3);
    bed.engine(1, FakeEngine.saying(FrontendBed.idsAndEnd("ok")));
    assertEquals("ok", text(response.get().body()));
    assertEquals(List.of(1, 1, 1), deaf.submits.stream().map(ToEngine.Submit::attempt).toList());
  }

  @Test
  void endsAStartedStreamWithAnErrorWhenNoEngineIsLeft() throws Exception {
    FakeEngine only =
        bed.engine(0, (e, submit) -> e.tokens(submit, 0, FrontendBed.ids("Some text"), null));
    CompletableFuture<HttpResponse<String>> response = stream();
    eventually(() -> only.submits.size() == 1);
    bed.hide(only);
    List<String> events = FrontendBed.events(response.get().body());
    JsonNode last = FrontendBed.json(events.getLast());
    assertEquals("engine 0 was lost", last.at("/error/message").asText());
    for (String event : events.subList(0, events.size() - 1)) {
      assertTrue(FrontendBed.json(event).at("/choices/0/finish_reason").isNull());
    }
    assertEquals(0, bed.get("/load").get("server_load").asInt());
  }

  @Test
  void saysThatNoEngineIsReadyOrHasRoom() throws Exception {
    HttpResponse<String> none = stream().get();
    assertEquals(503, none.statusCode());
    assertEquals("1", none.headers().firstValue("Retry-After").orElse(""));
    assertEquals(503, bed.send(bed.request("/health").build()).statusCode());
    bed.engine(0, (e, submit) -> e.refuse(submit, 429, "40 requests wait already"));
    HttpResponse<String> full = stream().get();
    assertEquals(429, full.statusCode());
    assertTrue(full.body().contains("40 requests wait already"), full.body());
    assertEquals("1", full.headers().firstValue("Retry-After").orElse(""));
  }

  @Test
  void abortsWhenTheClientLeaves() throws Exception {
    for (boolean streaming : new boolean[] {true, false}) {
      FakeEngine engine =
          bed.engine(0, (e, submit) -> e.tokens(submit, 0, FrontendBed.ids("Hello"), null));
      try (Socket socket = open("\"stream\":" + streaming)) {
        eventually(() -> engine.submits.size() == 1);
        if (streaming) {
          assertTrue(socket.getInputStream().read() >= 0);
        }
      }
      eventually(() -> engine.aborts.size() == 1);
      assertEquals(engine.submits.getFirst().request(), engine.aborts.getFirst().request());
      assertEquals(0, bed.get("/load").get("server_load").asInt());
      bed.hide(engine);
    }
  }

  @Test
  void holdsASlowReaderBackAndCutsItOffWithoutSlowingOthers() throws Exception {
    TokenIds piece = FrontendBed.ids("This reader does not read at all. ".repeat(200));
    FakeEngine engine =
        bed.engine(
            0,
            (e, submit) -> {
              if (submit.sampling().seed() == 1) {
                flood(e, submit, piece, 0);
              } else {
                FakeEngine.saying(FrontendBed.idsAndEnd(SENTENCE)).submit(e, submit);
              }
            });
    try (Socket socket = open("\"stream\":true,\"seed\":1")) {
      eventually(() -> engine.submits.size() == 1);
      long start = System.nanoTime();
      assertEquals(SENTENCE, text(stream().get().body()));
      assertTrue(System.nanoTime() - start < 5_000_000_000L);
      eventually(() -> !engine.aborts.isEmpty());
      assertEquals(0, bed.get("/load").get("server_load").asInt());
      String all = drain(socket.getInputStream());
      assertFalse(all.contains("[DONE]"));
    }
  }

  /** Ever more tokens, as long as the request runs. */
  private void flood(FakeEngine engine, ToEngine.Submit submit, TokenIds piece, int count) {
    if (engine.running.contains(submit.request())) {
      engine.tokens(submit, count * piece.size(), piece, null);
      bed.vertx.setTimer(1, _ -> flood(engine, submit, piece, count + 1));
    }
  }

  private static String drain(InputStream in) {
    try {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (java.io.IOException reset) {
      return "";
    }
  }

  private Socket open(String field) throws Exception {
    String body = "{\"prompt\":\"a\",\"max_tokens\":90000," + field + "}";
    Socket socket = new Socket();
    socket.setReceiveBufferSize(4096);
    socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), bed.port), 5000);
    String head =
        "POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s"
            .formatted(body.length(), body);
    socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
    return socket;
  }
}
