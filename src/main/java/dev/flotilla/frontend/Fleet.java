package dev.flotilla.frontend;

import dev.flotilla.balancer.Balancer;
import dev.flotilla.balancer.Client;
import dev.flotilla.balancer.Demand;
import dev.flotilla.balancer.Following;
import dev.flotilla.balancer.Ledger;
import dev.flotilla.balancer.Query;
import dev.flotilla.config.LoadBalancing;
import dev.flotilla.config.RankRange;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.ClusterView.Engine;
import dev.flotilla.protocol.EngineAt;
import dev.flotilla.protocol.EngineFacts;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.FleetFacts;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Machine;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToFrontend;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
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

  /** Beyond that, one that still speaks to this front-end counts for so long at most. */
  static final long SPEAKING_NANOS = 10_000_000_000L;

  /** An engine that has spoken so lately lives, whoever has yet to learn of it. */
  static final long SPOKE_NANOS = 1_000_000_000L;

  private final FrontendId owner;
  private final @Nullable RankRange ranks;
  private final Ledger ledger;
  private final Balancer balancer;
  private final Following following;
  private final NodeId node;
  private final LoadBalancing policy;
  private final StallWatch stalls = new StallWatch();
  private final Newcomers newcomers = new Newcomers();
  private ClusterView published = ClusterView.EMPTY;
  private ClusterView view = ClusterView.EMPTY;
  private ClusterView choosable = ClusterView.EMPTY;
  private Set<Incarnation> stalled = Set.of();
  private final Map<Incarnation, Long> spokeNanos = new HashMap<>();
  private long graceUntil;
  private boolean succeeded; // Another coordinator has led before.
  private boolean lingering;

  /** Over all ranks, by the default policy. */
  public Fleet(FrontendId owner, @Nullable RankRange ranks) {
    this(owner, new NodeId("local"), ranks, LoadBalancing.FLOTILLA);
  }

  /**
   * Knows nobody yet.
   *
   * @param node on which the front-end is
   * @param ranks that may be chosen here; null: all
   */
  public Fleet(FrontendId owner, NodeId node, @Nullable RankRange ranks, LoadBalancing policy) {
    this.owner = owner;
    this.node = node;
    this.ranks = ranks;
    this.policy = policy;
    this.ledger = new Ledger(owner);
    this.balancer = new Balancer(policy, Client.ALONE, ledger);
    this.following = new Following(balancer.prefixes());
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
    if (!newer.term().equals(published.term()) && !published.term().equals(Term.NONE)) {
      graceUntil = nowNanos + GRACE_NANOS;
      succeeded = true;
    }
    published = newer;
    ledger.take(newer, nowNanos);
    place(newer.frontends());
    return replace(nowNanos);
  }

  /** Time passes; gives the engines whose grace is over. */
  public Set<Incarnation> tick(long nowNanos) {
    Set<Incarnation> known = new HashSet<>();
    for (Engine engine : view.engines()) {
      LoadReport load = load(engine);
      known.add(engine.incarnation());
      if (load != null) {
        stalls.look(load, view.paused(), nowNanos);
      }
    }
    stalls.keep(known);
    stalled = stalls.worse(choosable.engines(), nowNanos);
    return nowNanos - graceUntil < 0 || !lingering ? Set.of() : replace(nowNanos);
  }

  /**
   * The engines that live and do not step while another does, as of the last tick: they get nothing
   * new, and what they have is to go elsewhere.
   */
  public Set<Incarnation> stalled() {
    return stalled;
  }

  private Set<Incarnation> replace(long nowNanos) {
    Set<Incarnation> gone = new HashSet<>();
    boolean grace = nowNanos - graceUntil < 0;
    List<Engine> engines = new ArrayList<>();
    boolean renewing = false;
    for (Engine engine : published.engines()) {
      Engine former = grace ? renewed(engine) : null;
      renewing |= former != null;
      engines.add(former == null ? engine : former);
    }
    for (Engine old : view.engines()) {
      boolean known =
          published.engines().stream().anyMatch(e -> e.incarnation().equals(old.incarnation()));
      boolean replaced = published.engine(old.rank()).isPresent();
      if (!known && !replaced && (grace || speaks(old.incarnation(), nowNanos))) {
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
    spokeNanos.keySet().removeAll(gone);
    lingering = renewing || engines.size() > published.engines().size();
    view = lingering ? published.withEngines(engines) : published;
    choosable =
        ranks == null
            ? view
            : view.withEngines(
                view.engines().stream().filter(e -> ranks.contains(e.rank().value())).toList());
    newcomers.seen(choosable, nowNanos);
    return gone;
  }

  /** The bus may take longer than the grace to bring an engine and a new coordinator together. */
  private boolean speaks(Incarnation engine, long nowNanos) {
    Long spoke = spokeNanos.get(engine);
    return succeeded
        && spoke != null
        && nowNanos - spoke < SPOKE_NANOS
        && nowNanos - graceUntil < SPEAKING_NANOS;
  }

  /** An engine has said something to this front-end; reports count without this. */
  public void spoke(Incarnation engine, long nowNanos) {
    if (succeeded
        && nowNanos - graceUntil < SPEAKING_NANOS
        && view.engines().stream().anyMatch(e -> e.incarnation().equals(engine))) {
      spokeNanos.put(engine, nowNanos);
    }
  }

  /**
   * What an engine was while it takes the epoch of a new coordinator: it goes on to serve under its
   * former one, which it still knows; null: nothing else.
   */
  private @Nullable Engine renewed(Engine engine) {
    return engine.state() != EngineState.CONNECTED
        ? null
        : view.engine(engine.rank())
            .filter(e -> e.serving() && e.incarnation().equals(engine.incarnation()))
            .orElse(null);
  }

  /** The ranks that may be chosen here, whether their engines are known or not. */
  RankRange ranks() {
    return ranks == null ? RankRange.all(view.dataParallelSize()) : ranks;
  }

  /**
   * This front-end's place among those that choose from the same ranks: where these are a node's,
   * among the node's.
   */
  private void place(List<ClusterView.Frontend> frontends) {
    int index = -1;
    int count = 0;
    for (ClusterView.Frontend frontend : frontends) {
      if (ranks == null || frontend.node().equals(node)) {
        index = frontend.id().equals(owner) ? count : index;
        count++;
      }
    }
    if (index >= 0) {
      balancer.client(new Client(index, count));
    }
  }

  /** Takes an engine's own report. */
  public void report(LoadReport load, long nowNanos) {
    ledger.report(load, nowNanos);
    spoke(load.incarnation(), nowNanos);
    following.heard(load.incarnation(), nowNanos);
  }

  /** Takes the report that rides on tokens, if one does. */
  void heard(ToFrontend.Tokens tokens, long nowNanos) {
    spoke(tokens.from().incarnation(), nowNanos);
    LoadReport load = tokens.load();
    if (load != null) {
      report(load, nowNanos);
    }
  }

  /** Takes what an engine's prefix cache has gained and lost. */
  public void prefixes(ToFrontend.PrefixChange change) {
    following.take(change);
  }

  /** The engines that are to be asked for a snapshot of their prefixes, and for reports. */
  public List<Engine> strangers(long nowNanos) {
    if (policy != LoadBalancing.FLOTILLA) {
      return List.of();
    }
    Map<Incarnation, Engine> ready = new HashMap<>();
    for (Engine engine : choosable.engines()) {
      if (engine.state() == EngineState.READY) {
        ready.put(engine.incarnation(), engine);
      }
    }
    return following.ask(ready.keySet(), nowNanos).stream().map(ready::get).toList();
  }

  /**
   * Notes a send; its number goes with it.
   *
   * @param cached of its tokens, those that the engine's prefix cache is thought to hold
   */
  public long send(Incarnation engine, int tokens, int cached) {
    return ledger.send(engine, tokens, cached);
  }

  /**
   * A request that was sent there has ended, or goes elsewhere, or is sent again. The send of this
   * number counts no more, even if the engine never acknowledges it.
   */
  public void left(Incarnation engine, long sequence) {
    ledger.ended(engine);
    ledger.lost(engine, sequence);
  }

  /** Whether the engine may get new work from here, as far as is known here. */
  public boolean mayTake(EngineAt engine) {
    return serving(engine.incarnation()).filter(e -> e.epoch().equals(engine.epoch())).isPresent();
  }

  /** Prompt tokens that were sent there and that no report has acknowledged. */
  public long unacknowledgedTokens(Incarnation engine) {
    return ledger.unacknowledgedTokens(engine);
  }

  /** A request has ended after so many output tokens. */
  public void outputs(int tokens) {
    ledger.outputs(tokens);
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

  /** The engine for a request. */
  public Optional<Balancer.Choice> choose(Query query, long nowNanos) {
    Optional<Balancer.Choice> found = balancer.choose(choosable, gently(query, nowNanos), nowNanos);
    return found.isPresent() ? found : balancer.choose(choosable, query, nowNanos);
  }

  /** Without those that stall or have just come, these as far as it is not their turn. */
  private Query gently(Query query, long nowNanos) {
    Query sound = query.without(stalled);
    return policy == LoadBalancing.FLOTILLA ? newcomers.spared(sound, nowNanos) : sound;
  }

  /** The engine for a request, and why. */
  Optional<Balancer.Reasoned> reason(Query query, long nowNanos) {
    Optional<Balancer.Reasoned> found =
        balancer.reason(choosable, gently(query, nowNanos), nowNanos);
    return found.isPresent() ? found : balancer.reason(choosable, query, nowNanos);
  }

  /** The engine of an incarnation, if it may get work from here. */
  Optional<Engine> serving(Incarnation incarnation) {
    return choosable.engines().stream()
        .filter(e -> e.incarnation().equals(incarnation) && e.serving())
        .findFirst();
  }

  /** Tokens of a block of the engines' prefix caches; 0 where nobody looks for prefixes. */
  int blockTokens() {
    if (policy != LoadBalancing.FLOTILLA) {
      return 0;
    }
    for (Engine engine : choosable.engines()) {
      EngineFacts facts = engine.facts();
      if (facts != null) {
        return facts.blockSize();
      }
    }
    return 0;
  }

  /** What is under way on the engines that may be chosen here. */
  Demand demand() {
    return Demand.of(choosable.engines(), ledger);
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
    return view.withEngines(engines);
  }

  /** The freshest report of an engine. */
  @Nullable LoadReport load(Engine engine) {
    return ledger.freshest(engine.incarnation()).orElse(engine.load());
  }
}
