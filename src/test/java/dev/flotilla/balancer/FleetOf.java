package dev.flotilla.balancer;

import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineFacts;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.EngineWork;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.StepCost;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Views and reports of made-up engines. */
final class FleetOf {
  static final long MS = 1_000_000;
  static final FrontendId OWNER = new FrontendId("owner");
  static final EngineFacts FACTS =
      new EngineFacts("m", "scripted", 1000, 16, 131_072, 256, 8192, "0");

  private static long version;

  private FleetOf() {}

  /** Idle engines that serve. */
  static ClusterView idle(int count) {
    return view(count, engine -> engine);
  }

  static ClusterView view(int count, UnaryOperator<ClusterView.Engine> change) {
    List<ClusterView.Engine> engines = new ArrayList<>();
    for (int rank = 0; rank < count; rank++) {
      engines.add(change.apply(engine(rank, EngineState.READY, false, null)));
    }
    return new ClusterView(1, ++version, count, engines);
  }

  static ClusterView.Engine engine(
      int rank, EngineState state, boolean suspect, @Nullable LoadReport load) {
    return new ClusterView.Engine(
        new Rank(rank),
        incarnation(rank),
        new Epoch(1, rank + 1),
        state,
        new NodeId("node"),
        true,
        suspect,
        FACTS,
        load);
  }

  static ClusterView.Engine with(ClusterView.Engine engine, LoadReport load) {
    return engine(engine.rank().value(), engine.state(), engine.suspect(), load);
  }

  static Incarnation incarnation(int rank) {
    return new Incarnation("engine-" + rank);
  }

  /** What an engine says that has so much to do. */
  static LoadReport report(
      int rank, long sequence, int waiting, int running, double queuedMs, long acknowledged) {
    return report(rank, sequence, waiting, running, queuedMs, acknowledged, StepCost.DEFAULT);
  }

  static LoadReport report(
      int rank,
      long sequence,
      int waiting,
      int running,
      double queuedMs,
      long acknowledged,
      StepCost cost) {
    return report(
        rank,
        sequence,
        waiting,
        running,
        0,
        acknowledged,
        new EngineWork((float) queuedMs, running, 0, 0, 0, cost));
  }

  static LoadReport report(
      int rank,
      long sequence,
      int waiting,
      int running,
      int blocksUsed,
      long acknowledged,
      EngineWork work) {
    return new LoadReport(
        new Rank(rank),
        incarnation(rank),
        new Epoch(1, rank + 1),
        sequence,
        waiting,
        running,
        0,
        0,
        blocksUsed,
        1000,
        0,
        0,
        running > 0,
        0,
        List.of(new LoadReport.Ack(OWNER, acknowledged)),
        null,
        work);
  }
}
