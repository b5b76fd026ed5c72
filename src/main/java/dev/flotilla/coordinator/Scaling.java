package dev.flotilla.coordinator;

import dev.flotilla.config.EngineConfig;
import dev.flotilla.config.Surroundings;
import dev.flotilla.coordinator.GroupChange.Phase;
import dev.flotilla.placement.GivenPlacement;
import dev.flotilla.placement.PlacementRequest;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.Machine;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToNode;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The size of the group and where its ranks are: plans, reserves all or nothing, starts, settles;
 * drains and retires; replaces ranks whose node has gone. One {@link GroupChange} at a time. Keeps
 * nothing durable: who holds what, the agents know, and a coordinator that takes over listens to
 * them for a moment and goes on from there. Invariant: the size is that of the last settled change,
 * so that what fails leaves the old one.
 *
 * @param term under which orders are given
 * @param size of the group as last settled
 * @param settled number of the change that settled it; 0: none
 * @param highest number of a change that anyone has used
 * @param agents who are heard of
 * @param current what is under way; null: nothing
 * @param engines as the membership shows them
 * @param retryNanos nothing is tried again before
 * @param failures since the last change that went well, of those that nobody asked for
 */
public record Scaling(
    Settings settings,
    Term term,
    int size,
    long settled,
    long highest,
    Agents agents,
    @Nullable GroupChange current,
    List<ClusterView.Engine> engines,
    long startedNanos,
    long retryNanos,
    int failures)
    implements Machine {

  /**
   * What is set.
   *
   * @param launchSize ranks of the group at first
   * @param places whether the first ranks are placed on nodes too; otherwise only those beyond them
   * @param request what the first placement asks for; its head is this coordinator's node
   * @param given the first placement, instead of a plan; null: none. Its devices are reserved by
   *     whoever has made it: ranks that go by a change leave them, and have them when they return
   * @param engine every rank's configuration
   * @param surroundings of engines in JVMs of their own
   * @param startNanos what an engine may take to become ready
   * @param phaseNanos what every phase of a change takes at least; for tests of what happens in it
   */
  public record Settings(
      int launchSize,
      boolean places,
      PlacementRequest request,
      @Nullable GivenPlacement given,
      EngineConfig engine,
      Surroundings surroundings,
      long startNanos,
      long phaseNanos) {

    /** Phases take what they need. */
    public Settings(
        int launchSize,
        boolean places,
        PlacementRequest request,
        @Nullable GivenPlacement given,
        EngineConfig engine,
        long startNanos) {
      this(launchSize, places, request, given, engine, Surroundings.DEFAULT, startNanos, 0);
    }

    /** Whether a rank's devices stay reserved when it goes by a change of the group. */
    boolean reserves(int rank) {
      return given != null && places && rank < launchSize;
    }
  }

  /** What can happen. */
  public sealed interface Event {
    /** Time passes. */
    record Tick(long nowNanos) implements Event {}

    /** An agent tells. */
    record Told(long nowNanos, ToCoordinator.FromAgent message) implements Event {}

    /** A node has left the cluster. */
    record Left(long nowNanos, NodeId node) implements Event {}

    /** The engines as the membership shows them now. */
    record Seen(long nowNanos, List<ClusterView.Engine> engines) implements Event {
      /** Keeps a private copy. */
      public Seen {
        engines = List.copyOf(engines);
      }
    }

    /** The coordinator leads this term. */
    record Leads(Term term) implements Event {}

    /**
     * Somebody wants another size.
     *
     * @param call of which the answer will be
     */
    record Asked(long nowNanos, long call, int size, long drainMs) implements Event {}
  }

  /** What is to be done. */
  public sealed interface Effect {
    /** Tell an agent. */
    record Order(NodeId node, ToNode.Order order) implements Effect {}

    /** Answer a call, with an HTTP status. */
    record Answer(long call, int code, String sentence) implements Effect {}

    /** A move and its reason, for the log. */
    record Moved(String sentence) implements Effect {}
  }

  /** The next state and what is to be done. */
  public record Step(Scaling next, List<Effect> effects) {
    /** Keeps a private copy. */
    public Step {
      effects = List.copyOf(effects);
    }
  }

  /** Keeps a private copy. */
  public Scaling {
    engines = List.copyOf(engines);
  }

  /** Nobody is heard of yet. */
  public static Scaling start(Settings settings, Term term, long nowNanos) {
    return new Scaling(
        settings, term, settings.launchSize(), 0, 0, Agents.NONE, null, List.of(), nowNanos, 0, 0);
  }

  /** How many ranks may be members now. */
  public int admitted() {
    return current != null && current.phase() == Phase.START ? Math.max(size, current.to()) : size;
  }

  /** Whether a request to change the size is under way. */
  public boolean changing() {
    return current != null && current.call() != null;
  }

  /** Of the change that is under way, in lower case; empty: there is none. */
  String phase() {
    return current == null ? "" : current.phase().name().toLowerCase(Locale.ROOT);
  }

  /** Whether ranks are about to go. */
  boolean leaving() {
    return current != null && (current.phase() == Phase.DRAIN || current.phase() == Phase.RETIRE);
  }

  /** The view in which ranks that are about to go take nothing new; all else stays as it is. */
  public ClusterView shown(ClusterView view) {
    GroupChange change = current;
    if (change == null || !leaving()) {
      return view;
    }
    return view.withEngines(
        view.engines().stream().map(e -> e.rank().value() < change.to() ? e : leaving(e)).toList());
  }

  private static ClusterView.Engine leaving(ClusterView.Engine e) {
    return e.state() == EngineState.READY ? e.in(EngineState.DRAINING) : e;
  }

  /** The only way forward. */
  public Step on(Event event) {
    ScalingStep step = new ScalingStep(this);
    step.on(event);
    return new Step(step.next(), step.effects());
  }
}
