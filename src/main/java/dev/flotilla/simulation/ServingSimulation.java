package dev.flotilla.simulation;

import dev.flotilla.config.Candidacy;
import dev.flotilla.coordinator.Membership;
import dev.flotilla.executor.scripted.ScriptedTokens;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.TokenIds;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A whole cluster that serves, in virtual time and around the machines that really serve: engines,
 * front-ends, and coordinators of which one leads and the others stand by. Things go wrong until
 * the calm, as the seed's swarm options say; from then on nothing fails, and everything must come
 * to its end in bounded time. Invariants are checked where they could break ({@link
 * ServingChecks}). A run is fully decided by its seed.
 */
public final class ServingSimulation {
  static final int BATCH_TOKENS = 16;
  static final int BLOCK_TOKENS = 4;
  static final int MODEL_LEN = 64;
  static final ScriptedTokens TOKENS = ScriptedTokens.of(1_000, TokenIds.EMPTY);
  static final long MS = 1_000_000;

  private static final long FIRST_REQUEST_MS = 900;
  private static final long CALM_MS = 3_000;
  private static final int COORDINATORS = 3;
  private static final long LOOK_MS = 20;
  private static final long REFILL_MS = 1_000;
  private static final long END_MS = 60_000;
  private static final long PAUSE_MAX_MS = 2_500;
  private static final long HANG_MAX_MS = 20_000;
  private static final long DEAD_MS = 1_500;

  final VirtualTime time = new VirtualTime();
  final RandomGenerator random;
  final ServingFaults faults;
  final Seams seams;
  final SimulatedNetwork network;
  final ServingChecks checks = new ServingChecks(this);
  private final long seed;
  final Membership.Limits limits;
  private final List<ServingEngine> engines = new ArrayList<>();
  private final List<ServingFrontend> frontends = new ArrayList<>();
  private final List<ServingRequest> requests = new ArrayList<>();
  private final List<ServingCoordinator> coordinators = new ArrayList<>();
  private long events;
  private boolean rested;
  private int pending; // what is planned to come although nothing fails any more

  /**
   * How a run went.
   *
   * @param events that happened
   * @param tokens that clients got
   * @param complete requests that were answered in full
   * @param failed requests that ended with an error
   * @param moves of queued requests to idler engines
   * @param retries attempts after a failure or a loss, and moves
   * @param leaders how often a coordinator began to lead
   * @param endMs when everything was over
   */
  public record Outcome(
      long events,
      long tokens,
      int complete,
      int failed,
      int moves,
      int retries,
      int leaders,
      long endMs) {}

  private ServingSimulation(long seed, Seams seams) {
    this.seed = seed;
    this.seams = seams;
    random = new SplittableRandom(seed);
    faults = ServingFaults.draw(random);
    network = new SimulatedNetwork(time, faults.network(), random, seams);
    int size = 2 + random.nextInt(3);
    limits = new Membership.Limits(size, 600 * MS, DEAD_MS * MS, 600 * MS);
    for (int i = 0; i < COORDINATORS; i++) {
      coordinators.add(
          new ServingCoordinator(
              "coordinator-" + i, i == 0 ? Candidacy.AT_ONCE : Candidacy.SUCCESSOR, this));
    }
    for (int i = 0; i < size; i++) {
      int rank = i;
      at(random.nextLong(100), "start", () -> join(new Rank(rank)));
    }
    for (int i = 0; i < 2; i++) {
      frontends.add(new ServingFrontend("front-" + i, this));
    }
    populate(size);
    time.plan(100 * MS, "world", "tells nodes", this::manage);
    for (int i = 0; i < faults.strikes(); i++) {
      ServingFaults.Kind kind = faults.kinds().get(random.nextInt(faults.kinds().size()));
      at(FIRST_REQUEST_MS + random.nextLong(CALM_MS - FIRST_REQUEST_MS), kind, () -> strike(kind));
    }
    at(CALM_MS, "calm", this::calm);
  }

  /**
   * One run.
   *
   * @throws SimulationFailure with the seed and the last events
   */
  public static Outcome run(long seed) {
    return run(seed, Seams.NONE);
  }

  static Outcome run(long seed, Seams seams) {
    return new ServingSimulation(seed, seams).run();
  }

