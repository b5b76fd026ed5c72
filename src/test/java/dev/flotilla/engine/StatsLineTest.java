package dev.flotilla.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.protocol.EngineTotals;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Rank;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class StatsLineTest {
  private static final long TEN_SECONDS = 10_000_000_000L;

  private static LoadReport load(int waiting, int running, int blocks, EngineTotals totals) {
    return new LoadReport(
        new Rank(3),
        new Incarnation("i"),
        new Epoch(1, 1),
        1,
        waiting,
        running,
        0,
        0,
        blocks,
        200,
        1,
        0,
        false,
        0,
        List.of(),
        totals);
  }

  private static EngineTotals totals(long queries, long hits, long prompt, long generated) {
    return new EngineTotals(
        queries, hits, 0, prompt, generated, EngineTotals.NONE.iterationTokens(), 0);
  }

  @Test
  void readsAsTheLineOfVllm() {
    StatsLine line = new StatsLine(0);
    assertEquals(
        Optional.of(
            "Engine 003: Avg prompt throughput: 90.0 tokens/s, Avg generation throughput: 12.5 tokens/s, Running: 2 reqs, Waiting: 1 reqs, GPU KV cache usage: 25.0%, Prefix cache hit rate: 40.0%"),
        line.next(load(1, 2, 50, totals(1000, 400, 900, 125)), TEN_SECONDS));
  }

  @Test
  void comesOnceMoreWhenAllIsDoneAndThenNoMore() {
    StatsLine line = new StatsLine(0);
    EngineTotals done = totals(10, 0, 10, 5);
    assertTrue(line.next(load(0, 0, 0, done), TEN_SECONDS).isPresent());
    assertTrue(
        line.next(load(0, 0, 0, done), 2 * TEN_SECONDS)
            .orElseThrow()
            .contains("generation throughput: 0.0 tokens/s"));
    assertEquals(Optional.empty(), line.next(load(0, 0, 0, done), 3 * TEN_SECONDS));
  }

  @Test
  void forgetsOldHitsAfterAMinute() {
    StatsLine line = new StatsLine(0);
    for (int i = 1; i <= 10; i++) {
      Optional<String> text = line.next(load(0, 1, 1, totals(100 + i, 100, 0, i)), i * TEN_SECONDS);
      assertTrue(text.orElseThrow().endsWith(i <= 6 ? "%" : "hit rate: 0.0%"), text.toString());
    }
  }
}
