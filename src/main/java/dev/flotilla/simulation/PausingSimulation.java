package dev.flotilla.simulation;

import dev.flotilla.coordinator.Pausing;
import dev.flotilla.coordinator.Pausing.Effect;
import dev.flotilla.coordinator.Pausing.Event;
import dev.flotilla.coordinator.Pausing.Outcome;
import dev.flotilla.coordinator.Pausing.State;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.PauseMode;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.jspecify.annotations.Nullable;

/**
 * A group that is paused and resumed in virtual time, around the real {@link Pausing} and the real
 * machines of its ranks; messages are lost, doubled and overtaken, ranks die, stand still and are
 * started anew, coordinators die and are replaced by such that know nothing, and the group steps
 * together or each rank for itself. Invariants: every call is answered in its time; when a pause is
 * answered every member is paused and rests, and from then on no rank that may be given work
 * computes anything; when a resume is answered no member is paused. In the end all ranks are as the
 * coordinator says, and if they run, all work is done.
 */
public final class PausingSimulation {
  private static final long MS = 1_000_000;
  private static final long SECOND = 1_000 * MS;

  /** Until then somebody asks, and things go wrong. */
  private static final long TROUBLE_NANOS = 5 * SECOND;

  private static final long END_NANOS = 60 * SECOND;

  /** Silence after which a rank is no member. */
  private static final long DEAD_NANOS = SECOND;

  /** A rank that was no member and is heard again is told within this. */
  private static final long TOLD_NANOS = 1_500 * MS;

  private static final List<PauseMode> MODES = List.of(PauseMode.values());

  private final long seed;
  private final Profile profile;
  private final RandomGenerator random;
  private final VirtualTime time = new VirtualTime();
  private final SimulatedNetwork network;
  private final List<PausedRank> ranks = new ArrayList<>();
  private final Map<Incarnation, Long> endedNanos = new HashMap<>();
  private final Map<Incarnation, Long> strangerUntil = new HashMap<>();
  private final Map<Long, Long> open = new HashMap<>(); // calls, and when they are overdue
  private final Map<String, Integer> answers = new TreeMap<>();
  private final PausedRank.Wave wave;
  private final boolean lockstep;
  private boolean waveRuns;
  private boolean waveWanted;
  private boolean inForce; // A pause was answered, and nobody has asked for anything else since.
  private long calls;
  private int starts;
  private int sends;
  private int orders;
  private Leader leader;

  /** What one run came to: answers by name, and how often orders were sent more than needed. */
  public record Result(Map<String, Integer> answers, int repairs) {
    /** Keeps a private copy. */
    public Result {
      answers = Map.copyOf(answers);
    }
  }

  /** The coordinator of a term. */
  private final class Leader extends SimulatedNetwork.Actor {
    private final Map<Incarnation, Long> knownFrom = new HashMap<>();
    private Pausing pausing;

    Leader(Term term, @Nullable Boolean inherited) {
      super("leader " + term);
      pausing = Pausing.start(term, inherited, time.now());
      for (PausedRank rank : ranks) {
        knownFrom.put(rank.incarnation, time.now() + random.nextLong(500 * MS));
      }
      network.consume(Addresses.COORDINATOR, this);
      tick();
    }

    @Override
    void receive(Object message) {
      if (message instanceof ToCoordinator.Paused level) {
        on(new Event.Told(time.now(), level));
      }
    }

    private void tick() {
      List<ClusterView.Engine> members = members();
      if (!members.equals(pausing.engines())) {
        on(new Event.Seen(time.now(), members));
      }
      on(new Event.Tick(time.now()));
      network.plan(this, time.now() + 150 * MS, "tick", this::tick);
    }

    /** Who was heard of in time, as a membership would say. */
    private List<ClusterView.Engine> members() {
      List<ClusterView.Engine> members = new ArrayList<>();
      for (PausedRank rank : ranks) {
        long from =
            knownFrom.computeIfAbsent(
                rank.incarnation, _ -> time.now() + random.nextLong(300 * MS));
        long heard =
            rank.up()
                ? rank.frozenSince() < 0 ? time.now() : rank.frozenSince()
                : endedNanos.getOrDefault(rank.incarnation, 0L);
        if (time.now() >= from && time.now() - heard < DEAD_NANOS) {
          members.add(engine(rank));
        } else if (time.now() >= from) {
          strangerUntil.put(rank.incarnation, time.now() + TOLD_NANOS);
        }
      }
      members.sort(Comparator.comparing(ClusterView.Engine::rank));
      return members;
    }

