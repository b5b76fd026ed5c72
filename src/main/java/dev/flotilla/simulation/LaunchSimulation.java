package dev.flotilla.simulation;

import dev.flotilla.config.Balancing;
import dev.flotilla.config.RankRange;
import dev.flotilla.coordinator.Expected;
import dev.flotilla.coordinator.Membership;
import dev.flotilla.coordinator.Membership.Effect;
import dev.flotilla.launch.LaunchWatch;
import dev.flotilla.launch.LaunchWatch.Result;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.ToEngine;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * Launches of 2 to 8 ranks on 1 to 4 nodes in virtual time, with the real handshake, membership,
 * engine lives, restart policy and launch watch. Messages are lost, doubled, late and overtaken,
 * engines die, stand still and return, nodes come late or never, strangers interfere, all for six
 * seconds; then it is calm. Every launch must end before its deadline: all ready, degraded and
 * serving, or failed with the missing named; and if nothing is missing for good, it must succeed. A
 * run is fully decided by its seed.
 */
public final class LaunchSimulation {
  private static final long MS = 1_000_000;
  private static final long TROUBLE_MS = 6_000;
  private static final long TIMEOUT_MS = 16_000;
  private static final long TICK_MS = 250;
  private static final long DEAD_MS = 2_500;
  private static final long PUBLISH_MIN_MS = 200;
  private static final int FREEZE_MAX_MS = 3_000;
  private static final int LATE_MAX_MS = 4_000;
  private static final String HASH = "same";

  private final long seed;
  private final RandomGenerator random;
  private final Profile profile;
  private final VirtualTime time = new VirtualTime();
  private final SimulatedNetwork network;
  private final SimulatedCoordinator coordinator;
  private final List<LaunchNode> nodes = new ArrayList<>();
  private final List<SimulatedEngine> strangers = new ArrayList<>();
  private final Map<Epoch, Incarnation> given = new HashMap<>();
  private final Map<Epoch, SimulatedEngine> holders = new HashMap<>(); // at this moment
  private final Map<LaunchNode, Long> started = new HashMap<>();
  private final int size;
  private final int ready;
  private final boolean lockstep;
  private boolean missingNode;
  private long events;

  /** How a launch ended. */
  public enum Ending {
    /** All awaited ranks serve. */
    ALL_READY,
    /** As many as suffice. */
    DEGRADED,
    /** Too few, and the missing were named. */
    FAILED
  }

  /**
   * How a run went.
   *
   * @param starts of engines, restarts included
   * @param givenUp ranks that died too often
   */
  public record Outcome(Ending ending, long events, int starts, int givenUp) {}

  private LaunchSimulation(long seed) {
    this.seed = seed;
    random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    double loss = random.nextInt(3) == 0 ? 0 : random.nextDouble() * 0.4;
    double repeated = random.nextBoolean() ? 0 : 0.15;
    int delay = 5 + random.nextInt(random.nextBoolean() ? 20 : 600);
    profile = new Profile("launch", loss, repeated, delay, random.nextBoolean(), 0, 0);
    network = new SimulatedNetwork(time, profile, random);
    size = 2 + random.nextInt(7);
    ready = random.nextBoolean() ? size : 1 + random.nextInt(size);
    lockstep = random.nextInt(5) == 0;
    int count = 1 + random.nextInt(4);
    int local = count == 1 ? size : random.nextInt(size);
    NodeId head = new NodeId("node-0");
    Expected expected =
        new Expected(Balancing.INTERNAL, local, lockstep, lockstep ? HASH : null, head);
    coordinator =
        new SimulatedCoordinator(
            "coordinator",
            new Membership.Limits(size, 1_000 * MS, DEAD_MS * MS, 600 * MS, expected),
            PUBLISH_MIN_MS,
            time,
            network,
            this::observe);
    new SimulatedFrontend("front-end", time, network, view -> {});
    place(count, local);
    plan();
    at(TROUBLE_MS, "calm", network::calm);
  }

  /**
   * One run.
   *
   * @throws SimulationFailure with the seed and the last events
   */
  public static Outcome run(long seed) {
    return new LaunchSimulation(seed).run();
  }

  private void place(int count, int local) {
    int first = 0;
    for (int i = 0; i < count; i++) {
      int left = size - first;
      int ranks = i == 0 ? local : i == count - 1 ? left : random.nextInt(left + 1);
      if (i > 0 && ranks == 0) {
        continue;
      }
      SimulatedEngine.Place place =
          new SimulatedEngine.Place(new NodeId("node-" + i), i == 0, i > 0, HASH);
      nodes.add(
          new LaunchNode(
              "node-" + i,
              place,
              new RankRange(first, ranks),
              time,
              network,
              random,
              this::finished));
      first += ranks;
    }
  }

  private void plan() {
    Rank doomed = random.nextInt(10) == 0 ? new Rank(random.nextInt(size)) : null;
    missingNode = nodes.size() > 1 && random.nextInt(10) == 0;
    int coming = missingNode ? nodes.size() - 1 : nodes.size();
    for (LaunchNode node : nodes.subList(0, coming)) {
      boolean head = node == nodes.getFirst();
      at(
          head ? 0 : random.nextLong(LATE_MAX_MS),
          "start of " + node.name(),
          () -> {
            started.put(node, time.now());
            RankRange awaits = head ? RankRange.all(size) : node.ranks();
            node.start(awaits, head ? ready : awaits.count(), TIMEOUT_MS, doomed);
          });
    }
    int faults = random.nextInt(5);
    for (int i = 0; i < faults; i++) {
      at(random.nextLong(TROUBLE_MS), "fault", this::fault);
    }
    if (random.nextInt(5) == 0) {
      at(random.nextLong(TROUBLE_MS), "stranger", this::stranger);
    }
  }

