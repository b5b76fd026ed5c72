package dev.flotilla.simulation;

import dev.flotilla.config.EngineConfig;
import dev.flotilla.coordinator.GroupChange;
import dev.flotilla.coordinator.Scaling;
import dev.flotilla.coordinator.Scaling.Effect;
import dev.flotilla.coordinator.Scaling.Event;
import dev.flotilla.placement.AllToAll;
import dev.flotilla.placement.PackStrategy;
import dev.flotilla.placement.PlacementRequest;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.jspecify.annotations.Nullable;

/**
 * A group that is launched over nodes, grows and shrinks in virtual time, around the real {@link
 * Scaling} and the nodes' real ledgers; messages are lost and doubled, engines die while they
 * start, and in a phase that the seed chooses a node or the coordinator dies, or a node is cut off
 * for a while. Invariants after every event: no device is booked twice, and no two engines run on
 * one. In the end: nothing is under way 10 s after the last fault and request, the size is one that
 * was asked for, every rank that has room runs once, and nobody holds anything else.
 */
public final class ScalingSimulation {
  private static final long MS = 1_000_000;
  private static final long SECOND = 1_000 * MS;
  private static final long SETTLED_NANOS = 10 * SECOND;

  /** Longer than silence takes to tell. */
  private static final long RESTED_NANOS = 5 * SECOND;

  private static final long END_NANOS = 90 * SECOND;
  private static final int SIZES_MAX = 7;

  private final long seed;
  private final Profile profile;
  private final RandomGenerator random;
  private final VirtualTime time = new VirtualTime();
  private final SimulatedNetwork network;
  private final List<ScalingNode> nodes = new ArrayList<>();
  private final TreeSet<Integer> sizes = new TreeSet<>(); // That the group may have in the end.
  private final Map<GroupChange.Phase, Integer> faultsIn = new EnumMap<>(GroupChange.Phase.class);
  private final Map<Integer, Integer> answers = new HashMap<>(); // by HTTP status
  private final GroupChange.Phase faultAt;
  private final boolean faultOnCall; // In a change that somebody asked for, or in any.
  private final int asks;
  private int faultsLeft;
  private int asked;
  private long calls;
  private long lastTrouble;
  private long longestNanos;
  private long unsettledSince = -1;
  private Leader leader;

  /** The coordinator of a term. */
  private final class Leader extends SimulatedNetwork.Actor {
    private Scaling scaling;

    Leader(Term term, Scaling.Settings settings) {
      super("leader-" + term);
      scaling = Scaling.start(settings, term, time.now());
      network.consume(Addresses.COORDINATOR, this);
      network.plan(this, time.now() + 50 * MS, "tick", this::tick);
    }

    @Override
    void receive(Object message) {
      if (message instanceof ToCoordinator.FromAgent told) {
        on(new Event.Told(time.now(), told));
      } else if (message instanceof ToCoordinator.NodeLeft(NodeId node)) {
        on(new Event.Left(time.now(), node));
      }
    }

    private void tick() {
      List<ClusterView.Engine> view = view();
      if (!view.equals(scaling.engines())) {
        on(new Event.Seen(time.now(), view));
      }
      if (up()) {
        on(new Event.Tick(time.now()));
      }
      network.plan(this, time.now() + 200 * MS, "tick", this::tick);
    }

    void on(Event event) {
      Scaling.Step step = scaling.on(event);
      scaling = step.next();
      for (Effect effect : step.effects()) {
        switch (effect) {
          case Effect.Order(NodeId node, var order) ->
              network.send(this, Addresses.node(node), order);
          case Effect.Answer(long _, int code, String _) -> answered(code, scaling.size());
          case Effect.Moved(String sentence) -> time.plan(time.now(), name(), sentence, () -> {});
        }
      }
      GroupChange change = scaling.current();
      if (change != null && change.phase() == faultAt && faultsLeft > 0) {
        if (!faultOnCall || change.call() != null) {
          faultsLeft--;
          faultsIn.merge(change.phase(), 1, Integer::sum);
          time.plan(time.now() + random.nextLong(100) * MS, "fate", "fault", () -> fault(change));
        }
      }
    }
  }

  /**
   * What one run came to.
   *
   * @param answers by HTTP status
   * @param faultsIn by the phase in which they struck
   * @param longestMs for which a change was under way after the last trouble before it
   */
  public record Outcome(
      Map<Integer, Integer> answers, Map<GroupChange.Phase, Integer> faultsIn, long longestMs) {
    /** Keeps private copies. */
    public Outcome {
      answers = Map.copyOf(answers);
      faultsIn = Map.copyOf(faultsIn);
    }
  }

