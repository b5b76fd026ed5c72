package dev.flotilla.simulation.load;

import dev.flotilla.config.LoadBalancing;
import java.nio.file.Path;
import java.util.List;

final class TraceBench {
  private TraceBench() {}

  public static void main(String[] args) throws Exception {
    for (String name : args[1].split(",")) {
      Trace trace = Trace.read(Path.of(args[0], name + ".jsonl.gz"));
      for (String policy : args[2].split(",")) {
        for (int seed = 1; seed <= Integer.parseInt(args[3]); seed++) {
          long start = System.nanoTime();
          SimSettings settings =
              new SimSettings(
                  Integer.getInteger("n", 8),
                  Integer.getInteger("m", 4),
                  LoadBalancing.of(policy),
                  List.of(),
                  Boolean.getBoolean("lockstep"),
                  0.5,
                  List.of(),
                  seed,
                  Integer.getInteger("report", 0),
                  !Boolean.getBoolean("nosteal"),
                  100,
                  SimSettings.EngineModel.of(trace.prefixes()));
          SimResult r = SimFleet.run(trace, settings);
          System.out.printf(
              "%-22s %-15s seed %d p50 %.1f p99 %.1f tpot %.1f thr %.0f imb %.2f hit %.2f moved %d done %d lost %d  (%.1f s)%n",
              name,
              policy,
              seed,
              r.ttftP50Ms(),
              r.ttftP99Ms(),
              r.tpotP99Ms(),
              r.throughputTokensS(),
              r.imbalance(),
              r.prefixHitShare(),
              r.moved(),
              r.completed(),
              r.lost(),
              (System.nanoTime() - start) / 1e9);
        }
      }
    }
  }
}