  private Outcome run() {
    while (!rested && time.advance(END_MS * MS)) {
      events++;
    }
    require(rested, () -> "I5: not all is done in %d ms: %s".formatted(END_MS, unfinished()));
    long end = time.now() / MS;
    // Acknowledgements and aborts may be under way still.
    while (time.advance((end + 600) * MS)) {
      events++;
    }
    checks.rested();
    int complete = (int) requests.stream().filter(r -> r.delivered == r.maxTokens).count();
    int failed = (int) requests.stream().filter(r -> r.ends == 1).count() - complete;
    return new Outcome(
        events,
        requests.stream().mapToLong(r -> r.delivered).sum(),
        complete,
        Math.max(0, failed),
        checks.moves(),
        checks.retries(),
        checks.leaderships(),
        end);
  }

  private void calm() {
    network.calm();
    engines.forEach(engine -> engine.hang(0));
    look();
    refill();
  }

  /** Somebody starts what is missing, also where an engine was turned away. */
  private void refill() {
    if (pending == 0 && liveEngines().size() < limits.dataParallelSize()) {
      join(null);
    }
    time.plan(time.now() + REFILL_MS * MS, "world", "looks for engines", this::refill);
  }

  private void look() {
    rested = pending == 0 && rests();
    if (!rested) {
      time.plan(time.now() + LOOK_MS * MS, "world", "looks", this::look);
    }
  }

  private boolean rests() {
    for (ServingRequest request : requests) {
      if (!request.over && ownerLives(request)) {
        return false;
      }
    }
    for (ServingEngine engine : engines) {
      if (engine.up() && !engine.idle()) {
        return false;
      }
    }
    return true;
  }

  private String unfinished() {
    StringBuilder text = new StringBuilder();
    requests.stream()
        .filter(r -> !r.over && ownerLives(r))
        .forEach(r -> text.append(r).append("; "));
    engines.stream()
        .filter(e -> e.up() && !e.idle())
        .forEach(e -> text.append(e.name()).append(": ").append(e.counters()).append("; "));
    return text.toString();
  }

  private void populate(int size) {
    int count = 3 + random.nextInt(10);
    boolean burst = random.nextBoolean();
    long together = FIRST_REQUEST_MS + random.nextLong(500);
    for (int i = 0; i < count; i++) {
      ServingFrontend owner = frontends.get(random.nextInt(frontends.size()));
      int[] prompt = new int[1 + random.nextInt(30)];
      for (int j = 0; j < prompt.length; j++) {
        prompt[j] = random.nextInt(1_000);
      }
      Rank only = random.nextInt(12) == 0 ? new Rank(random.nextInt(size)) : null;
      ServingRequest request =
          new ServingRequest(
              new RequestId(owner.id(), i + 1), TokenIds.of(prompt), 1 + random.nextInt(24), only);
      requests.add(request);
      long when =
          burst ? together + random.nextLong(20) : FIRST_REQUEST_MS + random.nextLong(1_500);
      network.plan(owner, when * MS, "request", () -> owner.accept(request));
      if (faults.impatientClients() && random.nextInt(3) == 0) {
        network.plan(owner, (when + random.nextLong(800)) * MS, "left", () -> owner.close(request));
      }
    }
  }

  private void at(long ms, Object what, Runnable action) {
    pending++;
    time.plan(
        ms * MS,
        "world",
        what,
        () -> {
          pending--;
          action.run();
        });
  }

  private void after(long ms, Object what, Runnable action) {
    at(time.now() / MS + ms, what, action);
  }

  private void join(@Nullable Rank rank) {
    int blocks = faults.scarceMemory() ? MODEL_LEN / BLOCK_TOKENS + random.nextInt(4) : 256;
    int queue = faults.scarceQueues() ? 1 + random.nextInt(3) : 64;
    int stepMs = 10 + random.nextInt(20);
    ServingEngine.Shape shape =
        new ServingEngine.Shape(
            1 + random.nextInt(4),
            blocks,
            queue,
            faults.slowEngines() ? stepMs * (1 + random.nextInt(5)) : stepMs);
    engines.add(new ServingEngine("e" + engines.size(), rank, shape, this));
  }

  private <A extends SimulatedNetwork.Actor> @Nullable A any(List<A> actors) {
    List<A> live = actors.stream().filter(SimulatedNetwork.Actor::up).toList();
    return live.isEmpty() ? null : live.get(random.nextInt(live.size()));
  }