  private ScalingSimulation(long seed) {
    this.seed = seed;
    random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    boolean lossy = random.nextInt(3) == 0;
    profile =
        lossy
            ? new Profile("scaling, lossy", 0.1, 0.1, 100, false, 1, 1)
            : new Profile("scaling", 0, 0, 20, true, 1, 1);
    network = new SimulatedNetwork(time, profile, random);
    int count = 2 + random.nextInt(4);
    double doomed = random.nextInt(4) == 0 ? 0.2 : 0;
    for (int i = 0; i < count; i++) {
      nodes.add(new ScalingNode("n" + i, 1 + random.nextInt(3), doomed, time, network, random));
    }
    GroupChange.Phase[] phases = GroupChange.Phase.values();
    faultAt = phases[random.nextInt(phases.length)];
    faultOnCall = random.nextInt(4) > 0;
    faultsLeft = random.nextInt(3);
    asks = 1 + random.nextInt(3);
    leader = new Leader(new Term(1, nodes.getFirst().id()), settings(1 + random.nextInt(3)));
  }

  /** Runs one seed to its end. */
  public static Outcome run(long seed) {
    return new ScalingSimulation(seed).run();
  }

  private Scaling.Settings settings(int launch) {
    sizes.add(launch);
    PackStrategy strategy = random.nextBoolean() ? PackStrategy.FILL : PackStrategy.STRICT;
    PlacementRequest request =
        new PlacementRequest("n0", 0, launch, 1, 1, strategy, AllToAll.NAIVE, List.of());
    return new Scaling.Settings(launch, true, request, null, EngineConfig.DEFAULT, 4 * SECOND);
  }

  private Outcome run() {
    ask();
    while (time.advance(END_NANOS)) {
      for (ScalingNode node : nodes) {
        if (node.moved()) {
          String fault = node.fault();
          check(fault.isEmpty(), fault);
        }
      }
      watch();
      if (asked >= asks && time.now() > lastTrouble + RESTED_NANOS && quiet()) {
        break;
      }
    }
    rested();
    return new Outcome(answers, faultsIn, longestNanos / MS);
  }

  /** A change that is under way for long after the last trouble has not settled. */
  private void watch() {
    if (leader.scaling.current() == null) {
      unsettledSince = -1;
      return;
    }
    long from = Math.max(unsettledSince < 0 ? time.now() : unsettledSince, lastTrouble);
    unsettledSince = from;
    longestNanos = Math.max(longestNanos, time.now() - from);
    check(
        time.now() - from <= SETTLED_NANOS || !leader.up(),
        "%s is under way for more than 10 s".formatted(leader.scaling.current()));
  }

  private void ask() {
    long at = time.now() + 2 * SECOND + random.nextLong(4 * SECOND);
    time.plan(
        at,
        "client",
        "asks",
        () -> {
          asked++;
          lastTrouble = Math.max(lastTrouble, time.now());
          if (leader.up()) {
            int wanted = 1 + random.nextInt(SIZES_MAX);
            sizes.add(wanted);
            leader.on(new Event.Asked(time.now(), ++calls, wanted, 1_000));
          }
          if (asked < asks) {
            ask();
          }
        });
  }

  private void answered(int code, int size) {
    answers.merge(code, 1, Integer::sum);
    check(sizes.contains(size), "the size became %d, which nobody asked for".formatted(size));
  }

  private void fault(GroupChange change) {
    lastTrouble = Math.max(lastTrouble, time.now());
    switch (random.nextInt(4)) {
      case 0 -> lose(leader.up() ? leader : null);
      case 1 -> cutOff();
      default -> {
        ScalingNode victim = victim(change);
        if (victim != null) {
          victim.end();
          long notice = time.now() + random.nextLong(500) * MS;
          boolean leads = victim.id().equals(leader.scaling.term().node());
          if (leads) {
            lose(leader);
          }
          boolean told = random.nextInt(4) > 0; // Otherwise its silence tells.
          time.plan(notice, "cluster", victim.name() + " left", () -> left(victim, told));
        }
      }
    }
  }

  private void left(ScalingNode victim, boolean told) {
    nodes.remove(victim);
    if (told && leader.up()) {
      leader.on(new Event.Left(time.now(), victim.id()));
    }
    if (random.nextBoolean()) { // The machine comes back as another node.
      long back = time.now() + random.nextLong(3 * SECOND);
      lastTrouble = Math.max(lastTrouble, back);
      int devices = victim.ledger().devices();
      time.plan(
          back,
          "cluster",
          victim.name() + " is back",
          () -> nodes.add(new ScalingNode(victim.name() + "'", devices, 0, time, network, random)));
    }
  }

