package dev.flotilla.simulation;

import dev.flotilla.engine.EngineLife;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.EngineFacts;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** The real {@link EngineLife} on a simulated network; by itself it computes nothing. */
class SimulatedEngine extends SimulatedNetwork.Actor {
  static final EngineFacts FACTS =
      new EngineFacts("simulated", "scripted", 1024, 16, 4096, 256, 2048, "0");
  private static final long MS = 1_000_000;

  /** Divides the shortest timer of a life. */
  private static final long TICK_MS = 125;

  private static final int REGISTRATION_MAX_MS = 50;
  private static final long HANDSHAKE_MS = 300_000;

  private final Incarnation incarnation;
  private final Place place;
  private final VirtualTime time;
  private final SimulatedNetwork network;
  private final RandomGenerator random;
  private EngineLife life;
  private long sequence;
  private String ended = "";
  private long endedNanos;

  /** Where an engine is, as it says in its Hello. */
  record Place(NodeId node, boolean local, boolean headless, String configHash) {}

  /** On a node of its own, which the coordinator has no expectation of. */
  SimulatedEngine(
      String name,
      @Nullable Rank wanted,
      VirtualTime time,
      SimulatedNetwork network,
      RandomGenerator random) {
    this(
        name,
        wanted,
        new Place(new NodeId("node-" + name), true, false, ""),
        time,
        network,
        random);
  }

  SimulatedEngine(
      String name,
      @Nullable Rank wanted,
      Place place,
      VirtualTime time,
      SimulatedNetwork network,
      RandomGenerator random) {
    super(name);
    this.incarnation = new Incarnation(name);
    this.place = place;
    this.time = time;
    this.network = network;
    this.random = random;
    life = EngineLife.start(incarnation, wanted, HANDSHAKE_MS, time.now() / MS);
    network.consume(Addresses.candidate(incarnation), this);
    network.consume(Addresses.ALL_ENGINES, this);
    network.plan(this, time.now() + random.nextLong(TICK_MS * MS), "tick", this::tick);
  }

  final EngineLife life() {
    return life;
  }

  final NodeId node() {
    return place.node();
  }

  final Incarnation incarnation() {
    return incarnation;
  }

  /** Why it ended by itself; empty if it did not. */
  final String ended() {
    return ended;
  }

  /** When it ended by itself. */
  long endedNanos() {
    return endedNanos;
  }

  void leave() {
    on(new EngineLife.Event.Stop());
    finish("stopped");
  }

  private void tick() {
    on(new EngineLife.Event.Tick(time.now() / MS));
    network.plan(this, time.now() + TICK_MS * MS, "tick", this::tick);
  }

  @Override
  void receive(Object message) {
    long now = time.now() / MS;
    switch ((ToEngine) message) {
      case ToEngine.Init init -> on(new EngineLife.Event.Init(init, now));
      case ToEngine.Welcome welcome -> on(new EngineLife.Event.Welcome(welcome));
      case ToEngine.Refused refused -> on(new EngineLife.Event.Refused(refused));
      case ToEngine.WhoIsThere(var term) -> on(new EngineLife.Event.WhoIsThere(term, now));
      case ToEngine.Pong pong -> on(new EngineLife.Event.Pong(pong.from(), now));
      case ToEngine.Drain drain -> on(new EngineLife.Event.Drain(drain, now));
      case ToEngine.Submit _,
          ToEngine.Abort _,
          ToEngine.Ping _,
          ToEngine.PrefixSnapshot _,
          ToEngine.Utility _,
          ToEngine.HandOver _,
          ToEngine.GroupOrder _,
          ToEngine.Pacing _,
          ToEngine.Decline _ ->
          work((ToEngine) message);
    }
  }

  /** Something that is no part of an engine's life has come. */
  void work(ToEngine message) {
    throw new IllegalStateException("nobody sends work here: " + message);
  }

  /** The life has moved. */
  void moved(EngineLife next) {}

  final void on(EngineLife.Event event) {
    EngineLife.Step step = life.on(event);
    life = step.next();
    moved(life);
    step.effects().forEach(this::perform);
  }

  private void perform(EngineLife.Effect effect) {
    switch (effect) {
      case EngineLife.Effect.SayHello(var rank, var highest, var seen) ->
          network.send(
              this,
              Addresses.HANDSHAKE,
              new ToCoordinator.Hello(
                  incarnation,
                  rank,
                  place.node(),
                  place.local(),
                  place.headless(),
                  place.configHash(),
                  highest,
                  seen,
                  null));
      case EngineLife.Effect.Register(Rank rank) -> {
        long at = time.now() + random.nextLong(REGISTRATION_MAX_MS * MS);
        network.plan(this, at, "registered", () -> registered(rank));
      }
      case EngineLife.Effect.Warm(var frontends) ->
          frontends.forEach(
              id ->
                  network.send(
                      this, Addresses.frontend(id), new ToFrontend.Ping(rank(), incarnation, 0)));
      case EngineLife.Effect.SayReady(Rank rank, var epoch) ->
          network.send(
              this,
              Addresses.HANDSHAKE,
              new ToCoordinator.Ready(rank, incarnation, epoch, facts(), life.coordinator()));
      case EngineLife.Effect.Beat() ->
          network.send(this, Addresses.COORDINATOR, new ToCoordinator.Load(report()));
      case EngineLife.Effect.TakeNothingNew() -> {}
      case EngineLife.Effect.Leave(Rank rank, String reason) ->
          network.send(
              this, Addresses.COORDINATOR, new ToCoordinator.Leaving(rank, incarnation, reason));
      case EngineLife.Effect.Undeploy(String reason) -> finish(reason);
    }
  }

  private EngineFacts facts() {
    return new EngineFacts(
        FACTS.model(),
        FACTS.executor(),
        FACTS.kvBlocks(),
        FACTS.blockSize(),
        FACTS.maxModelLen(),
        FACTS.maxNumSeqs(),
        FACTS.maxNumBatchedTokens(),
        FACTS.version(),
        1,
        place.configHash());
  }

  private void finish(String reason) {
    ended = reason;
    endedNanos = time.now();
    end();
  }

  private void registered(Rank rank) {
    network.consume(Addresses.engine(rank, incarnation), this);
    on(new EngineLife.Event.Registered(time.now() / MS));
  }

  final Rank rank() {
    Rank rank = life.rank();
    if (rank == null) {
      throw new IllegalStateException(name() + " has no rank");
    }
    return rank;
  }

  LoadReport report() {
    sequence++;
    return new LoadReport(
        rank(),
        incarnation,
        life.epoch(),
        sequence,
        0,
        0,
        0,
        0,
        0,
        1024,
        0,
        0,
        false,
        -1,
        List.of(),
        null);
  }
}
