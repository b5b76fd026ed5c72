package dev.flotilla;

import java.net.URI;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * How long four ranks take to come to four others, from the request to all eight serving, over two
 * agents that both have room for two more, and what the time to the first token is meanwhile
 * against before. A program, not a test: it prints rows of {@code benchmarks.md}. Arguments:
 * backend of the agents (verticle, process), streams, rounds. {@code -Dflotilla.home} names the
 * distribution.
 */
final class ScalingBench {
  private static final int TOKENS = 40;

  /** Of streams before each change, so that both percentiles are of about as many. */
  private static final int CALM_STREAMS_EACH = 10;

  private ScalingBench() {}

  public static void main(String[] args) throws Exception {
    String backend = args.length > 0 ? args[0] : "verticle";
    int streams = args.length > 1 ? Integer.parseInt(args[1]) : 16;
    int rounds = args.length > 2 ? Integer.parseInt(args[2]) : 5;
    String cluster = FlotillaProcess.uniqueCluster();
    try (FlotillaProcess head = head(cluster);
        FlotillaProcess one = agent(cluster, backend);
        FlotillaProcess other = agent(cluster, backend)) {
      one.awaitLine("Flotilla node is ready");
      other.awaitLine("Flotilla node is ready");
      URI base = head.awaitReady();
      List<Double> seconds = new ArrayList<>();
      List<Double> before = new ArrayList<>();
      List<Double> during = new ArrayList<>();
      try (ExactStreams load = ExactStreams.start(() -> base, streams, TOKENS)) {
        for (int round = 0; round <= rounds; round++) {
          var _ = load.takeFirstTokensMs();
          load.awaitEnded(CALM_STREAMS_EACH * streams);
          List<Double> calm = load.takeFirstTokensMs();
          long begun = System.nanoTime();
          scale(base, 8);
          double took = (System.nanoTime() - begun) / 1e9;
          load.awaitEnded(streams); // Those that found the new ranks cold.
          List<Double> busy = load.takeFirstTokensMs();
          scale(base, 4);
          if (round > 0) { // The first one compiles the front-end's code.
            seconds.add(took);
            before.addAll(calm);
            during.addAll(busy);
          }
          System.err.printf(
              Locale.ROOT,
              "round %d: %.2f s, p99 of %d before %.0f ms, of %d meanwhile %.0f ms%n",
              round,
              took,
              calm.size(),
              p99(calm),
              busy.size(),
              p99(busy));
        }
        if (!load.faults().isEmpty()) {
          throw new IllegalStateException("streams failed: " + load.faults());
        }
      }
      seconds.sort(null);
      System.out.printf(
          Locale.ROOT,
          "| %s | %d streams | %.2f s (%.2f to %.2f s) | %.0f ms | %.0f ms | %.2f |%n",
          backend,
          streams,
          seconds.get(seconds.size() / 2),
          seconds.getFirst(),
          seconds.getLast(),
          p99(before),
          p99(during),
          p99(during) / p99(before));
    }
  }

  private static double p99(List<Double> times) {
    List<Double> sorted = new ArrayList<>(times);
    sorted.sort(null);
    return sorted.isEmpty() ? Double.NaN : sorted.get((sorted.size() - 1) * 99 / 100);
  }

  private static void scale(URI base, int size) throws Exception {
    HttpResponse<String> answer =
        FlotillaProcess.post(
            base,
            "/scale_elastic_ep",
            "{\"new_data_parallel_size\":%d,\"drain_timeout\":2}".formatted(size));
    if (answer.statusCode() != 200) {
      throw new IllegalStateException("to %d: %s".formatted(size, answer.body()));
    }
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
        "1",
        "--pack-strategy",
        "fill",
        "--devices",
        "1",
        "--api-server-count",
        "1",
        "--port",
        "0",
        "--cluster-name",
        cluster);
  }

  private static FlotillaProcess agent(String cluster, String backend) throws Exception {
    return FlotillaProcess.start(
        "join", "--devices", "4", "-dpb", backend, "--cluster-name", cluster);
  }
}