  private Outcome run() {
    LaunchNode head = nodes.getFirst();
    while (head.result() == null || pending()) {
      if (!time.advance((LATE_MAX_MS + TIMEOUT_MS + 1_000) * MS)) {
        throw failure("the launch did not end");
      }
      events++;
      checkEngines();
    }
    Result result = head.result();
    int starts = nodes.stream().mapToInt(LaunchNode::starts).sum();
    int givenUp = nodes.stream().mapToInt(LaunchNode::givenUp).sum();
    Ending ending =
        switch (result) {
          case Result.AllReady _ -> Ending.ALL_READY;
          case Result.Degraded _ -> Ending.DEGRADED;
          case Result.Failed _ -> Ending.FAILED;
          case null -> throw failure("the head's launch has no end");
        };
    return new Outcome(ending, events, starts, givenUp);
  }

  /** Whether a node that has started is still launching. */
  private boolean pending() {
    return started.keySet().stream().anyMatch(node -> node.result() == null);
  }

  private void at(long ms, String what, Runnable action) {
    time.plan(time.now() + ms * MS, "world", what, action);
  }

  private void fault() {
    List<SimulatedEngine> live = live();
    if (live.isEmpty()) {
      return;
    }
    SimulatedEngine victim = live.get(random.nextInt(live.size()));
    switch (random.nextInt(4)) {
      case 0 -> victim.freeze(time.now() + random.nextLong(FREEZE_MAX_MS) * MS);
      case 1 -> coordinator.freeze(time.now() + random.nextLong(FREEZE_MAX_MS) * MS);
      default -> victim.end();
    }
  }

  /** One that has no place in this launch, or wants that of another. */
  private void stranger() {
    String name = "stranger-" + strangers.size();
    NodeId away = new NodeId("node-x");
    boolean outside = random.nextBoolean();
    Rank rank = new Rank(outside ? size + random.nextInt(3) : random.nextInt(size));
    SimulatedEngine.Place place =
        new SimulatedEngine.Place(away, random.nextBoolean(), random.nextBoolean(), HASH);
    strangers.add(new SimulatedEngine(name, rank, place, time, network, random));
  }

  private List<SimulatedEngine> live() {
    List<SimulatedEngine> live = new ArrayList<>();
    for (LaunchNode node : nodes) {
      for (SimulatedEngine engine : node.engines()) {
        if (engine.up()) {
          live.add(engine);
        }
      }
    }
    return live;
  }

  /** No two live incarnations hold one rank under one epoch; epochs differ over all ranks. */
  private void checkEngines() {
    holders.clear();
    for (LaunchNode node : nodes) {
      for (SimulatedEngine engine : node.engines()) {
        checkAlone(engine);
      }
    }
    strangers.forEach(this::checkAlone);
  }

  private void checkAlone(SimulatedEngine engine) {
    if (engine.up() && engine.life().connected()) {
      SimulatedEngine other = holders.put(engine.life().epoch(), engine);
      if (other != null) {
        throw failure("%s and %s have one epoch".formatted(engine.life(), other.life()));
      }
    }
  }

  private void observe(Effect effect) {
    if (effect instanceof Effect.Send(var _, ToEngine.Init init)) {
      Incarnation owner = given.putIfAbsent(init.epoch(), init.incarnation());
      require(
          owner == null || owner.equals(init.incarnation()),
          () -> "epoch %s was given to %s already: %s".formatted(init.epoch(), owner, init));
    }
  }

  private void finished(LaunchNode node, Result result) {
    long took = (time.now() - Objects.requireNonNull(started.get(node))) / MS;
    require(took <= TIMEOUT_MS + TICK_MS, () -> "%s took %d ms".formatted(node.name(), took));
    LaunchWatch watch = node.watch();
    RankRange awaits = watch.goal().awaits();
    switch (result) {
      case Result.AllReady(int engines) ->
          require(
              engines == awaits.count() && unnamed(watch, "").isEmpty(),
              () -> "not all are ready: " + watch);
      case Result.Degraded(int engines, String missing) ->
          require(
              engines >= watch.goal().ready() && unnamed(watch, missing).isEmpty(),
              () -> "%s does not name %s".formatted(missing, unnamed(watch, missing)));
      case Result.Failed(String sentence) -> checkFailure(node, sentence);
    }
  }

  /** It must name what is missing, and something must be missing for good. */
  private void checkFailure(LaunchNode node, String sentence) {
    LaunchWatch watch = node.watch();
    require(
        unnamed(watch, sentence).isEmpty(),
        () -> "%s does not name %s".formatted(sentence, unnamed(watch, sentence)));
    boolean excused =
        missingNode
            || nodes.stream().anyMatch(n -> n.givenUp() > 0)
            || nodes.stream().anyMatch(n -> n.result() instanceof Result.Failed);
    require(excused, () -> "failed though nothing is missing for good: " + sentence);
  }

  /** Awaited ranks that do not serve and are not named. */
  private static List<Rank> unnamed(LaunchWatch watch, String sentence) {
    List<Rank> absent = new ArrayList<>();
    RankRange awaits = watch.goal().awaits();
    for (int value = awaits.first(); value < awaits.first() + awaits.count(); value++) {
      Rank rank = new Rank(value);
      boolean serves = watch.view().engine(rank).filter(ClusterView.Engine::serving).isPresent();
      if (!serves && !sentence.matches("(?s).*\\b" + value + "\\b.*")) {
        absent.add(rank);
      }
    }
    return absent;
  }

  private void require(boolean holds, Supplier<String> what) {
    if (!holds) {
      throw failure(what.get());
    }
  }

  private SimulationFailure failure(String what) {
    return new SimulationFailure(what, profile, seed, time.lastEvents());
  }
}
