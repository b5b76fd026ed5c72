package dev.flotilla.frontend;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.protocol.TokenIds;
import dev.flotilla.tokenizer.TextTokenizer;
import dev.flotilla.tokenizer.Tokenizers;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;

/** A front-end on its own Vert.x, with fake engines and a fake coordinator that publishes views. */
final class FrontendBed implements AutoCloseable {
  static final Path MODEL =
      Path.of(System.getProperty("flotilla.basedir", ".")).resolve("src/main/models/tiny-llama");
  static final TextTokenizer TOKENIZER = Tokenizers.open(MODEL);

  /** The model's end token, which {@link FakeEngine#saying} puts last. */
  static final int EOS = 1;

  final Vertx vertx = Vertx.vertx();
  final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  final int port;
  final int maxModelLen;
  private final JsonObject settings;
  private final Bus bus = Bus.of(vertx);
  private final AtomicLong version = new AtomicLong();
  private final List<FakeEngine> shown = new CopyOnWriteArrayList<>();

  FrontendBed(int maxModelLen, JsonObject settings) throws Exception {
    this.maxModelLen = maxModelLen;
    this.settings =
        new JsonObject().put("port", 0).put("model", MODEL.toString()).mergeIn(settings);
    deploy(this.settings);
    port =
        (Integer) vertx.sharedData().getLocalMap(FrontendVerticle.PORTS).values().iterator().next();
    vertx.setPeriodic(50, _ -> publish());
  }

  /** A port that was free a moment ago, for front-ends that share one: they must name it. */
  static int freePort() throws Exception {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  /** One more front-end behind the port that the settings name. */
  void another() throws Exception {
    deploy(settings);
  }

  private void deploy(JsonObject config) throws Exception {
    vertx
        .deployVerticle(new FrontendVerticle(), new DeploymentOptions().setConfig(config))
        .toCompletionStage()
        .toCompletableFuture()
        .get();
  }

  static TokenIds ids(String text) {
    return TOKENIZER.encode(text, false);
  }

  static TokenIds idsAndEnd(String text) {
    return ids(text).concat(TokenIds.of(EOS));
  }

  FakeEngine engine(int rank, FakeEngine.Script script) throws Exception {
    FakeEngine engine = new FakeEngine(vertx, rank, script);
    show(engine);
    return engine;
  }

  void show(FakeEngine engine) throws Exception {
    shown.add(engine);
    publish();
    int count = shown.size();
    await()
        .atMost(Duration.ofSeconds(5))
        .until(() -> get("/engines").get("engines").size() == count);
  }

  void hide(FakeEngine engine) {
    shown.remove(engine);
    publish();
  }

  private void publish() {
    List<ClusterView.Engine> engines = new ArrayList<>();
    for (FakeEngine engine : shown) {
      engines.add(engine.view(maxModelLen));
    }
    int size = Math.max(2, engines.size());
    bus.publish(
        Addresses.ALL_FRONTENDS,
        new ToFrontend.View(new ClusterView(1, version.incrementAndGet(), size, engines)));
  }

  URI uri(String path) {
    return URI.create("http://127.0.0.1:" + port + path);
  }

  HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(uri(path)).timeout(Duration.ofSeconds(20));
  }

  HttpResponse<String> send(HttpRequest request) throws Exception {
    return client.send(request, HttpResponse.BodyHandlers.ofString());
  }

  HttpResponse<String> post(String path, String body, String... headers) throws Exception {
    HttpRequest.Builder builder = request(path).POST(HttpRequest.BodyPublishers.ofString(body));
    if (headers.length > 0) {
      builder.headers(headers);
    }
    return send(builder.build());
  }

  JsonNode get(String path) throws Exception {
    return json(send(request(path).build()).body());
  }

  static JsonNode json(String text) throws Exception {
    return Fields.MAPPER.readTree(text);
  }

  /** The {@code data:} payloads of a stream; fails if there is any other line. */
  static List<String> events(String body) {
    return Arrays.stream(body.split("\n\n"))
        .map(
            event -> {
              if (!event.startsWith("data: ") || event.indexOf('\n') >= 0) {
                throw new AssertionError("not one data line: " + event);
              }
              return event.substring(6);
            })
        .toList();
  }

  static JsonObject settings() {
    return new JsonObject();
  }

  static JsonArray list(String... values) {
    return new JsonArray(Arrays.asList(values));
  }

  @Override
  public void close() {
    client.shutdownNow();
    vertx.close().toCompletionStage().toCompletableFuture().join();
  }
}
