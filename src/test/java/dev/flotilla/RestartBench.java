package dev.flotilla;

import static dev.flotilla.FlotillaProcess.get;
import static dev.flotilla.FlotillaProcess.json;
import static dev.flotilla.FlotillaProcess.post;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * How soon a rank in a JVM of its own serves again after {@code kill -9}, and what its start costs:
 * each rank is killed once, while clients ask the others for completions. A program, not a test: it
 * prints rows of {@code benchmarks.md}. Arguments: executor, clients, rounds, ranks. {@code
 * -Dflotilla.home} names the distribution.
 */
final class RestartBench {
  private static final int TOKENS = 20;
  private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(60);

  private RestartBench() {}

  /** One restart: from the kill to the first answer, and the processor time of the new process. */
  private record Restart(double seconds, double processorSeconds) {}

  public static void main(String[] args) throws Exception {
    String executor = args.length > 0 ? args[0] : "scripted";
    int clients = args.length > 1 ? Integer.parseInt(args[1]) : 0;
    int rounds = args.length > 2 ? Integer.parseInt(args[2]) : 1;
    int ranks = args.length > 3 ? Integer.parseInt(args[3]) : 4;
    List<Restart> restarts = new ArrayList<>();
    for (int i = 0; i < rounds; i++) {
      round(executor, clients, ranks, restarts);
    }
    restarts.sort((a, b) -> Double.compare(a.seconds(), b.seconds()));
    Restart median = restarts.get(restarts.size() / 2);
    double processor =
        restarts.stream().mapToDouble(Restart::processorSeconds).average().orElseThrow();
    System.out.printf(
        "| %s | %d | %.2f s | %.2f s | %.2f s | %.2f s |%n",
        executor,
        clients,
        median.seconds(),
        restarts.getFirst().seconds(),
        restarts.getLast().seconds(),
        processor);
  }

  private static void round(String executor, int clients, int ranks, List<Restart> restarts)
      throws Exception {
    try (FlotillaProcess head =
        FlotillaProcess.start(
            "serve",
            "--executor",
            executor,
            "--data-parallel-backend",
            "process",
            "-dp",
            Integer.toString(ranks),
            "--api-server-count",
            "1",
            "--port",
            "0",
            "--cluster-name",
            FlotillaProcess.uniqueCluster())) {
      URI base = head.awaitReady();
      try (Load load = Load.start(base, clients, TOKENS)) {
        if (clients > 0) {
          load.awaitAnswers(10 * clients);
        }
        for (int rank = 0; rank < ranks; rank++) {
          awaitSpares(head, rank + 1);
          restarts.add(restart(head, base, rank));
          System.err.println("rank " + rank + ": " + restarts.getLast());
        }
        if (!load.failures().isEmpty()) {
          throw new IllegalStateException("clients failed: " + load.failures());
        }
      }
      head.output()
          .lines()
          .filter(l -> l.contains("has started, pid"))
          .skip(ranks)
          .forEach(System.err::println);
    }
  }

  /** The figure is that of a rank that dies alone; one that dies soon after it finds no spare. */
  private static void awaitSpares(FlotillaProcess head, int number) {
    long begin = System.nanoTime();
    while (head.output().split("EngineCore_spare is ready", -1).length <= number) {
      if (System.nanoTime() - begin > LIMIT_NANOS) {
        throw new IllegalStateException("no spare is ready:\n" + head.output());
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
    }
  }

  private static Restart restart(FlotillaProcess head, URI base, int rank) throws Exception {
    String before = incarnation(base, rank);
    long killed = System.nanoTime();
    head.engine(rank).destroyForcibly();
    while (incarnation(base, rank).equals(before) || !serves(base, rank)) {
      if (System.nanoTime() - killed > LIMIT_NANOS) {
        throw new IllegalStateException("rank " + rank + " is not back:\n" + head.output());
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(25));
    }
    double seconds = (System.nanoTime() - killed) / 1e9;
    return new Restart(seconds, Processor.seconds(head.engine(rank).pid()));
  }

  /** Of the engine that is READY; else nothing. */
  private static String incarnation(URI base, int rank) throws Exception {
    for (JsonNode engine : json(get(base, "/engines").body()).path("engines")) {
      if (engine.path("rank").asInt() == rank && engine.path("state").asText().equals("READY")) {
        return engine.path("incarnation").asText();
      }
    }
    return "";
  }

  private static boolean serves(URI base, int rank) throws Exception {
    return !incarnation(base, rank).isEmpty()
        && post(
                    base,
                    "/v1/completions",
                    "{\"prompt\":\"x\",\"max_tokens\":2,\"ignore_eos\":true}",
                    "X-data-parallel-rank",
                    Integer.toString(rank))
                .statusCode()
            == 200;
  }
}
