package dev.flotilla;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How long {@code serve} takes until all its ranks are ready, by phase: 1, 2, 4 and 8 ranks,
 * scripted and tiny-llama, as verticles and as processes. A program, not a test: it prints the rows
 * of {@code benchmarks.md}. The argument is the number of runs of each, of which the median and the
 * fastest are printed. {@code -Dflotilla.home} names the distribution.
 */
final class StartBench {
  private static final Pattern TOTAL = Pattern.compile("Started in ([0-9.]+) s: (.*)");

  private StartBench() {}

  /** One start. */
  private record Run(double seconds, String phases) {}

  public static void main(String[] args) throws Exception {
    int runs = args.length > 0 ? Integer.parseInt(args[0]) : 3;
    System.out.println("| executor | backend | ranks | median | fastest | phases of the median |");
    System.out.println("|---|---|---|---|---|---|");
    for (String executor : List.of("scripted", "cpu")) {
      for (String backend : List.of("verticle", "process")) {
        for (int ranks : new int[] {1, 2, 4, 8}) {
          List<Run> done = new ArrayList<>();
          for (int i = 0; i < runs; i++) {
            done.add(run(executor, backend, ranks));
          }
          done.sort((a, b) -> Double.compare(a.seconds(), b.seconds()));
          Run median = done.get(done.size() / 2);
          System.out.printf(
              "| %s | %s | %d | %.2f s | %.2f s | %s |%n",
              executor,
              backend,
              ranks,
              median.seconds(),
              done.getFirst().seconds(),
              median.phases());
        }
      }
    }
  }

  private static Run run(String executor, String backend, int ranks) throws Exception {
    try (FlotillaProcess head =
        FlotillaProcess.start(
            "serve",
            "--executor",
            executor,
            "--data-parallel-backend",
            backend,
            "-dp",
            Integer.toString(ranks),
            "--api-server-count",
            "1",
            "--port",
            "0",
            "--cluster-name",
            FlotillaProcess.uniqueCluster())) {
      head.awaitReady();
      Matcher matcher = TOTAL.matcher(head.output());
      if (!matcher.find()) {
        throw new IllegalStateException("no breakdown in:\n" + head.output());
      }
      head.terminate();
      head.awaitExit(Duration.ofSeconds(30));
      return new Run(Double.parseDouble(matcher.group(1)), matcher.group(2));
    }
  }
}