  private @Nullable ScalingNode victim(GroupChange change) {
    List<String> concerned = change.groups().stream().map(g -> g.control()).distinct().toList();
    List<ScalingNode> all = nodes.stream().filter(SimulatedNetwork.Actor::up).toList();
    List<ScalingNode> some = all.stream().filter(n -> concerned.contains(n.name())).toList();
    List<ScalingNode> among = some.isEmpty() || random.nextInt(3) == 0 ? all : some;
    return all.size() < 2 ? null : among.get(random.nextInt(among.size()));
  }

  /** The coordinator dies; another that knows nothing takes over on a node that lives. */
  private void lose(@Nullable Leader dead) {
    if (dead == null || !dead.up()) {
      return;
    }
    dead.end();
    long at = time.now() + 100 * MS + random.nextLong(1_000) * MS;
    lastTrouble = Math.max(lastTrouble, at);
    Scaling before = dead.scaling;
    time.plan(
        at,
        "cluster",
        "another leads",
        () -> {
          NodeId node =
              nodes.stream().filter(SimulatedNetwork.Actor::up).findFirst().orElseThrow().id();
          leader = new Leader(before.term().next(node), before.settings());
        });
  }

  /** A node stands still for longer than others wait for it, and comes back with what it knew. */
  private void cutOff() {
    ScalingNode victim = nodes.get(random.nextInt(nodes.size()));
    if (victim.up()) {
      long back = time.now() + random.nextLong(8 * SECOND);
      lastTrouble = Math.max(lastTrouble, back);
      victim.freeze(back);
    }
  }

  private List<ClusterView.Engine> view() {
    Map<Rank, ClusterView.Engine> engines = new HashMap<>();
    for (ScalingNode node : nodes) {
      for (ScalingNode.Engine engine : node.engines()) {
        if (node.up() && engine.ready && !engine.ending && node.frozenUntil() <= time.now()) {
          engine.work = Math.max(0, engine.work - 1);
          engines.put(engine.rank, shown(node, engine));
        }
      }
    }
    return List.copyOf(engines.values());
  }

  private static ClusterView.Engine shown(ScalingNode node, ScalingNode.Engine engine) {
    Incarnation incarnation = new Incarnation("i");
    Epoch epoch = new Epoch(1, 1);
    LoadReport load =
        new LoadReport(
            engine.rank,
            incarnation,
            epoch,
            1,
            0,
            engine.work,
            0,
            0,
            engine.work,
            100,
            0,
            0,
            false,
            0,
            List.of(),
            null);
    return new ClusterView.Engine(
        engine.rank, incarnation, epoch, EngineState.READY, node.id(), false, false, null, load);
  }

  /** Whether every live node is as it shall stay. */
  private boolean quiet() {
    return leader.up() && leader.scaling.current() == null && problem().isEmpty();
  }

  private void rested() {
    check(leader.up() && leader.scaling.current() == null, "a change is under way at the end");
    check(sizes.contains(leader.scaling.size()), "a size that nobody asked for");
    check(problem().isEmpty(), problem());
  }

  private String problem() {
    Scaling scaling = leader.scaling;
    Map<Rank, Integer> running = new HashMap<>();
    int free = 0;
    for (ScalingNode node : nodes) {
      if (!node.up()) {
        continue;
      }
      free += node.ledger().devices() - node.ledger().held().size();
      for (var held : node.ledger().held().entrySet()) {
        if (!held.getValue().kept() || held.getKey().value() >= scaling.size()) {
          return "%s still holds rank %s".formatted(node.name(), held.getKey());
        }
      }
      for (ScalingNode.Engine engine : node.engines()) {
        running.merge(engine.rank, 1, Integer::sum);
      }
    }
    for (int value = 0; value < scaling.size(); value++) {
      int count = running.getOrDefault(new Rank(value), 0);
      boolean room = free > 0 && (scaling.settled() > 0 || free >= scaling.size());
      if (count > 1 || (count == 0 && room && !first(scaling))) {
        return "rank %d runs %d times, and %d devices are free".formatted(value, count, free);
      }
    }
    return "";
  }

  /** Whether nothing was ever placed, since the first placement has rules of its own. */
  private static boolean first(Scaling scaling) {
    return scaling.agents().all().values().stream().allMatch(h -> h.report().leases().isEmpty());
  }

  private void check(boolean holds, String what) {
    if (!holds) {
      throw new SimulationFailure(Objects.requireNonNull(what), profile, seed, time.lastEvents());
    }
  }
}