    /** Ranks that may be given work by what this leader shows. */
    private List<ClusterView.Engine> serving() {
      ClusterView all = new ClusterView(pausing.term(), 1, 9, pausing.engines());
      return pausing.shown(all).engines().stream().filter(ClusterView.Engine::serving).toList();
    }

    private void on(Event event) {
      Pausing.Step step = pausing.on(event);
      orders += step.next().order().equals(pausing.order()) ? 0 : ranks.size();
      pausing = step.next();
      for (Effect effect : step.effects()) {
        switch (effect) {
          case Effect.Send(var to, var order) -> {
            sends++;
            network.send(this, to, order);
          }
          case Effect.Answer(long call, Outcome outcome) -> answered(call, outcome);
          case Effect.Changed() -> {}
          case Effect.Moved(String sentence) -> time.plan(time.now(), name(), sentence, () -> {});
        }
      }
      inForce &= pausing.state() == State.PAUSED;
    }
  }

  private PausingSimulation(long seed) {
    this.seed = seed;
    random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    int kind = random.nextInt(4);
    profile =
        kind == 0
            ? Profile.LOSSLESS
            : new Profile("pausing", 0.1, 0.05, kind * 60, kind == 1, random.nextInt(4), kind - 1);
    network = new SimulatedNetwork(time, profile, random);
    lockstep = random.nextInt(3) == 0;
    wave = new Shared();
    int count = 1 + random.nextInt(4);
    for (int i = 0; i < count; i++) {
      startRank(new Rank(i));
    }
    leader = new Leader(new Term(1, new NodeId("n")), null);
  }

  /** Runs one seed to its end. */
  public static Result run(long seed) {
    return new PausingSimulation(seed).run();
  }

  /** All step while anyone has work; the start of a wave may come late. */
  private final class Shared implements PausedRank.Wave {
    @Override
    public boolean lockstep() {
      return lockstep;
    }

    @Override
    public boolean running() {
      return waveRuns;
    }

    @Override
    public void want() {
      if (!waveWanted) {
        waveWanted = true;
        time.plan(time.now() + random.nextLong(150) * MS, "wave", "starts", this::start);
      }
    }

    private void start() {
      waveWanted = false;
      waveRuns = true;
      ranks.forEach(PausedRank::wake);
      time.plan(time.now() + 40 * MS, "wave", "agrees", this::agree);
    }

    private void agree() {
      if (ranks.stream().anyMatch(r -> r.up() && r.frozenSince() < 0 && !r.done())) {
        time.plan(time.now() + 40 * MS, "wave", "agrees", this::agree);
      } else {
        waveRuns = false;
        ranks.forEach(PausedRank::wake);
      }
    }

    @Override
    public void working(PausedRank rank) {
      long until = strangerUntil.getOrDefault(rank.incarnation, 0L);
      check(
          !inForce || time.now() < until,
          () -> "%s computes while all are paused".formatted(rank.name()));
    }
  }

  private Result run() {
    for (int i = 2 + random.nextInt(4); i > 0; i--) {
      trouble("client", this::ask);
    }
    for (int i = 0; i < profile.faults(); i++) {
      trouble("fate", this::fault);
    }
    for (int i = 0; i < profile.handovers(); i++) {
      trouble("fate", this::succeed);
    }
    for (int i = random.nextInt(12); i > 0; i--) {
      trouble("front-end", this::submit);
    }
    time.plan(TROUBLE_NANOS, "fate", "calm", network::calm);
    while (time.advance(END_NANOS)) {
      open.forEach(
          (call, due) -> check(time.now() <= due, () -> "call %d is not answered".formatted(call)));
      if (time.now() > TROUBLE_NANOS + SECOND / 2 && problem().isEmpty()) {
        break;
      }
    }
    check(problem().isEmpty(), this::problem);
    int repairs = profile.equals(Profile.LOSSLESS) ? Math.max(0, sends - orders) : 0;
    return new Result(answers, repairs);
  }

  private void trouble(String who, Runnable what) {
    time.plan(random.nextLong(TROUBLE_NANOS), who, "acts", what);
  }

  private void startRank(Rank rank) {
    Incarnation incarnation = new Incarnation("i" + ++starts);
    ranks.add(new PausedRank(rank, incarnation, wave, time, network, random));
  }

