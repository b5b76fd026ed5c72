package dev.flotilla.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** {@code -Dpausing.seeds=} runs more seeds, {@code -Dsim.seed=} one again. */
class PausingSimulationTest {
  private static final long SEEDS = Long.getLong("pausing.seeds", 20_000);

  @Test
  void everyPauseAndResumeEndsAndHoldsForAllRanks_whateverDies() {
    Long one = Long.getLong("sim.seed");
    long first = one == null ? 0 : one;
    long end = one == null ? SEEDS : one + 1;
    long begun = System.nanoTime();
    var results = LongStream.range(first, end).parallel().mapToObj(PausingSimulation::run).toList();
    Map<String, Integer> answers = new TreeMap<>();
    results.forEach(r -> r.answers().forEach((name, n) -> answers.merge(name, n, Integer::sum)));
    long repairs = results.stream().mapToLong(PausingSimulation.Result::repairs).sum();
    System.out.printf(
        "pausing: answers %s, %d repairs where nothing was lost, %.1f s%n",
        answers, repairs, (System.nanoTime() - begun) / 1e9);
    assertEquals(0, repairs, "orders said again although none was lost");
    if (one == null) {
      for (String name : new String[] {"Done", "Busy", "Overdue"}) {
        assertTrue(answers.getOrDefault(name, 0) > SEEDS / 50, answers::toString);
      }
    }
  }

  @Test
  void theSameSeedGivesTheSameRun() {
    assertEquals(PausingSimulation.run(7), PausingSimulation.run(7));
  }
}
