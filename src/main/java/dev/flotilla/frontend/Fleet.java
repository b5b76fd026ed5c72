package dev.flotilla.frontend;

import dev.flotilla.balancer.Balancer;
import dev.flotilla.balancer.Client;
import dev.flotilla.balancer.Ledger;
import dev.flotilla.balancer.PrefixChain;
import dev.flotilla.balancer.Query;
import dev.flotilla.config.LoadBalancing;
import dev.flotilla.config.RankRange;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.ClusterView.Engine;
import dev.flotilla.protocol.EngineAt;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.FleetFacts;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Machine;
import dev.flotilla.protocol.Rank;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The engines as one front-end knows them: the newest view, the reports, its own sends. Used by one
 * thread.
 */
public final class Fleet implements Machine {
  /**
   * A new coordinator learns of the engines within so long; until then, absent ones still count.
   */
  static final long GRACE_NANOS = 3_000_000_000L;

  /** As many as one port is usually shared by. */
  private static final int CLIENTS = 4;

  private final FrontendId owner;
  private final @Nullable RankRange ranks;
  private final Ledger ledger;
  private final Balancer balancer;
  private final StallWatch stalls = new StallWatch();
  private ClusterView published = ClusterView.EMPTY;
  private ClusterView view = ClusterView.EMPTY;
  private ClusterView choosable = ClusterView.EMPTY;
  private long graceUntil;
  private boolean lingering;

  /**
   * Knows nobody yet.
   *
   * @param ranks that may be chosen here; null: all
   */
  public Fleet(FrontendId owner, @Nullable RankRange ranks) {
    this.owner = owner;
    this.ranks = ranks;
    this.ledger = new Ledger(owner);
    // Ids are random, so that front-ends' scans of equal engines start apart.
    Client client = new Client(Math.floorMod(owner.hashCode(), CLIENTS), CLIENTS);
    this.balancer = new Balancer(LoadBalancing.FLOTILLA, client, ledger);
  }

  /** What is known now. */
  public ClusterView view() {
    return view;
  }

  /** Takes a view if it is newer; gives the engines that are gone by it. */
  public Set<Incarnation> take(ClusterView newer, long nowNanos) {
    if (!newer.newerThan(published)) {
      return Set.of();
    }
    if (newer.term() != published.term() && published.term() != 0) {
      graceUntil = nowNanos + GRACE_NANOS;
    }
    published = newer;
    ledger.take(newer, nowNanos);
    return replace(nowNanos);
  }

  /** Time passes; gives the engines whose grace is over. */
  public Set<Incarnation> tick(long nowNanos) {
    Set<Incarnation> known = new HashSet<>();
    for (Engine engine : view.engines()) {
      LoadReport load = load(engine);
      known.add(engine.incarnation());
      if (load != null) {
        stalls.look(load, nowNanos);
      }
    }
    stalls.keep(known);
    return nowNanos - graceUntil < 0 || !lingering ? Set.of() : replace(nowNanos);
  }

  private Set<Incarnation> replace(long nowNanos) {
    Set<Incarnation> gone = new HashSet<>();
    List<Engine> engines = new ArrayList<>(published.engines());
    for (Engine old : view.engines()) {
      boolean known =
          published.engines().stream().anyMatch(e -> e.incarnation().equals(old.incarnation()));
      boolean replaced = published.engine(old.rank()).isPresent();
      if (!known && !replaced && nowNanos - graceUntil < 0) {
        engines.add(old);
      } else if (!known) {
        gone.add(old.incarnation());
      }
    }
    for (Engine engine : published.engines()) {
      if (engine.state() == EngineState.DEAD) {
        gone.add(engine.incarnation());
      }
    }
    gone.forEach(ledger::forget);
    lingering = engines.size() > published.engines().size();
    view =
        lingering
            ? new ClusterView(
                published.term(), published.version(), published.dataParallelSize(), engines)
            : published;
    choosable =
        ranks == null
            ? view
            : new ClusterView(
                view.term(),
                view.version(),
                view.dataParallelSize(),
                view.engines().stream().filter(e -> ranks.contains(e.rank().value())).toList());
    return gone;
  }

  /** The ranks that may be chosen here, whether their engines are known or not. */
  RankRange ranks() {
    return ranks == null ? RankRange.all(view.dataParallelSize()) : ranks;
  }

  /** Takes an engine's own report. */
  public void report(LoadReport load, long nowNanos) {
    ledger.report(load, nowNanos);
  }

  /** Notes a send; its number goes with it. */
  public long send(Incarnation engine, long tokens) {
    return ledger.send(engine, tokens);
  }

  /** A send is given up; no effect if it was acknowledged, or if there was none. */
  public void lost(@Nullable Incarnation engine, long sequence) {
    if (engine != null) {
      ledger.lost(engine, sequence);
    }
  }

  /** A send's request goes on elsewhere. */
  public void ended(Incarnation engine) {
    ledger.ended(engine);
  }

  /** Whether the engine may get new work from here, as far as is known here. */
  public boolean mayTake(EngineAt engine) {
    return choosable
        .engine(engine.rank())
        .filter(e -> e.serving() && e.incarnation().equals(engine.incarnation()))
        .filter(e -> e.epoch().equals(engine.epoch()))
        .isPresent();
  }

  /** Prompt tokens that were sent there and that no report has acknowledged. */
  public long unacknowledgedTokens(Incarnation engine) {
    return ledger.unacknowledgedTokens(engine);
  }

  /** Whether the engine has acknowledged the send. */
  public boolean acknowledged(Incarnation engine, long sequence) {
    return ledger.freshest(engine).filter(r -> r.ackOf(owner) >= sequence).isPresent();
  }

  /** Whether the engine, having received the send, says that it has nothing to do. */
  public boolean idle(Incarnation engine, long sequence) {
    return ledger
        .freshest(engine)
        .filter(r -> r.ackOf(owner) >= sequence && r.waiting() == 0 && r.running() == 0)
        .isPresent();
  }

  /**
   * The engine for a request.
   *
   * @param only the rank that the client insists on
   */
  public Optional<Engine> choose(
      int promptTokens, Set<Incarnation> failed, @Nullable Rank only, long nowNanos) {
    Query query = new Query(promptTokens, PrefixChain.NONE, failed, only);
    return balancer.choose(choosable, query, nowNanos).map(Balancer.Choice::engine);
  }

  /** Engines that may get new work from here. */
  int serving() {
    return (int) choosable.engines().stream().filter(Engine::serving).count();
  }

  /** Of these, the engines that also step, or have nothing to do. */
  int stepping(long nowNanos) {
    return (int)
        choosable.engines().stream()
            .filter(e -> e.serving() && !stalls.stalled(e.incarnation(), nowNanos))
            .count();
  }

  /** The least of all ready engines' context lengths; empty while none is ready. */
  OptionalInt maxModelLen() {
    return FleetFacts.of(choosable.engines()).longest();
  }

  /** The view, with the freshest report of each engine. */
  ClusterView freshest() {
    List<Engine> engines = new ArrayList<>();
    for (Engine e : view.engines()) {
      engines.add(
          new Engine(
              e.rank(),
              e.incarnation(),
              e.epoch(),
              e.state(),
              e.node(),
              e.local(),
              e.suspect(),
              e.facts(),
              load(e)));
    }
    return new ClusterView(view.term(), view.version(), view.dataParallelSize(), engines);
  }

  /** The freshest report of an engine. */
  @Nullable LoadReport load(Engine engine) {
    return ledger.freshest(engine.incarnation()).orElse(engine.load());
  }
}
