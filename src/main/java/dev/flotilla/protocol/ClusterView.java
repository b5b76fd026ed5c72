package dev.flotilla.protocol;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What the coordinator publishes: all ranks and the freshest report of each.
 *
 * @param term the coordinator's leadership; one that is not admitted is dropped
 * @param version rises with every published view of one term; older ones are dropped
 * @param dataParallelSize ranks expected
 * @param engines in rank order
 * @param frontends in the order of their ids, so that each knows its place among them
 * @param paused whether a pause is being made, in force or being lifted, so that an engine that has
 *     work and does not step is none to worry about
 */
public record ClusterView(
    Term term,
    long version,
    int dataParallelSize,
    List<Engine> engines,
    List<Frontend> frontends,
    boolean paused) {

  /** Nothing known yet. */
  public static final ClusterView EMPTY = new ClusterView(Term.NONE, 0, 0, List.of());

  /** One API server, and the node that it runs on. */
  public record Frontend(FrontendId id, NodeId node) {}

  /**
   * One rank.
   *
   * @param suspect silent for longer than it should be: gets no new work
   * @param facts null until it was ready once
   * @param load null until it reported
   */
  public record Engine(
      Rank rank,
      Incarnation incarnation,
      Epoch epoch,
      EngineState state,
      NodeId node,
      boolean local,
      boolean suspect,
      @Nullable EngineFacts facts,
      @Nullable LoadReport load) {

    /** Where its messages go. */
    public Address<ToEngine> address() {
      return Addresses.engine(rank, incarnation);
    }

    /** The same with another report. */
    public Engine with(@Nullable LoadReport other) {
      return new Engine(rank, incarnation, epoch, state, node, local, suspect, facts, other);
    }

    /** The same in another state. */
    public Engine in(EngineState other) {
      return new Engine(rank, incarnation, epoch, other, node, local, suspect, facts, load);
    }

    /** Whether it went before this leader could give it an epoch of its own. */
    public boolean goneBefore(Term leader) {
      return state == EngineState.DEAD && epoch.term() < leader.number();
    }

    /** Whether it may get new work. */
    public boolean serving() {
      return state == EngineState.READY && !suspect;
    }
  }

  /** Keeps a private copy. */
  public ClusterView {
    engines = List.copyOf(engines);
    frontends = List.copyOf(frontends);
  }

  /** One that is not paused. */
  public ClusterView(
      Term term,
      long version,
      int dataParallelSize,
      List<Engine> engines,
      List<Frontend> frontends) {
    this(term, version, dataParallelSize, engines, frontends, false);
  }

  /** One that knows no front-ends. */
  public ClusterView(Term term, long version, int dataParallelSize, List<Engine> engines) {
    this(term, version, dataParallelSize, engines, List.of());
  }

  /** The same with other engines. */
  public ClusterView withEngines(List<Engine> others) {
    return new ClusterView(term, version, dataParallelSize, others, frontends, paused);
  }

  /** The same, paused. */
  public ClusterView whilePaused() {
    return new ClusterView(term, version, dataParallelSize, engines, frontends, true);
  }

  /** Of the one coordinator that there ever is, as in simulations of load. */
  public ClusterView(int term, long version, int dataParallelSize, List<Engine> engines) {
    this(new Term(term, Term.NONE.node()), version, dataParallelSize, engines);
  }

  /** The engine of a rank, if one is known. */
  public Optional<Engine> engine(Rank rank) {
    for (Engine engine : engines) {
      if (engine.rank().equals(rank)) {
        return Optional.of(engine);
      }
    }
    return Optional.empty();
  }

  /** Whether this view supersedes the other. */
  public boolean newerThan(ClusterView other) {
    return term.equals(other.term) ? version > other.version : other.term.admits(term);
  }
}
