package dev.flotilla.frontend;

import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineFacts;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.protocol.TokenIds;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import io.vertx.core.net.NetSocket;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How many tokens a second of front-end CPU brings to clients: one front-end, 64 streams of 512
 * tokens after 32, an engine in the same JVM that sends one message per step and has at most as
 * many steps under way as the first argument says. The second argument is how long, in seconds.
 */
final class FrontendThroughput {
  private static final int STREAMS = 64;
  private static final int OUTPUT = 512;

  private FrontendThroughput() {}

  /** Engine side: runs on the bus consumer's event loop. */
  private static final class Stepper {
    final Bus bus;
    final Rank rank = new Rank(0);
    final Incarnation incarnation = new Incarnation("bench");
    final Epoch epoch = new Epoch(1, 1);
    final TokenIds text;
    final int window;
    final Map<ToEngine.Submit, Integer> running = new LinkedHashMap<>();
    final AtomicLong sent = new AtomicLong();
    long ack;
    long reports;
    int flying;

    Stepper(Bus bus, TokenIds text, int window) {
      this.bus = bus;
      this.text = text;
      this.window = window;
    }

    LoadReport report(FrontendId frontend) {
      return new LoadReport(
          rank,
          incarnation,
          epoch,
          ++reports,
          0,
          running.size(),
          0,
          0,
          0,
          1,
          1,
          0,
          true,
          0,
          List.of(new LoadReport.Ack(frontend, ack)),
          null);
    }

    void on(ToEngine message) {
      switch (message) {
        case ToEngine.Submit submit -> {
          ack = submit.sequence();
          running.put(submit, 0);
          step(submit.request().frontend());
        }
        case ToEngine.Pong pong -> {
          flying--;
          step(pong.from());
        }
        default -> {}
      }
    }

    void step(FrontendId frontend) {
      while (flying < window && !running.isEmpty()) {
        List<ToFrontend.Delta> deltas = new ArrayList<>(running.size());
        for (var entry : running.entrySet()) {
          int at = entry.getValue();
          entry.setValue(at + 1);
          deltas.add(
              FakeEngine.delta(
                  entry.getKey(),
                  at,
                  text.slice(at % text.size(), at % text.size() + 1),
                  at + 1 == OUTPUT ? FinishReason.LENGTH : null,
                  -1,
                  List.of()));
        }
        running.values().removeIf(at -> at == OUTPUT);
        sent.addAndGet(deltas.size());
        flying++;
        bus.send(Addresses.frontend(frontend), new ToFrontend.Tokens(report(frontend), deltas));
        bus.send(Addresses.frontend(frontend), new ToFrontend.Ping(rank, incarnation, 0));
      }
    }
  }

  /** Runs it and prints tokens per second and CPU seconds per thread. */
  public static void main(String[] args) throws Exception {
    int window = Integer.parseInt(args[0]);
    int seconds = Integer.parseInt(args[1]);
    Vertx vertx = Vertx.vertx();
    Vertx clients = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1));
    JsonObject config = new JsonObject().put("port", 0).put("model", FrontendBed.MODEL.toString());
    vertx
        .deployVerticle(new FrontendVerticle(), new DeploymentOptions().setConfig(config))
        .toCompletionStage()
        .toCompletableFuture()
        .get();
    int port =
        (Integer) vertx.sharedData().getLocalMap(FrontendVerticle.PORTS).values().iterator().next();
    Bus bus = Bus.of(vertx);
    TokenIds text = FrontendBed.ids("The capital of Kenya is Nairobi, and it is a large city. ");
    Stepper stepper = new Stepper(bus, text, window);
    bus.consume(Addresses.engine(stepper.rank, stepper.incarnation), stepper::on)
        .toCompletionStage()
        .toCompletableFuture()
        .get();
    EngineFacts facts = new EngineFacts("tiny-llama", "scripted", 9, 16, 100_000, 256, 2048, "0");
    ClusterView.Engine engine =
        new ClusterView.Engine(
            stepper.rank,
            stepper.incarnation,
            stepper.epoch,
            EngineState.READY,
            new NodeId("local"),
            true,
            false,
            facts,
            null);
    bus.publish(
        Addresses.ALL_FRONTENDS, new ToFrontend.View(new ClusterView(1, 1, 1, List.of(engine))));
    AtomicLong bytes = new AtomicLong();
    AtomicLong chunks = new AtomicLong();
    for (int i = 0; i < STREAMS; i++) {
      clients
          .createNetClient()
          .connect(port, "127.0.0.1")
          .onSuccess(socket -> request(socket, bytes, chunks));
    }
    wait(seconds);
    measure(stepper, chunks, seconds);
    System.exit(0);
  }

  private static void measure(Stepper stepper, AtomicLong chunks, int seconds)
      throws InterruptedException {
    long sent = stepper.sent.get();
    long written = chunks.get();
    long start = System.nanoTime();
    Map<String, Long> before = cpu();
    wait(seconds);
    double elapsed = (System.nanoTime() - start) / 1e9;
    long tokens = stepper.sent.get() - sent;
    System.out.printf(
        "window %d: %.0f tokens/s, %.0f chunks/s%n",
        stepper.window, tokens / elapsed, (chunks.get() - written) / elapsed);
    cpu()
        .forEach(
            (name, nanos) -> {
              double used = (nanos - before.getOrDefault(name, 0L)) / 1e9;
              if (used > 0.1) {
                System.out.printf(
                    "  %-32s %.2f CPU s, %.0f tokens per CPU s%n", name, used, tokens / used);
              }
            });
  }

  private static void request(NetSocket socket, AtomicLong bytes, AtomicLong chunks) {
    String body =
        "{\"prompt\":[%s],\"max_tokens\":%d,\"stream\":true,\"ignore_eos\":true}"
            .formatted("5,".repeat(31) + "5", OUTPUT);
    Buffer request =
        Buffer.buffer(
            "POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s"
                .formatted(body.length(), body));
    socket.handler(
        buffer -> {
          bytes.addAndGet(buffer.length());
          chunks.incrementAndGet();
          int length = buffer.length();
          // A payload ends with a line break, so this can only be the last, empty chunk.
          boolean end = length >= 5 && buffer.getString(length - 5, length).equals("0\r\n\r\n");
          if (end) {
            socket.write(request);
          }
        });
    socket.write(request);
  }

  private static void wait(int seconds) throws InterruptedException {
    if (new CountDownLatch(1).await(seconds, TimeUnit.SECONDS)) {
      throw new IllegalStateException("nobody counts down");
    }
  }

  private static Map<String, Long> cpu() {
    var threads = ManagementFactory.getThreadMXBean();
    Map<String, Long> all = new TreeMap<>();
    for (long id : threads.getAllThreadIds()) {
      var info = threads.getThreadInfo(id);
      if (info != null) {
        all.put(info.getThreadName() + "#" + id, threads.getThreadCpuTime(id));
      }
    }
    return all;
  }
}
