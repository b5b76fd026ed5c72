package dev.flotilla.simulation;

import dev.flotilla.config.Balancing;
import dev.flotilla.config.LoadBalancing;
import dev.flotilla.coordinator.Waves;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.GroupPlan;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * A lockstep group in virtual time: the real {@link Waves} and {@link
 * dev.flotilla.engine.Lockstep}, messages that the profile loses, doubles, delays and reorders, and
 * exchanges that fail when a member dies or stands still. Things go wrong for two seconds; then all
 * requests must be done and the group at rest within a bound. A run is fully decided by its seed.
 */
public final class WaveSimulation {
  static final GroupPlan PLAN =
      new GroupPlan(1, Balancing.INTERNAL, LoadBalancing.FLOTILLA, null, true, null);

  private static final long MS = 1_000_000;
  private static final long TROUBLE_MS = 2_000;
  private static final long END_MS = 14_000;
  private static final long LOOK_MS = 200;
  private static final long DEADLINE_MS = 700;

  /** In calm, all is over well before a group counts as stuck. */
  private static final long STUCK_MS = 5_000;

  /** So many looks in a row must find the group at rest. */
  private static final int LOOKS = 4;

  final VirtualTime time = new VirtualTime();
  final RandomGenerator random;
  final SimulatedNetwork network;
  final WaveBarriers barriers;
  final WaveChecks checks;
  final Seams seams;
  final boolean timers;
  final int size;
  private final Shape shape;
  private final long seed;
  private final int interval;
  private final Waves.Limits limits;
  private final List<WaveEngine> engines = new ArrayList<>();
  private final Map<Incarnation, Integer> starts = new HashMap<>();
  private final List<WaveCoordinator> coordinators = new ArrayList<>();
  private final SimulatedNetwork.Actor nodes = new Nodes();
  private int unfinished;
  private int finished;
  private int resting;
  private long events;

  /**
   * What can happen in a run.
   *
   * @param timers whether anything is ever repeated, or noticed by silence
   */
  public record Shape(String name, Profile profile, boolean timers) {
    /** Nothing is lost and nobody has a clock: each message is said once, and that must do. */
    public static final Shape EDGES = new Shape("edges", Profile.LOSSLESS, false);

    /** Nothing is lost: timers run, and must repeat nothing. */
    public static final Shape QUIET = new Shape("quiet", Profile.LOSSLESS, true);

    /** Three of ten messages are lost; others are doubled, late or overtaken. */
    public static final Shape LOSSY = new Shape("lossy", Profile.LOSSY, true);

    /** Ranks die, stand still, are cut off and come back, and messages are lost. */
    public static final Shape CRASHES = new Shape("crashes", Profile.CRASHES, true);

    /** The same, while coordinators die, stand still, or go on beside their successors. */
    public static final Shape TAKEOVER = new Shape("takeover", Profile.TAKEOVER, true);

    /** All of them. */
    public static final List<Shape> ALL = List.of(EDGES, QUIET, LOSSY, CRASHES, TAKEOVER);

    /** The one that a seed runs. */
    public static Shape of(long seed) {
      return ALL.get((int) Math.floorMod(seed, (long) ALL.size()));
    }
  }

  /**
   * How a run went.
   *
   * @param requests done
   * @param wave of the group in the end
   * @param generations formed by the last leader
   * @param repairs orders that it gave again
   * @param failures generations that failed under it
   * @param dummies steps without work, of the ranks that live in the end
   * @param steps all of theirs
   * @param restMs when the group was at rest
   */
  public record Outcome(
      Shape shape,
      long events,
      int requests,
      long wave,
      int term,
      long generations,
      long repairs,
      long failures,
      long dummies,
      long steps,
      long restMs) {}

  /** The machines that engines run on, and whoever says what became of them. */
  private static final class Nodes extends SimulatedNetwork.Actor {
    Nodes() {
      super("nodes");
    }

    @Override
    void receive(Object message) {}
  }

  private WaveSimulation(Shape shape, long seed, Seams seams) {
    this.shape = shape;
    this.seed = seed;
    this.seams = seams;
    timers = shape.timers();
    random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    network = new SimulatedNetwork(time, shape.profile(), random, seams);
    checks = new WaveChecks(this);
    barriers = new WaveBarriers(time, network, random, DEADLINE_MS * MS, checks);
    size = 1 + random.nextInt(4);
    interval = 1 + random.nextInt(5);
    limits = new Waves.Limits(size, 100 * MS, 50 * MS, 1_000 * MS, STUCK_MS * MS);
    lead();
    for (int i = 0; i < size; i++) {
      Rank rank = new Rank(i);
      boolean late = timers && random.nextInt(8) == 0;
      at(late ? 1_200 + random.nextLong(800) : random.nextLong(300), "start", () -> join(rank));
    }
    int requests = 1 + random.nextInt(6);
    int stepsMax = shape.profile().faults() > 0 ? 80 : 12; // Long enough to be hit in a wave.
    unfinished = requests;
    for (int i = 0; i < requests; i++) {
      WaveEngine.Request request = new WaveEngine.Request(i, 1 + random.nextInt(stepsMax));
      at(random.nextLong(TROUBLE_MS), "request", () -> submit(request));
    }
    Profile profile = shape.profile();
    for (int i = 0; i < profile.faults(); i++) {
      at(300 + random.nextLong(TROUBLE_MS - 300), "fault", this::fault);
    }
    for (int i = 0; i < profile.handovers(); i++) {
      at(300 + random.nextLong(TROUBLE_MS - 300), "handover", this::handover);
    }
    at(TROUBLE_MS, "calm", network::calm);
    if (timers) {
      at(TROUBLE_MS + LOOK_MS, "look", this::look);
    }
  }

