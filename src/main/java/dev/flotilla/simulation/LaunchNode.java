package dev.flotilla.simulation;

import dev.flotilla.config.RankRange;
import dev.flotilla.launch.EngineFailure;
import dev.flotilla.launch.LaunchWatch;
import dev.flotilla.launch.RestartPolicy;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToFrontend;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * One node of a simulated launch: starts its ranks, starts the dead again by the real {@link
 * RestartPolicy}, and watches the launch with the real {@link LaunchWatch}. A node whose launch
 * fails takes its engines with it, as its process would.
 */
final class LaunchNode extends SimulatedNetwork.Actor {
  private static final long MS = 1_000_000;
  private static final long TICK_MS = 250;
  private static final int LOAD_MAX_MS = 1_500;
  private static final int NOTICE_MAX_MS = 200;
  private static final int DOOM_MAX_MS = 500;

  private final SimulatedEngine.Place place;
  private final RankRange ranks;
  private final VirtualTime time;
  private final SimulatedNetwork network;
  private final RandomGenerator random;
  private final BiConsumer<LaunchNode, LaunchWatch.Result> finished;
  private final Map<Rank, SimulatedEngine> engines = new HashMap<>();
  private final Map<Rank, RestartPolicy> policies = new HashMap<>();
  private @Nullable LaunchWatch watch;
  private @Nullable Rank doomed;
  private int starts;
  private int givenUp;

  /** Not started yet; tells how its launch ended. */
  LaunchNode(
      String name,
      SimulatedEngine.Place place,
      RankRange ranks,
      VirtualTime time,
      SimulatedNetwork network,
      RandomGenerator random,
      BiConsumer<LaunchNode, LaunchWatch.Result> finished) {
    super(name);
    this.place = place;
    this.ranks = ranks;
    this.time = time;
    this.network = network;
    this.random = random;
    this.finished = finished;
  }

  /** Starts the node; engines of the doomed rank die soon after each start. */
  void start(RankRange awaits, int ready, long timeoutMs, @Nullable Rank doomedRank) {
    doomed = doomedRank;
    watch =
        LaunchWatch.start(
            new LaunchWatch.Goal(awaits, ranks, ready, timeoutMs, EngineFailure.CONTINUE),
            time.now() / MS);
    network.consume(Addresses.ALL_FRONTENDS, this);
    network.plan(this, time.now() + TICK_MS * MS, "tick", this::tick);
    for (int rank = ranks.first(); rank < ranks.first() + ranks.count(); rank++) {
      startEngine(new Rank(rank));
    }
  }

  RankRange ranks() {
    return ranks;
  }

  Iterable<SimulatedEngine> engines() {
    return engines.values();
  }

  /** How it ended; null: it has not. */
  LaunchWatch.@Nullable Result result() {
    return watch == null ? null : watch.result();
  }

  LaunchWatch watch() {
    if (watch == null) {
      throw new IllegalStateException(name() + " has not started");
    }
    return watch;
  }

  int starts() {
    return starts;
  }

  int givenUp() {
    return givenUp;
  }

  @Override
  void receive(Object message) {
    if (message instanceof ToFrontend.View view) {
      on(new LaunchWatch.Event.View(view.view()));
    }
  }

  private void tick() {
    on(new LaunchWatch.Event.Tick(time.now() / MS));
    for (Rank rank : List.copyOf(engines.keySet())) {
      SimulatedEngine engine = engines.get(rank);
      if (engine != null && !engine.up()) {
        engines.remove(rank);
        long notice = time.now() + random.nextLong(NOTICE_MAX_MS) * MS;
        network.plan(this, notice, "notices " + engine.name(), () -> noticed(rank, engine));
      }
    }
    network.plan(this, time.now() + TICK_MS * MS, "tick", this::tick);
  }

  private void noticed(Rank rank, SimulatedEngine engine) {
    if (random.nextBoolean()) {
      network.send(
          this,
          Addresses.COORDINATOR,
          new ToCoordinator.Leaving(rank, engine.incarnation(), "signal 9"));
    }
    on(
        new LaunchWatch.Event.Ended(
            LaunchWatch.Part.ENGINE, "EngineCore_DP" + rank, engine.ended() + "signal 9"));
    RestartPolicy.Step step =
        policies
            .getOrDefault(rank, RestartPolicy.FRESH)
            .on(new RestartPolicy.Event.Died(time.now() / MS));
    policies.put(rank, step.next());
    switch (step.decision()) {
      case RestartPolicy.Decision.Restart(long afterMs) ->
          network.plan(this, time.now() + afterMs * MS, "restart " + rank, () -> startEngine(rank));
      case RestartPolicy.Decision.GiveUp(String reason, long trialMs) -> {
        givenUp++;
        on(new LaunchWatch.Event.GivenUp(rank, reason));
        network.plan(this, time.now() + trialMs * MS, "trial " + rank, () -> onTrial(rank));
      }
      case RestartPolicy.Decision.None() -> {}
    }
  }

  private void onTrial(Rank rank) {
    policies.computeIfPresent(
        rank, (same, policy) -> policy.on(new RestartPolicy.Event.Tried(time.now() / MS)).next());
    startEngine(rank);
  }

  /** The model loads for a while before the engine says Hello. */
  private void startEngine(Rank rank) {
    long loaded = time.now() + random.nextLong(LOAD_MAX_MS) * MS;
    network.plan(
        this,
        loaded,
        "rank " + rank + " has loaded",
        () -> {
          String name = name() + "-" + rank + "-" + starts++;
          SimulatedEngine engine = new SimulatedEngine(name, rank, place, time, network, random);
          engines.put(rank, engine);
          if (rank.equals(doomed)) {
            long death = time.now() + random.nextLong(DOOM_MAX_MS) * MS;
            network.plan(engine, death, "doom", engine::end);
          }
        });
  }

  private void on(LaunchWatch.Event event) {
    LaunchWatch.Step step = watch().on(event);
    watch = step.next();
    for (LaunchWatch.Effect effect : step.effects()) {
      if (effect instanceof LaunchWatch.Effect.Finish(LaunchWatch.Result result)) {
        finished.accept(this, result);
        if (result instanceof LaunchWatch.Result.Failed) {
          engines.values().forEach(SimulatedEngine::end);
          end();
        }
      }
    }
  }
}
