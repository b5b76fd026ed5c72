package dev.flotilla.simulation;

import dev.flotilla.coordinator.Member;
import dev.flotilla.coordinator.Membership;
import dev.flotilla.coordinator.Membership.Effect;
import dev.flotilla.engine.EngineLife;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.jspecify.annotations.Nullable;

/**
 * A cluster of the real handshake, membership and life-cycle machines in virtual time. Things go
 * wrong for four seconds as the profile says; then it is calm, and after six more the cluster must
 * have converged. Invariants hold after every event. A run is fully decided by its seed.
 */
public final class MembershipSimulation {
  private static final long MS = 1_000_000;
  private static final long TROUBLE_MS = 4_000;
  private static final long END_MS = 10_000;
  private static final long DEAD_MS = 2_500;

  /** Longer than the silence that kills. */
  private static final long FREEZE_MAX_MS = 4_000;

  /** A message of a holder may still be under way when it dies, and counts as a sign of life. */
  private static final long LAST_SIGN_MS = 1_500;

  private final Profile profile;
  private final long seed;
  private final RandomGenerator random;
  private final VirtualTime time = new VirtualTime();
  private final SimulatedNetwork network;
  private final Membership.Limits limits;
  private final List<SimulatedEngine> engines = new ArrayList<>();
  private final Map<SimulatedEngine, Long> died = new HashMap<>();
  private final Map<Rank, Epoch> highestSeen = new HashMap<>();
  private final Map<Incarnation, Long> newestReport = new HashMap<>();
  private final Map<Gift, Incarnation> given = new HashMap<>();
  private final Map<Gift, Incarnation> shown = new HashMap<>(); // to the front-end
  private final List<SimulatedCoordinator> coordinators = new ArrayList<>();
  private final SimulatedFrontend frontend;
  private Term highestTerm = Term.NONE; // that the front-end followed
  private long events;

  /** What an engine has heard, which never falls. */
  private record Level(Epoch epoch, Term term) {
    static final Level NONE = new Level(Epoch.NONE, Term.NONE);
  }

  private final Map<SimulatedEngine, Level> levels = new HashMap<>();

  /** Who gave an epoch, and to which rank; two coordinators of one number may give the same. */
  private record Gift(Term term, Rank rank, Epoch epoch) {}

  /**
   * How a run went.
   *
   * @param events that happened
   * @param engines that ever started
   * @param ready engines that serve in the end
   * @param epochs that the last leader gave
   * @param term that it led in the end
   */
  public record Outcome(long events, int engines, int ready, int epochs, int term) {}

  private MembershipSimulation(Profile profile, long seed) {
    this.profile = profile;
    this.seed = seed;
    random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    network = new SimulatedNetwork(time, profile, random);
    limits = new Membership.Limits(2 + random.nextInt(4), 1_000 * MS, DEAD_MS * MS, 600 * MS);
    lead("coordinator-1");
    frontend = new SimulatedFrontend("front-end", time, network, this::seen);
    int first = profile.faults() > 0 ? limits.dataParallelSize() - 1 : limits.dataParallelSize();
    boolean ranked = random.nextBoolean();
    for (int i = 0; i < first; i++) {
      Rank rank = ranked ? new Rank(i) : null;
      at(random.nextLong(1_500), "start", () -> join(rank));
    }
    for (int i = 0; i < profile.faults(); i++) {
      at(500 + random.nextLong(TROUBLE_MS - 500), "fault", this::fault);
    }
    for (int i = 0; i < profile.handovers(); i++) {
      int number = 2 + i;
      long when = 500 + (TROUBLE_MS - 500) * i / profile.handovers();
      at(when + random.nextLong(1_000), "handover", () -> handover("coordinator-" + number));
    }
    at(TROUBLE_MS, "calm", network::calm);
  }

  /**
   * One run.
   *
   * @throws SimulationFailure with the seed and the last events
   */
  public static Outcome run(Profile profile, long seed) {
    return new MembershipSimulation(profile, seed).run();
  }

  private Outcome run() {
    while (time.advance(END_MS * MS)) {
      events++;
      coordinators.forEach(c -> checkMembers(c.membership()));
      checkEngines();
    }
    checkConverged();
    int ready = (int) engines.stream().filter(SimulatedEngine::up).count();
    Membership last = leader().membership();
    return new Outcome(events, engines.size(), ready, last.given(), last.term().number());
  }

  private void at(long ms, String what, Runnable action) {
    time.plan(time.now() + ms * MS, "world", what, action);
  }

