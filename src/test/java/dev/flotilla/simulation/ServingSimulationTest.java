package dev.flotilla.simulation;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class ServingSimulationTest {
  static long cpu() {
    return java.lang.management.ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  @Test
  void theInvariantsHold() {
    long from = Long.getLong("sim.seed", 1);
    long count = Long.getLong("sim.seeds", 300);
    AtomicLong events = new AtomicLong();
    AtomicLong bad = new AtomicLong();
    AtomicLong moves = new AtomicLong();
    AtomicLong complete = new AtomicLong();
    AtomicLong failed = new AtomicLong();
    AtomicLong end = new AtomicLong();
    long start = cpu();
    LongStream.range(from, from + count)
        .forEach(
            seed -> {
              try {
                var o = ServingSimulation.run(seed);
                events.addAndGet(o.events());
                moves.addAndGet(o.moves());
                complete.addAndGet(o.complete());
                failed.addAndGet(o.failed());
                end.addAndGet(o.endMs());
              } catch (RuntimeException e) {
                bad.incrementAndGet();
                String text = e.toString();
                if (bad.get() <= Long.getLong("sim.show", 5)) {
                  System.out.println(
                      count == 1 ? text : text.substring(0, Math.min(900, text.length())));
                  if (!(e instanceof SimulationFailure)) e.printStackTrace(System.out);
                }
              }
            });
    System.out.printf(
        "%d seeds, %d bad, %d events, %d moves, %d complete, %d failed, mean end %d ms, %.2f ms each%n",
        count,
        bad.get(),
        events.get(),
        moves.get(),
        complete.get(),
        failed.get(),
        end.get() / count,
        (cpu() - start) / 1e6 / count);
    assertTrue(bad.get() == 0);
  }
}
