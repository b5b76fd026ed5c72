package dev.flotilla.engine;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.config.Config;
import dev.flotilla.config.EngineConfig;
import dev.flotilla.executor.scripted.ScriptedExecutor;
import dev.flotilla.model.Batch;
import dev.flotilla.model.Executor;
import dev.flotilla.model.ModelConfig;
import dev.flotilla.model.ModelFolder;
import dev.flotilla.model.StepResult;
import dev.flotilla.protocol.Address;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.protocol.TokenIds;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EngineVerticleTest {
  private static final Epoch EPOCH = new Epoch(1, 1);
  private static final TokenIds PROMPT = TokenIds.of(10, 11, 12, 13);

  private final Vertx vertx = Vertx.vertx();
  private final Bus bus = Bus.of(vertx);
  private final FakeFrontend frontend = new FakeFrontend(bus, "front");
  private final FakeCoordinator coordinator = new FakeCoordinator(bus, frontend.id);

  static Path model() {
    return Path.of(
        Objects.requireNonNull(System.getProperty("flotilla.basedir")),
        "src/main/models/tiny-llama");
  }

  /** A scripted engine whose steps take so many milliseconds. */
  static EngineConfig config(double stepMs) {
    return Config.parse(
        """
        {"model": "%s", "executor": "scripted", "max-num-seqs": 8, "max-num-batched-tokens": 64,
         "block-size": 16, "num-gpu-blocks-override": 64, "max-num-queued-reqs": 4,
         "scripted": {"base-ms": %s, "prefill-ms": 0, "context-scale": 1, "decode-ms": 0,
                      "resident-ms": 0, "scale": %s, "kv-tokens": 1024, "max-model-len": 512}}
        """
            .formatted(model(), stepMs, stepMs == 0 ? 0 : 1),
        EngineConfig.DEFAULT);
  }

  static TokenIds expected(int count) {
    ModelFolder folder = ModelFolder.open(model());
    TokenIds specials =
        TokenIds.of(folder.specialTokens().keySet().stream().mapToInt(i -> i).toArray());
    return ScriptedExecutor.expectedTokens(
        folder.config().vocab(), specials.concat(folder.config().eos()), PROMPT, count);
  }

  static <T> T get(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  private String deploy(EngineVerticle verticle, EngineConfig config) throws Exception {
    get(frontend.start());
    get(coordinator.start());
    String id = get(vertx.deployVerticle(verticle, EngineVerticle.options(config, "test-engine")));
    await().until(() -> coordinator.isReady(EPOCH));
    return id;
  }

  private String deploy(double stepMs) throws Exception {
    return deploy(new EngineVerticle(), config(stepMs));
  }

  private Address<ToEngine> engine() {
    ToCoordinator.Ready ready = coordinator.ready();
    return Addresses.engine(ready.rank(), ready.incarnation());
  }

  private long submit(long counter, int attempt, int maxTokens) {
    return frontend.submit(engine(), EPOCH, counter, attempt, PROMPT, maxTokens);
  }

  private boolean left(String reason) {
    return coordinator
        .heard(ToCoordinator.Leaving.class)
        .anyMatch(leaving -> leaving.reason().contains(reason));
  }

  @AfterEach
  void close() throws Exception {
    get(vertx.close());
  }

  @Test
  void computesWhatItIsSent() throws Exception {
    deploy(0);
    assertEquals(1, frontend.pings(), "the way to the front-end is warmed before Ready");
    submit(1, 0, 40);
    await().until(() -> frontend.finish(1) != null);
    assertEquals(expected(40), frontend.tokens(1));
    assertEquals(FinishReason.LENGTH, frontend.finish(1));
    assertEquals(40, frontend.got(ToFrontend.Tokens.class).count(), "one message per step");
    await().until(() -> coordinator.lastLoad().step() == 40 && !coordinator.lastLoad().stepping());
    LoadReport rest = coordinator.lastLoad();
    assertEquals(0, rest.waiting() + rest.running() + rest.kvBlocksUsed());
    assertEquals(0, rest.queuedTokens() + rest.residentTokens());
  }

  @Test
  void manyStreamsArriveWholeFromStepsThatTakeNoTime() throws Exception {
    EngineConfig wide =
        Config.parse(
            """
            {"rank": 0, "max-num-seqs": 64, "max-num-batched-tokens": 256,
             "num-gpu-blocks-override": 4096, "max-num-queued-reqs": 64}
            """,
            config(0));
    deploy(new EngineVerticle(), wide);
    int streams = 64;
    int count = 256;
    long start = System.nanoTime();
    for (int i = 0; i < streams; i++) {
      submit(i, 0, count);
    }
    long all = (long) streams * count;
    await().pollInterval(5, TimeUnit.MILLISECONDS).until(() -> frontend.tokenCount() == all);
    System.out.printf(
        "one engine, %d streams: %.0f tokens/s%n",
        streams, all * 1e9 / (System.nanoTime() - start));
    TokenIds expected = expected(count);
    for (int i = 0; i < streams; i++) {
      assertEquals(expected, frontend.tokens(i));
    }
    assertTrue(coordinator.heard(ToCoordinator.Load.class).count() < 1000, "reports are paced");
  }

  @Test
  void acknowledgesWhileAStepIsUnderWay() throws Exception {
    deploy(400);
    submit(1, 0, 5);
    await().until(() -> coordinator.lastLoad().stepping());
    long start = System.nanoTime();
    long sequence = submit(2, 0, 5);
    await().pollInterval(1, TimeUnit.MILLISECONDS).until(() -> frontend.acknowledged() == sequence);
    long ms = (System.nanoTime() - start) / 1_000_000;
    assertTrue(ms < 200, "acknowledged after " + ms + " ms");
    assertTrue(frontend.deltas(1).isEmpty(), "the first step still runs");
    LoadReport last = frontend.got(ToFrontend.Load.class).reduce((a, b) -> b).orElseThrow().load();
    assertEquals(1, last.waiting(), "what is acknowledged is counted");
    assertTrue(last.queuedTokens() >= PROMPT.size());
  }

  @Test
  void acknowledgesARepetitionWithoutRunningItTwice() throws Exception {
    deploy(0);
    submit(1, 0, 3);
    long second = submit(1, 0, 3);
    await().until(() -> frontend.acknowledged() == second && frontend.finish(1) != null);
    long third = submit(1, 0, 3);
    await().until(() -> frontend.acknowledged() == third);
    submit(2, 0, 3);
    await().until(() -> frontend.finish(2) != null);
    assertEquals(3, frontend.deltas(1).size());
  }

  @Test
  void abortsWithinOneStep() throws Exception {
    deploy(20);
    submit(1, 0, 400);
    await().until(() -> frontend.deltas(1).size() > 2);
    frontend.abort(engine(), 1, 0);
    int before = frontend.deltas(1).size();
    await().until(() -> coordinator.lastLoad().running() == 0);
    assertTrue(frontend.deltas(1).size() - before <= 2, "one step may have been under way");
    assertEquals(0, coordinator.lastLoad().kvBlocksUsed());
  }

  @Test
  void refusesAnotherEpochAndAFullQueue() throws Exception {
    deploy(100);
    frontend.submit(engine(), new Epoch(9, 9), 1, 0, PROMPT, 5);
    await().until(() -> frontend.got(ToFrontend.Refusal.class).count() == 1);
    var refusal = frontend.got(ToFrontend.Refusal.class).findFirst().orElseThrow();
    assertEquals(503, refusal.status());
    assertTrue(refusal.reason().contains("was never in epoch 9.9"), refusal.reason());
    for (int i = 0; i < 40; i++) {
      submit(10 + i, 0, 5);
    }
    await().until(() -> frontend.got(ToFrontend.Refusal.class).anyMatch(r -> r.status() == 429));
  }

  @Test
  void finishesWhatRunsWhenDrained() throws Exception {
    String id = deploy(10);
    submit(1, 0, 20);
    await().until(() -> !frontend.deltas(1).isEmpty());
    bus.send(engine(), new ToEngine.Drain(coordinator.ready().incarnation(), 10_000));
    submit(2, 0, 5);
    await().until(() -> left("drained"));
    assertEquals(expected(20), frontend.tokens(1));
    assertTrue(
        frontend
            .got(ToFrontend.Refusal.class)
            .anyMatch(r -> r.status() == 503 && r.reason().contains("draining")));
    await().until(() -> !vertx.deploymentIDs().contains(id));
  }

  @Test
  void endsWhatRunsWhenUndeployed() throws Exception {
    String id = deploy(10);
    submit(1, 0, 400);
    await().until(() -> !frontend.deltas(1).isEmpty());
    get(vertx.undeploy(id));
    await().until(() -> left("stopped"));
    assertEquals(FinishReason.ERROR, frontend.finish(1));
    assertEquals(expected(frontend.tokens(1).size()), frontend.tokens(1));
  }

  @Test
  void goesOnUnderTheEpochOfANewCoordinator() throws Exception {
    deploy(5);
    submit(1, 0, 60);
    await().until(() -> !frontend.deltas(1).isEmpty());
    Epoch next = new Epoch(2, 1);
    coordinator.ask(next);
    await().until(() -> coordinator.isReady(next));
    assertTrue(
        coordinator
            .heard(ToCoordinator.Hello.class)
            .anyMatch(h -> h.rank() != null && h.highest().equals(EPOCH)));
    submit(2, 0, 5);
    await().until(() -> frontend.finish(1) != null && frontend.finish(2) != null);
    assertEquals(expected(60), frontend.tokens(1));
    await().until(() -> coordinator.lastLoad().epoch().equals(next));
  }

  @Test
  void computesWithTheCpuExecutor() throws Exception {
    EngineConfig cpu =
        Config.parse(
            """
            {"rank": 0, "executor": "cpu", "max-model-len": 128, "num-gpu-blocks-override": 32}
            """,
            config(0));
    deploy(new EngineVerticle(), cpu);
    submit(1, 0, 8);
    submit(2, 0, 8);
    await().until(() -> frontend.finish(1) != null && frontend.finish(2) != null);
    assertEquals(frontend.tokens(1), frontend.tokens(2));
    assertEquals("cpu", coordinator.ready().facts().executor());
    assertEquals(128, coordinator.ready().facts().maxModelLen());
  }

  @Test
  void stopsTheRankWhenAStepFails() throws Exception {
    String id =
        deploy(
            new EngineVerticle(config -> new Executors.Opened(new Bursting(), "burst", 100)),
            config(0));
    submit(1, 0, 5);
    await().until(() -> frontend.got(ToFrontend.Refusal.class).count() == 1);
    var refusal = frontend.got(ToFrontend.Refusal.class).findFirst().orElseThrow();
    assertEquals(503, refusal.status());
    assertTrue(refusal.reason().contains("burst on purpose"), refusal.reason());
    await().until(() -> left("burst on purpose"));
    await().until(() -> !vertx.deploymentIDs().contains(id));
  }

  @Test
  void failsItsDeploymentWithASentence() {
    EngineConfig config = config(0);
    assertTrue(failure(withModel(config, "/no/such/folder")).contains("does not exist"));
    EngineConfig cuda = config("cuda", null, 64);
    assertEquals("executor cuda is not built yet; use --executor cpu", failure(cuda));
    assertTrue(failure(config("scripted", 513, 64)).contains("longest sequence of 512 tokens"));
    assertTrue(failure(config("scripted", 200, 4)).contains("ask for at most 64"));
  }

  @Test
  void refusesToRunOnAnEventLoop() {
    var thrown =
        assertThrows(
            ExecutionException.class, () -> get(vertx.deployVerticle(new EngineVerticle())));
    assertTrue(sentence(thrown).contains("-worker"));
  }

  /** The refusal may come before Vert.x counts the engine as deployed. */
  @Test
  void leavesNothingBehindWhenItIsRefusedHoweverEarly() throws Exception {
    bus.consume(
        Addresses.HANDSHAKE,
        message -> {
          if (message instanceof ToCoordinator.Hello hello) {
            bus.send(
                Addresses.candidate(hello.incarnation()),
                new ToEngine.Refused(hello.incarnation(), new Term(1, bus.node()), "no room"));
          }
        });
    for (int i = 0; i < 20; i++) {
      get(
          vertx.deployVerticle(
              new EngineVerticle(), EngineVerticle.options(config(0), "refused-" + i)));
    }
    await().until(() -> vertx.deploymentIDs().isEmpty());
  }

  private String failure(EngineConfig config) {
    var options = EngineVerticle.options(config, "failing");
    var thrown =
        assertThrows(
            ExecutionException.class,
            () -> get(vertx.deployVerticle(new EngineVerticle(), options)));
    return sentence(thrown);
  }

  private static String sentence(Throwable thrown) {
    Throwable cause = Objects.requireNonNull(thrown.getCause());
    return String.valueOf(cause.getMessage());
  }

  private static EngineConfig withModel(EngineConfig c, String model) {
    return Config.parse("{\"model\": \"%s\"}".formatted(model), c);
  }

  private static EngineConfig config(String executor, @Nullable Integer maxModelLen, int blocks) {
    return Config.parse(
        "{\"executor\": \"%s\", \"max-model-len\": %s, \"num-gpu-blocks-override\": %d}"
            .formatted(executor, maxModelLen, blocks),
        config(0));
  }

  /** Fails in its first step. */
  private static final class Bursting implements Executor {
    @Override
    public ModelConfig config() {
      return ModelFolder.open(model()).config();
    }

    @Override
    public int blocks() {
      return 8;
    }

    @Override
    public int blockSize() {
      return 16;
    }

    @Override
    public StepResult execute(Batch batch) {
      throw new IllegalStateException("burst on purpose");
    }

    @Override
    public void close() {}
  }
}
