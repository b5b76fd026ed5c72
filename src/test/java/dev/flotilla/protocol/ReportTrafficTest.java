package dev.flotilla.protocol;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.config.Config;
import dev.flotilla.config.EngineConfig;
import dev.flotilla.engine.EngineVerticle;
import io.vertx.core.Vertx;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What one engine's reports cost, counted as frames: a scripted engine of the default cost model,
 * four front-ends, and the load of one rank of the trace azure_conv at nine tenths of its capacity:
 * some 11 requests a second of 1,100 prompt and 250 output tokens.
 */
@Timeout(60)
class ReportTrafficTest {
  private static final int FRONTENDS = 4;

  /** What may have been saved for the first moment of the measurement. */
  private static final double BURST = 64;

  private static final Epoch EPOCH = new Epoch(1, 1);
  private static final TokenIds PROMPT = TokenIds.of(IntStream.range(0, 1100).toArray());

  private final Vertx vertx = Vertx.vertx();
  private final Bus bus = Bus.of(vertx);
  private final AtomicReference<Address<ToEngine>> engine = new AtomicReference<>();
  private final Count tokens = new Count();
  private final Count riding = new Count();
  private final Count alone = new Count();
  private final Count toCoordinator = new Count();

  /** Frames and their bytes. */
  private static final class Count {
    final AtomicLong frames = new AtomicLong();
    final AtomicLong bytes = new AtomicLong();

    void add(Object message) {
      frames.incrementAndGet();
      bytes.addAndGet(Frames.encode(message).length);
    }

    void reset() {
      frames.set(0);
      bytes.set(0);
    }
  }

  @AfterEach
  void close() {
    vertx.close().toCompletionStage().toCompletableFuture().join();
  }

  private void coordinate(ToCoordinator message) {
    switch (message) {
      case ToCoordinator.Hello hello ->
          bus.send(
              Addresses.candidate(hello.incarnation()),
              new ToEngine.Init(
                  new Rank(0),
                  hello.incarnation(),
                  EPOCH,
                  new Term(1, new NodeId("c")),
                  DataParallel.ofSize(1),
                  null,
                  IntStream.range(0, FRONTENDS).mapToObj(this::frontend).toList()));
      case ToCoordinator.Ready ready -> {
        engine.set(Addresses.engine(ready.rank(), ready.incarnation()));
        bus.send(engine.get(), new ToEngine.Welcome(ready.incarnation(), ready.epoch()));
      }
      case ToCoordinator.Load load -> toCoordinator.add(load);
      default -> {}
    }
  }

  private FrontendId frontend(int index) {
    // As long as the real ones.
    return new FrontendId("00000000-0000-0000-0000-00000000000" + index);
  }

  private void receive(int index, ToFrontend message) {
    switch (message) {
      case ToFrontend.Tokens t -> {
        tokens.add(t);
        LoadReport load = t.load();
        if (load != null) {
          riding.add(new ToFrontend.Load(load));
        }
      }
      case ToFrontend.Load load -> alone.add(load);
      case ToFrontend.Ping ping ->
          bus.send(
              Addresses.engine(ping.rank(), ping.incarnation()),
              new ToEngine.Pong(frontend(index), ping.nonce()));
      default -> {}
    }
  }

  private void submit(long[] sent) {
    int index = (int) (sent[4] % FRONTENDS);
    bus.send(
        engine.get(),
        new ToEngine.Submit(
            new RequestId(frontend(index), ++sent[4]),
            1,
            EPOCH,
            ++sent[index],
            PROMPT,
            TokenIds.EMPTY,
            Sampling.greedy(250)));
  }

  @Test
  void reportsStayBelowOnePercentOfTheTokensAndTwoHundredASecond() throws Exception {
    bus.consume(Addresses.HANDSHAKE, this::coordinate);
    bus.consume(Addresses.COORDINATOR, this::coordinate);
    for (int i = 0; i < FRONTENDS; i++) {
      int index = i;
      bus.consume(Addresses.frontend(frontend(i)), m -> receive(index, m));
    }
    Path model =
        Path.of(System.getProperty("flotilla.basedir", ".")).resolve("src/main/models/tiny-llama");
    EngineConfig config =
        Config.parse(
            """
            {"model": "%s", "executor": "scripted", "max-num-batched-tokens": 8192,
             "disable-log-stats": true}
            """
                .formatted(model),
            EngineConfig.DEFAULT);
    vertx
        .deployVerticle(new EngineVerticle(), EngineVerticle.options(config, "traffic"))
        .toCompletionStage()
        .toCompletableFuture()
        .get();
    await().atMost(Duration.ofSeconds(20)).until(() -> engine.get() != null);
    long[] sent = new long[5];
    vertx.setPeriodic(90, _ -> submit(sent));
    await().atMost(Duration.ofSeconds(20)).until(() -> tokens.frames.get() > 100);
    List.of(tokens, riding, alone, toCoordinator).forEach(Count::reset);
    long start = System.nanoTime();
    await().atMost(Duration.ofSeconds(10)).until(() -> System.nanoTime() - start > 3_000_000_000L);
    double seconds = (System.nanoTime() - start) / 1e9;
    List<Count> reports = List.of(riding, alone, toCoordinator);
    double number = reports.stream().mapToLong(c -> c.frames.get()).sum() / seconds;
    double bytes = reports.stream().mapToLong(c -> c.bytes.get()).sum() / seconds;
    double ofTokens = (tokens.bytes.get() - riding.bytes.get()) / seconds;
    System.out.printf(
        Locale.ROOT,
        "tokens without reports %.0f frames/s %.0f B/s; reports %.0f/s %.0f B/s: %.0f/s ride,"
            + " %.0f/s alone to front-ends, %.0f/s to the coordinator%n",
        tokens.frames.get() / seconds,
        ofTokens,
        number,
        bytes,
        riding.frames.get() / seconds,
        alone.frames.get() / seconds,
        toCoordinator.frames.get() / seconds);
    double most = 0.01 * ofTokens + (200 + BURST / seconds) * bytes / number;
    assertTrue(bytes <= most, bytes + " B/s of reports, allowed " + most);
  }
}