  private void lead(String name) {
    SimulatedCoordinator[] self = new SimulatedCoordinator[1];
    self[0] =
        new SimulatedCoordinator(
            name,
            limits,
            SimulatedCoordinator.PUBLISH_MIN_MS,
            time,
            network,
            effect -> observe(self[0], effect));
    coordinators.add(self[0]);
  }

  /** Who leads the highest term; the youngest while nobody leads. */
  private SimulatedCoordinator leader() {
    SimulatedCoordinator leader = coordinators.getLast();
    for (SimulatedCoordinator one : coordinators) {
      boolean higher =
          !leader.leads() || one.membership().term().compareTo(leader.membership().term()) > 0;
      leader = one.leads() && higher ? one : leader;
    }
    return leader;
  }

  private void join(@Nullable Rank rank) {
    engines.add(new SimulatedEngine("e" + engines.size(), rank, time, network, random));
  }

  /** Another coordinator starts, knowing nothing; the one before is dead, or leads on beside it. */
  private void handover(String name) {
    SimulatedCoordinator former = leader();
    switch (random.nextInt(3)) {
      case 0 -> at(random.nextLong(1_000), name, () -> lead(name));
      case 1 -> {
        former.end();
        lead(name);
      }
      default -> {
        former.end();
        at(random.nextLong(1_000), name, () -> lead(name));
      }
    }
  }

  private void fault() {
    List<SimulatedEngine> live = engines.stream().filter(SimulatedEngine::up).toList();
    if (live.isEmpty()) {
      join(null);
      return;
    }
    SimulatedEngine victim = live.get(random.nextInt(live.size()));
    switch (random.nextInt(5)) {
      case 0 -> crash(victim, true);
      case 1 -> crash(victim, false);
      case 2 -> freeze(victim);
      case 3 -> {
        victim.leave();
        died.put(victim, time.now());
        at(random.nextLong(2_000), "join", () -> join(null));
      }
      default -> freeze(leader());
    }
  }

  private void freeze(SimulatedNetwork.Actor actor) {
    long until = time.now() + random.nextLong(FREEZE_MAX_MS) * MS;
    actor.freeze(Math.min(until, TROUBLE_MS * MS));
  }

  /** As by kill -9; the cluster manager may notice, and somebody may start it again. */
  private void crash(SimulatedEngine victim, boolean noticed) {
    victim.end();
    died.put(victim, time.now());
    if (noticed) {
      at(
          50 + random.nextLong(800),
          "node left",
          () ->
              network.send(
                  frontend, Addresses.COORDINATOR, new ToCoordinator.NodeLeft(victim.node())));
    }
    Rank rank = random.nextBoolean() ? victim.life().rank() : null;
    at(300 + random.nextLong(2_000), "restart", () -> join(rank));
  }

  private void observe(SimulatedCoordinator by, Effect effect) {
    if (!(effect instanceof Effect.Send(var _, var message))) {
      return;
    }
    if (message instanceof ToEngine.Init init) {
      Member member = member(by, init.incarnation());
      require(
          member != null && member.epoch().equals(init.epoch()),
          () -> "Init of an epoch that its member does not have: " + init);
      require(
          init.epoch().term() == init.term().number() && init.term().equals(by.membership().term()),
          () -> "an epoch of another term: " + init);
      Incarnation owner =
          given.putIfAbsent(new Gift(init.term(), new Rank(0), init.epoch()), init.incarnation());
      require(
          owner == null || owner.equals(init.incarnation()),
          () -> "epoch %s was given to %s already: %s".formatted(init.epoch(), owner, init));
    }
    if (message instanceof ToEngine.Refused refused && refused.reason().startsWith("rank")) {
      boolean held =
          engines.stream()
              .filter(e -> e.up() || time.now() - diedAt(e) < LAST_SIGN_MS * MS)
              .anyMatch(e -> refused.reason().contains("(" + e.incarnation() + ","));
      require(held, () -> "a dead holder turned its successor away: " + refused.reason());
    }
  }

  private long diedAt(SimulatedEngine engine) {
    return Math.max(engine.endedNanos(), died.getOrDefault(engine, 0L));
  }

  private static @Nullable Member member(SimulatedCoordinator of, Incarnation incarnation) {
    return of.membership().members().all().stream()
        .filter(m -> m.incarnation().equals(incarnation))
        .findFirst()
        .orElse(null);
  }

