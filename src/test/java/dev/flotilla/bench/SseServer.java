package dev.flotilla.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;

/** A small server of the streaming API over real sockets, whose answers a test scripts. */
public final class SseServer implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** What to answer a generating request with. */
  public interface Script {
    void play(int number, JsonNode request, HttpExchange exchange) throws IOException;
  }

  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final List<JsonNode> requests = new CopyOnWriteArrayList<>();
  private final List<Long> arrivals = new CopyOnWriteArrayList<>();

  public SseServer(Script script) throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    for (String path : List.of("/v1/completions", "/v1/chat/completions")) {
      server.createContext(path, exchange -> generate(script, exchange));
    }
    answer("/v1/models", "{\"object\":\"list\",\"data\":[{\"id\":\"toy\"}]}");
    answer("/tokenize", "{\"count\":4,\"tokens\":[11,12,13,11]}");
    answer("/detokenize", "{\"prompt\":\"some words\"}");
    server.start();
  }

  private void answer(String path, String body) {
    server.createContext(path, exchange -> reply(exchange, 200, body));
  }

  private void generate(Script script, HttpExchange exchange) throws IOException {
    JsonNode request = JSON.readTree(exchange.getRequestBody());
    int number;
    synchronized (this) {
      number = requests.size();
      requests.add(request);
      arrivals.add(System.nanoTime());
    }
    script.play(number, request, exchange);
  }

  /** Every body in order of arrival. */
  public List<JsonNode> requests() {
    return requests;
  }

  List<Long> arrivals() {
    return arrivals;
  }

  public String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  Target target() {
    return Target.of(url(), "/v1/completions", Map.of());
  }

  /** A whole answer without a stream. */
  public static void reply(HttpExchange exchange, int status, String body) throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  /** As many tokens as asked for, each after a pause, then usage and the end. */
  public static void stream(JsonNode request, HttpExchange exchange, long pauseMs)
      throws IOException {
    int tokens = request.path("max_tokens").asInt();
    boolean chat = request.has("messages");
    exchange.getResponseHeaders().set("Content-Type", "text/event-stream; charset=utf-8");
    exchange.sendResponseHeaders(200, 0);
    OutputStream out = exchange.getResponseBody();
    if (chat) {
      event(out, "{\"choices\":[{\"delta\":{\"role\":\"assistant\"},\"finish_reason\":null}]}");
    }
    for (int i = 0; i < tokens; i++) {
      LockSupport.parkNanos(pauseMs * 1_000_000);
      String part = chat ? "\"delta\":{\"content\":\" a\"}" : "\"text\":\" a\"";
      event(out, "{\"id\":\"x\",\"choices\":[{\"index\":0," + part + ",\"finish_reason\":null}]}");
    }
    event(out, "{\"choices\":[{\"text\":\"\",\"delta\":{},\"finish_reason\":\"length\"}]}");
    int prompt = Math.max(1, request.path("prompt").size());
    event(
        out,
        "{\"choices\":[],\"usage\":{\"prompt_tokens\":%d,\"completion_tokens\":%d}}"
            .formatted(prompt, tokens));
    event(out, "[DONE]");
    exchange.close();
  }

  static void event(OutputStream out, String data) throws IOException {
    out.write(("data: " + data + "\n\n").getBytes(StandardCharsets.UTF_8));
    out.flush();
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