  private void strike(ServingFaults.Kind kind) {
    ServingEngine engine = any(engines);
    ServingFrontend frontend = any(frontends);
    switch (kind) {
      case ENGINE_CRASH -> crash(engine);
      case ENGINE_PAUSE -> pause(engine);
      case ENGINE_LEAVES -> leave(engine);
      case LEADER_CRASH -> {
        ServingCoordinator leader = leader();
        // A founder that dies before anyone has heard of it takes its cluster along, by design.
        if (coordinators.stream().anyMatch(c -> c != leader && c.up() && c.mayLead())) {
          leader.end();
          noticed();
        }
      }
      case LEADER_PAUSE -> pause(leader());
      case FRONTEND_CRASH -> {
        if (frontend != null && frontends.stream().filter(f -> f.up()).count() > 1) {
          frontend.end();
          noticed();
        }
      }
      case FRONTEND_PAUSE -> pause(frontend);
      case PARTITION -> partition(engine, frontend);
      case ENGINE_HANGS -> {
        if (engine != null) {
          engine.hang(random.nextLong(HANG_MAX_MS) * MS);
        }
      }
    }
  }

  private void pause(SimulatedNetwork.@Nullable Actor actor) {
    if (actor != null) {
      long until = time.now() + random.nextLong(PAUSE_MAX_MS) * MS;
      actor.freeze(Math.min(until, CALM_MS * MS));
    }
  }

  private void partition(@Nullable ServingEngine engine, @Nullable ServingFrontend frontend) {
    List<SimulatedNetwork.Actor> parts = new ArrayList<>();
    parts.add(leader());
    if (engine != null) {
      parts.add(engine);
    }
    if (frontend != null) {
      parts.add(frontend);
    }
    SimulatedNetwork.Actor from = parts.remove(random.nextInt(parts.size()));
    for (SimulatedNetwork.Actor to : parts) {
      network.cut(from, to, random.nextLong(2_000) * MS);
    }
  }

  /** As by kill -9; the cluster manager may notice, and somebody starts it again. */
  private void crash(@Nullable ServingEngine victim) {
    if (victim == null) {
      return;
    }
    victim.end();
    noticed();
    Rank rank = random.nextBoolean() ? victim.life().rank() : null;
    after(200 + random.nextLong(1_500), "restart", () -> join(rank));
  }

  private void leave(@Nullable ServingEngine engine) {
    if (engine != null) {
      engine.leave();
      after(200 + random.nextLong(1_500), "join", () -> join(null));
    }
  }

  /** Who leads, or would do so next. */
  private ServingCoordinator leader() {
    List<ServingCoordinator> live =
        coordinators.stream().filter(SimulatedNetwork.Actor::up).toList();
    return live.stream().filter(ServingCoordinator::leads).findFirst().orElse(live.getFirst());
  }

  /** The cluster manager notices that a node is gone, sooner or later. */
  private void noticed() {
    after(50 + random.nextLong(random.nextInt(3) == 0 ? 3_000 : 300), "notices", this::tellNodes);
  }

  private void tellNodes() {
    List<NodeId> all = new ArrayList<>();
    List<NodeId> standingBy = new ArrayList<>();
    for (ServingCoordinator coordinator : coordinators) {
      if (coordinator.up()) {
        standingBy.add(coordinator.node());
      }
    }
    all.addAll(standingBy);
    liveEngines().forEach(e -> all.add(e.node()));
    liveFrontends().forEach(f -> all.add(f.node()));
    for (ServingCoordinator coordinator : coordinators) {
      network.send(
          coordinator,
          Addresses.coordinator(coordinator.node()),
          new ToCoordinator.Nodes(all, standingBy));
    }
  }

  /** The cluster manager says so each second. */
  private void manage() {
    tellNodes();
    time.plan(time.now() + REFILL_MS * MS, "world", "tells nodes", this::manage);
  }

  ServingRequest request(RequestId id) {
    return requests.get((int) id.counter() - 1);
  }

  List<ServingRequest> requests() {
    return requests;
  }

  List<ServingEngine> liveEngines() {
    return engines.stream().filter(SimulatedNetwork.Actor::up).toList();
  }

  List<ServingFrontend> liveFrontends() {
    return frontends.stream().filter(SimulatedNetwork.Actor::up).toList();
  }

  boolean ownerLives(ServingRequest request) {
    return frontends.stream().anyMatch(f -> f.up() && f.id().equals(request.id.frontend()));
  }

  void require(boolean holds, Supplier<String> what) {
    if (!holds) {
      throw new SimulationFailure(what.get(), faults.toString(), seed, time.lastEvents());
    }
  }
}