  private static ClusterView.Engine engine(PausedRank rank) {
    return new ClusterView.Engine(
        rank.rank,
        rank.incarnation,
        new Epoch(1, 1),
        EngineState.READY,
        new NodeId("n"),
        false,
        false,
        null,
        null);
  }

  private void ask() {
    if (!leader.up()) {
      return;
    }
    long call = ++calls;
    long timeoutMs = 300 + random.nextLong(5_000);
    // A call that joins another is answered with it.
    open.put(call, time.now() + 20 * SECOND);
    if (random.nextInt(5) < 2) {
      leader.on(new Event.Resume(time.now(), call, timeoutMs));
    } else {
      PauseMode mode = MODES.get(random.nextInt(3));
      leader.on(new Event.Pause(time.now(), call, mode, random.nextBoolean(), timeoutMs));
    }
  }

  private void answered(long call, Outcome outcome) {
    check(open.remove(call) != null, () -> "call %d is answered twice".formatted(call));
    answers.merge(outcome.getClass().getSimpleName(), 1, Integer::sum);
    if (!(outcome instanceof Outcome.Done(State state))) {
      return;
    }
    inForce = state == State.PAUSED;
    for (ClusterView.Engine member : leader.pausing.engines()) {
      for (PausedRank rank : ranks) {
        boolean same = rank.incarnation.equals(member.incarnation()) && rank.up();
        boolean late = time.now() < strangerUntil.getOrDefault(rank.incarnation, 0L);
        if (same && !late && leader.pausing.order().number() > 0) {
          boolean paused = rank.mode() != null;
          check(
              state == State.PAUSED ? paused && !rank.work() : !paused,
              () -> "%s, but %s has mode %s".formatted(outcome, rank.name(), rank.mode()));
        }
      }
    }
  }

  private void submit() {
    List<ClusterView.Engine> serving = leader.serving();
    if (serving.isEmpty()) {
      return;
    }
    Incarnation chosen = serving.get(random.nextInt(serving.size())).incarnation();
    for (PausedRank rank : ranks) {
      if (rank.incarnation.equals(chosen)) {
        network.plan(rank, time.now() + random.nextLong(20) * MS, "submit", rank::submit);
      }
    }
  }

  private void fault() {
    PausedRank victim = ranks.get(random.nextInt(ranks.size()));
    if (!victim.up()) {
      return;
    }
    if (random.nextInt(3) == 0) {
      victim.stall(random.nextLong(3 * SECOND));
      return;
    }
    victim.end();
    endedNanos.put(victim.incarnation, time.now());
    if (random.nextInt(3) > 0) {
      long back = time.now() + DEAD_NANOS + random.nextLong(SECOND);
      time.plan(back, "fate", "rank is back", () -> startRank(victim.rank));
    }
  }

  /** The coordinator dies, and another that knows nothing but its last view takes over. */
  private void succeed() {
    if (!leader.up()) {
      return;
    }
    Pausing before = leader.pausing;
    leader.end();
    open.clear(); // The callers look what came of it.
    inForce = false;
    Boolean seen = random.nextInt(4) == 0 ? null : before.paused();
    long at = time.now() + 100 * MS + random.nextLong(900 * MS);
    time.plan(
        at,
        "cluster",
        "another leads",
        () -> leader = new Leader(before.term().next(new NodeId("n")), seen));
  }

  /** What is not as it should be at rest; empty: nothing. */
  private String problem() {
    Pausing pausing = leader.pausing;
    if (!leader.up() || !open.isEmpty()) {
      return "nobody leads, or calls are open: " + open;
    }
    if (pausing.state() != State.RUNNING && pausing.state() != State.PAUSED) {
      return "the group is %s at the end".formatted(pausing.state());
    }
    for (PausedRank rank : ranks) {
      boolean paused = rank.mode() != null;
      if (rank.up() && paused != (pausing.state() == State.PAUSED)) {
        return "all are %s, but %s has mode %s"
            .formatted(pausing.state(), rank.name(), rank.mode());
      }
      if (rank.up() && (paused ? rank.work() : !rank.idle())) {
        return "%s has work left, with mode %s".formatted(rank.name(), rank.mode());
      }
    }
    return waveRuns ? "a wave runs" : "";
  }

  private void check(boolean holds, Supplier<String> what) {
    if (!holds) {
      throw new SimulationFailure(what.get(), profile, seed, time.lastEvents());
    }
  }
}
