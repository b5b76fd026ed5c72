package dev.flotilla.engine;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.config.Config;
import dev.flotilla.config.EngineConfig;
import dev.flotilla.protocol.Address;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.TokenIds;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Engines whose experts are spread over all of them give, token for token, what one engine gives,
 * whichever rank a request comes to and whenever; also while ranks leave and come.
 */
class GroupGoldenTest {
  private static final Epoch EPOCH = new Epoch(1, 1);
  private static final int VOCABULARY = 2_000;
  private static final long SPREAD_MS = 300;

  /** A request, and the rank and time at which it comes. */
  private record Asked(int number, int rank, long atMs, TokenIds prompt, Sampling sampling) {}

  private static List<Asked> draw(long seed, int count, int ranks, int least) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    List<Asked> requests = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      TokenIds prompt = TokenIds.of(random.ints(1 + random.nextInt(60), 2, VOCABULARY).toArray());
      Sampling sampling =
          Sampling.builder()
              .temperature(random.nextBoolean() ? 0 : 0.9f)
              .seed(random.nextLong())
              .ignoreEos(true)
              .maxTokens(least + random.nextInt(24))
              .build();
      long at = random.nextInt(4) == 0 ? 0 : random.nextLong(SPREAD_MS);
      requests.add(new Asked(i + 1, random.nextInt(ranks), at, prompt, sampling));
    }
    return requests;
  }

  /** Some engines of one JVM, and who speaks with them. */
  private static final class World implements AutoCloseable {
    private final Vertx vertx = Vertx.vertx();
    private final Bus bus = Bus.of(vertx);
    private final FakeFrontend frontend = new FakeFrontend(bus, "front");
    private final FakeCoordinator coordinator = new FakeCoordinator(bus, frontend.id);
    private final FakeWaves waves;
    private final List<String> deployments = new ArrayList<>();
    private final int size;

    World(int size) throws Exception {
      this.size = size;
      EngineVerticleTest.get(frontend.start());
      EngineVerticleTest.get(coordinator.start());
      waves = coordinator.group(size);
      for (int rank = 0; rank < size; rank++) {
        deployments.add(deploy(rank));
      }
      if (size > 1) {
        await().atMost(Duration.ofSeconds(60)).until(() -> waves.generation() == 1);
      } else {
        await()
            .atMost(Duration.ofSeconds(60))
            .until(() -> coordinator.heard(ToCoordinator.Ready.class).count() > 0);
      }
    }

    String deploy(int rank) throws Exception {
      EngineConfig config =
          Config.parse(
              """
              {"model": "%s", "executor": "cpu", "rank": %d, "data-parallel-size": %d,
               "expert-parallel": true, "max-num-seqs": 32, "max-num-batched-tokens": 64,
               "num-gpu-blocks-override": 256, "max-num-queued-reqs": 64,
               "lockstep": {"sync-interval": 8, "timeout-ms": 20000}}
              """
                  .formatted(
                      EngineVerticleTest.model().resolveSibling("tiny-qwen3-moe"), rank, size),
              EngineConfig.DEFAULT);
      return EngineVerticleTest.get(
          vertx.deployVerticle(
              new EngineVerticle(), EngineVerticle.options(config, "rank-" + rank)));
    }

    Address<ToEngine> engine(int rank) {
      ToCoordinator.Ready ready =
          coordinator
              .heard(ToCoordinator.Ready.class)
              .filter(r -> r.rank().equals(new Rank(rank)))
              .reduce((a, b) -> b)
              .orElseThrow();
      return Addresses.engine(ready.rank(), ready.incarnation());
    }

    void ask(List<Asked> requests) {
      for (Asked one : requests) {
        Runnable submit =
            () ->
                frontend.submit(
                    engine(one.rank() % size),
                    EPOCH,
                    one.number(),
                    0,
                    one.prompt(),
                    one.sampling());
        if (one.atMs() == 0) {
          submit.run();
        } else {
          vertx.setTimer(one.atMs(), ignored -> submit.run());
        }
      }
    }

    Map<Integer, TokenIds> answers(List<Asked> requests) {
      await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> requests.stream().allMatch(r -> frontend.finish(r.number()) != null));
      Map<Integer, TokenIds> answers = new TreeMap<>();
      requests.forEach(r -> answers.put(r.number(), frontend.tokens(r.number())));
      return answers;
    }

    @Override
    public void close() {
      vertx.close().toCompletionStage().toCompletableFuture().orTimeout(20, SECONDS).join();
    }
  }

  private static Map<Integer, TokenIds> alone(List<Asked> requests) throws Exception {
    try (World one = new World(1)) {
      one.ask(requests);
      return one.answers(requests);
    }
  }

  @ParameterizedTest
  @CsvSource({"2, 1", "2, 32", "4, 8", "4, 32", "8, 16", "8, 32"})
  void givesTokenForTokenWhatOneRankGives(int ranks, int concurrency) throws Exception {
    List<Asked> requests = draw(17L * ranks + concurrency, concurrency, ranks, 1);
    Map<Integer, TokenIds> expected = alone(requests);
    try (World group = new World(ranks)) {
      group.ask(requests);
      assertEquals(expected, group.answers(requests));
      assertEquals(1, group.waves.generation());
    }
  }

  @Test
  void goesOnTokenForTokenWhileRanksLeaveAndCome() throws Exception {
    List<Asked> requests = new ArrayList<>(draw(5, 12, 2, 60));
    Map<Integer, TokenIds> expected = alone(requests);
    try (World group = new World(3)) {
      String last = group.deployments.get(2);
      group.ask(requests); // Of ranks 0 and 1 only.
      for (int times = 1; times <= 2; times++) {
        long tokens = group.frontend.tokenCount();
        await().until(() -> group.frontend.tokenCount() > tokens + 50);
        EngineVerticleTest.get(group.vertx.undeploy(last));
        long before = group.waves.generation();
        last = group.deploy(2);
        await().until(() -> group.waves.generation() > before);
      }
      assertEquals(expected, group.answers(requests));
      assertTrue(group.waves.generation() >= 5, "generation " + group.waves.generation());
    }
  }
}