  private void seen(ClusterView view) {
    require(
        view.term().equals(highestTerm) || view.term().number() > highestTerm.number(),
        () -> "the front-end follows %s after %s".formatted(view.term(), highestTerm));
    highestTerm = view.term();
    for (ClusterView.Engine engine : view.engines()) {
      if (engine.goneBefore(view.term())) {
        continue; // Another leader may have given it a higher epoch before it went.
      }
      Epoch known = highestSeen.getOrDefault(engine.rank(), Epoch.NONE);
      require(
          engine.epoch().compareTo(known) >= 0,
          () -> "rank %s fell from %s to %s".formatted(engine.rank(), known, engine.epoch()));
      highestSeen.put(engine.rank(), engine.epoch());
      Incarnation owner =
          shown.putIfAbsent(
              new Gift(Term.NONE, engine.rank(), engine.epoch()), engine.incarnation());
      require(
          owner == null || owner.equals(engine.incarnation()),
          () -> "%s and %s were one rank under one epoch".formatted(owner, engine));
      LoadReport load = engine.load();
      if (load != null) {
        long before = newestReport.getOrDefault(engine.incarnation(), 0L);
        require(
            load.sequence() >= before || profile.handovers() > 0,
            () -> "report %d of %s came after %d".formatted(load.sequence(), engine, before));
        newestReport.put(engine.incarnation(), load.sequence());
      }
    }
  }

  private void checkEngines() {
    for (SimulatedEngine engine : engines) {
      Level before = levels.getOrDefault(engine, Level.NONE);
      Level now = new Level(engine.life().epoch(), engine.life().term());
      require(
          now.epoch().compareTo(before.epoch()) >= 0
              && now.term().number() >= before.term().number(),
          () -> "%s fell from %s to %s".formatted(engine.name(), before, now));
      levels.put(engine, now);
    }
  }

  private void checkMembers(Membership membership) {
    List<Member> members = membership.members().all();
    for (int i = 0; i < members.size(); i++) {
      Member member = members.get(i);
      Epoch newest = new Epoch(membership.term().number(), membership.given());
      require(
          member.epoch().compareTo(newest) <= 0, () -> "an epoch that was not given: " + member);
      for (int j = i + 1; j < members.size(); j++) {
        Member other = members.get(j);
        require(
            other.rank().value() > member.rank().value()
                && !other.incarnation().equals(member.incarnation())
                && !other.epoch().equals(member.epoch()),
            () -> "%s and %s cannot both be".formatted(member, other));
      }
    }
  }

  private void checkConverged() {
    SimulatedCoordinator coordinator = leader();
    require(
        coordinators.stream().filter(SimulatedCoordinator::leads).count() == 1,
        () ->
            "not one coordinator leads: "
                + coordinators.stream().map(SimulatedCoordinator::leads).toList());
    int live = 0;
    for (SimulatedEngine engine : engines) {
      if (engine.up()) {
        live++;
        EngineLife life = engine.life();
        Member member = member(coordinator, engine.incarnation());
        require(
            life.stage() == EngineLife.Stage.SERVING,
            () -> "%s does not serve: %s".formatted(engine.name(), life));
        require(
            member != null
                && member.state() == EngineState.READY
                && !member.suspect()
                && member.rank().equals(life.rank())
                && member.epoch().equals(life.epoch()),
            () -> "%s believes %s, the coordinator %s".formatted(engine.name(), life, member));
      } else if (!engine.ended().isEmpty() && !engine.ended().equals("stopped")) {
        checkRefusal(engine);
      }
    }
    require(
        coordinator.membership().members().all().size() == live,
        () -> "dead engines are still members: " + coordinator.membership().members());
    require(
        frontend.view().term().equals(coordinator.view().term())
            && sameEngines(frontend.view(), coordinator.view()),
        () ->
            "the front-end sees %s, the coordinator %s"
                .formatted(frontend.view(), coordinator.view()));
    if (profile.equals(Profile.LOSSLESS)) {
      require(
          coordinator.membership().given() == engines.size()
              && coordinator.membership().term().number() == 1,
          () -> "epochs were given again though nothing was lost");
    }
  }

  /** Only one who found no place may be turned away, and only where places are fought over. */
  private void checkRefusal(SimulatedEngine engine) {
    require(
        profile.faults() > 0 && engine.ended().matches("the coordinator refused it: (rank|all) .*"),
        () -> "%s ended itself: %s".formatted(engine.name(), engine.ended()));
  }

  private static boolean sameEngines(ClusterView a, ClusterView b) {
    return a.engines().stream()
        .map(e -> e.rank() + "/" + e.epoch() + "/" + e.state())
        .toList()
        .equals(
            b.engines().stream().map(e -> e.rank() + "/" + e.epoch() + "/" + e.state()).toList());
  }

  private void require(boolean holds, Supplier<String> what) {
    if (!holds) {
      throw new SimulationFailure(what.get(), profile, seed, time.lastEvents());
    }
  }
}