  /**
   * One run, in the shape of its seed.
   *
   * @throws SimulationFailure with the seed and the last events
   */
  public static Outcome run(long seed) {
    return run(Shape.of(seed), seed, Seams.NONE);
  }

  /** One run. */
  static Outcome run(Shape shape, long seed, Seams seams) {
    return new WaveSimulation(shape, seed, seams).run();
  }

  private Outcome run() {
    while (resting < LOOKS && time.advance(END_MS * MS)) {
      events++;
    }
    checks.converged();
    Waves waves = leader().waves();
    Waves.Counts counts = waves.counts();
    return new Outcome(
        shape,
        events,
        finished,
        waves.wave(),
        waves.term().number(),
        counts.generations(),
        counts.repairs(),
        counts.failures(),
        live().stream().mapToLong(e -> e.lockstep().counts().dummies()).sum(),
        live().stream().mapToLong(e -> e.lockstep().counts().steps()).sum(),
        time.now() / MS);
  }

  private void look() {
    resting = checks.rests() ? resting + 1 : 0;
    at(LOOK_MS, "look", this::look);
  }

  private void at(long ms, String what, Runnable action) {
    time.plan(time.now() + ms * MS, "world", what, action);
  }

  boolean lossless() {
    return shape.profile().equals(Profile.LOSSLESS);
  }

  int unfinished() {
    return unfinished;
  }

  int startOf(Incarnation incarnation) {
    return starts.getOrDefault(incarnation, 0);
  }

  List<WaveEngine> live() {
    return engines.stream().filter(WaveEngine::up).toList();
  }

  /** Who leads the highest term. */
  WaveCoordinator leader() {
    return coordinators.getLast();
  }

  void finished(WaveEngine.Request request) {
    unfinished--;
    finished++;
    if (unfinished < 0) {
      fail("request " + request.id() + " was done twice");
    }
  }

  void fail(String what) {
    throw new SimulationFailure(what, shape.name(), seed, time.lastEvents());
  }

  private void lead() {
    int number = coordinators.size() + 1;
    Term term = new Term(number, new NodeId("node-" + number));
    coordinators.add(new WaveCoordinator(term, limits, this));
  }

  private void join(Rank rank) {
    String name = "e%s-%d".formatted(rank, engines.size());
    starts.put(new Incarnation(name), engines.size() + 1);
    engines.add(new WaveEngine(name, rank, interval, this));
  }

  /** To some engine; if none is there, later. */
  private void submit(WaveEngine.Request request) {
    List<WaveEngine> live = live();
    if (live.isEmpty()) {
      at(100, "request", () -> submit(request));
      return;
    }
    WaveEngine to = live.get(random.nextInt(live.size()));
    to.take(request);
  }

  private void fault() {
    List<WaveEngine> live = live();
    if (live.isEmpty()) {
      return;
    }
    WaveEngine victim = live.get(random.nextInt(live.size()));
    long until = time.now() + random.nextLong(3_000) * MS;
    switch (random.nextInt(7)) {
      case 0 -> crash(victim, true);
      case 1 -> crash(victim, false);
      case 2 -> leave(victim);
      case 3 -> victim.freeze(until);
      case 4 -> victim.stall(until);
      case 5 -> leader().freeze(Math.min(until, TROUBLE_MS * MS));
      default -> {
        network.cut(victim, leader(), random.nextLong(2_000) * MS);
        network.cut(leader(), victim, random.nextLong(2_000) * MS);
      }
    }
  }

  private void leave(WaveEngine victim) {
    gone(victim, true);
    network.send(
        nodes,
        Addresses.COORDINATOR,
        new ToCoordinator.Leaving(victim.rank(), victim.incarnation(), "drained"));
  }

  /** As by kill -9, or by a machine that loses its power. */
  private void crash(WaveEngine victim, boolean process) {
    gone(victim, process);
    if (random.nextBoolean()) {
      at(
          20 + random.nextLong(500),
          "death noticed",
          () ->
              network.send(
                  nodes,
                  Addresses.COORDINATOR,
                  new ToCoordinator.Leaving(
                      victim.rank(), victim.incarnation(), "its process ended")));
    }
  }

  private void gone(WaveEngine victim, boolean noticed) {
    List<WaveEngine.Request> open = victim.die(noticed);
    open.forEach(request -> at(100 + random.nextLong(400), "request moves", () -> submit(request)));
    if (random.nextInt(4) > 0) {
      at(100 + random.nextLong(2_000), "restart", () -> join(victim.rank()));
    } else if (live().isEmpty()) {
      at(100, "restart", () -> join(victim.rank()));
    }
  }

  /** Another coordinator leads, at once or after a while; the former is dead, or does not know. */
  private void handover() {
    if (random.nextInt(3) > 0) {
      leader().end();
    }
    if (random.nextBoolean()) {
      lead();
    } else {
      leader().end();
      at(random.nextLong(1_000), "takeover", this::lead);
    }
  }
}
