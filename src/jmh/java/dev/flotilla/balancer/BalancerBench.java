package dev.flotilla.balancer;

import dev.flotilla.config.LoadBalancing;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What does choosing an engine add to a request? Every rank has reported and has four requests on
 * their way that it has not acknowledged.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class BalancerBench {
  private static final FrontendId OWNER = new FrontendId("bench");
  private static final int UNACKNOWLEDGED = 4;

  /** Engines in the view. */
  @Param({"16", "128"})
  private int ranks;

  /** Blocks of the prompt that are looked for in the prefix caches; most of them are found. */
  @Param({"0", "64"})
  private int blocks;

  private final Ledger ledger = new Ledger(OWNER);
  private final Balancer balancer = new Balancer(LoadBalancing.FLOTILLA, Client.ALONE, ledger);
  private ClusterView view = ClusterView.EMPTY;
  private Query query = Query.of(1100);

  /** A view of busy engines. */
  @Setup(Level.Trial)
  public void fill() {
    List<ClusterView.Engine> engines =
        IntStream.range(0, ranks).mapToObj(BalancerBench::engine).toList();
    view = new ClusterView(1, 1, ranks, engines);
    for (ClusterView.Engine engine : engines) {
      ledger.report(report(engine.rank(), engine.incarnation()), 0);
      for (int i = 0; i < UNACKNOWLEDGED; i++) {
        ledger.send(engine.incarnation(), 500);
      }
    }
    long[] hashes = new long[blocks];
    for (int i = 0; i < blocks; i++) {
      hashes[i] = i * 0x9E3779B97F4A7C15L;
      for (int rank = 0; rank < ranks; rank++) {
        if (i < blocks - rank % 8) {
          balancer.prefixes().added(engines.get(rank).incarnation(), i + 1, hashes[i]);
        }
      }
    }
    query = new Query(1100, PrefixChain.of(16, hashes), Set.of(), null);
  }

  private static ClusterView.Engine engine(int i) {
    Rank rank = new Rank(i);
    Incarnation incarnation = new Incarnation("incarnation-" + i);
    return new ClusterView.Engine(
        rank,
        incarnation,
        new Epoch(1, i + 1),
        EngineState.READY,
        new NodeId("node"),
        false,
        false,
        null,
        report(rank, incarnation));
  }

  private static LoadReport report(Rank rank, Incarnation incarnation) {
    int load = rank.value() * 7919 % 1000;
    return new LoadReport(
        rank,
        incarnation,
        new Epoch(1, rank.value() + 1),
        1,
        load / 100,
        load / 10,
        load * 50L,
        load * 100L,
        load,
        25_000,
        load,
        0,
        true,
        0,
        List.of(),
        null);
  }

  /** One choice. */
  @Benchmark
  public Optional<Balancer.Choice> choose() {
    return balancer.choose(view, query, 1_000_000);
  }
}
