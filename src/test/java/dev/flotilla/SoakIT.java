package dev.flotilla;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Two nodes with two ranks each in JVMs of their own, which share a mixture's experts, under bursts
 * and silences, while each 50 seconds one rank is killed and another stands still for ten seconds:
 * all requests end with the text that one rank gives, and the group is never stuck for long. {@code
 * -Dsoak.minutes} says how long.
 */
class SoakIT {
  private static final long DEADLINE_MS = 3_000;

  /** From the news that a rank is missed to the next token of anyone. */
  private static final long HEALED_MS = 2_000;

  private static final long STILL_MS = 10_000;
  private static final long ROUND_MS = 50_000;

  /** A slow machine is not to have ever more at a time. */
  private static final int RUNNING_MAX = 40;

  private static final Duration END = Duration.ofSeconds(90);

  private final SplittableRandom random =
      new SplittableRandom(Long.getLong("soak.seed", System.nanoTime()));
  private final List<String> log = new ArrayList<>();
  private String longestAt = "";

  @Test
  void allRequestsEndRightWhileRanksAreKilledAndStandStill() throws Exception {
    double minutes = Double.parseDouble(System.getProperty("soak.minutes", "0.8"));
    String cluster = FlotillaProcess.uniqueCluster();
    String timeout = "--collective-timeout-ms=" + DEADLINE_MS;
    try (GoldenRequests requests = GoldenRequests.of(24, 5, 120);
        FlotillaProcess head =
            FlotillaProcess.start(
                ExpertParallelIT.serve(
                    cluster, "-dp", "4", "-dpl", "2", "-dpb", "process", timeout, "--port", "0"));
        FlotillaProcess node =
            FlotillaProcess.start(
                ExpertParallelIT.serve(
                    cluster,
                    "--headless",
                    "-dp",
                    "4",
                    "-dpl",
                    "2",
                    "--data-parallel-start-rank",
                    "2",
                    "-dpb",
                    "process",
                    timeout))) {
      URI base = head.awaitReady();
      List<FlotillaProcess> nodes = List.of(head, head, node, node); // by rank
      AtomicLong longest = new AtomicLong();
      try {
        for (double left = minutes * 60_000; left > 0; left -= ROUND_MS) {
          run(requests, base, nodes, longest);
        }
        requests.assertAllRight(END);
        ExpertParallelIT.awaitAll(base);
        IntStream.range(0, requests.count()).forEach(number -> requests.send(base, number));
        requests.assertAllRight(END);
      } catch (Throwable e) {
        System.err.println(log + "\n" + head.output() + "\nother node:\n" + node.output());
        System.err.println(shown(base));
        throw e;
      }
      System.err.printf(
          "soak: %.2f minutes, %d requests, longest silence %d ms%n%s%n%s%n",
          minutes, requests.sent(), longest.get(), String.join("\n", log), longestAt);
      assertTrue(
          longest.get() <= Slowness.scaled(Duration.ofMillis(DEADLINE_MS + HEALED_MS)).toMillis(),
          "nothing came for anyone for " + longest.get() + " ms: " + log);
    }
  }

  /** Where its engines stand, as a head says that may not answer any more. */
  private static String shown(URI base) {
    try {
      return FlotillaProcess.get(base, "/engines").body();
    } catch (Exception e) {
      return "no engines are shown: " + e;
    }
  }

  /** One round: bursts and silences, a kill in its first half, a standstill in its second. */
  private void run(
      GoldenRequests requests, URI base, List<FlotillaProcess> nodes, AtomicLong longest)
      throws Exception {
    long start = System.nanoTime();
    long kill = 3_000 + random.nextLong(8_000);
    long stop = 28_000 + random.nextLong(5_000);
    long burst = 0;
    ProcessHandle still = null;
    for (long now = 0;
        now < ROUND_MS || still != null;
        now = (System.nanoTime() - start) / 1_000_000) {
      if (now >= burst) {
        int count = Math.min(1 + random.nextInt(12), RUNNING_MAX - requests.running());
        IntStream.range(0, count)
            .forEach(i -> requests.send(base, random.nextInt(requests.count())));
        burst = now + random.nextInt(4) * 1_000L + 200;
      }
      if (now >= kill && FlotillaProcess.readyRanks(base).size() == 4) {
        int rank = random.nextInt(4);
        log.add("killed rank " + rank + " at " + now + " ms");
        nodes.get(rank).engine(rank).destroyForcibly();
        kill = Long.MAX_VALUE;
      }
      if (still == null && now >= stop && FlotillaProcess.readyRanks(base).size() == 4) {
        int rank = random.nextInt(4);
        log.add("stopped rank " + rank + " at " + now + " ms");
        still = nodes.get(rank).engine(rank);
        stop = now;
        ExpertParallelIT.signal("STOP", Long.toString(still.pid()));
      }
      if (still != null && now >= stop + STILL_MS) {
        ExpertParallelIT.signal("CONT", Long.toString(still.pid()));
        still = null;
        stop = Long.MAX_VALUE;
      }
      long silent = requests.running() > 0 ? requests.silentMs() : 0;
      if (silent > longest.getAndAccumulate(silent, Math::max)) {
        longestAt = "longest silence until %d ms after %s".formatted(now, log);
      }
      assertEquals(List.of(), requests.failures(), log::toString);
      await().pollDelay(Duration.ofMillis(20)).until(() -> true);
    }
  }
}
