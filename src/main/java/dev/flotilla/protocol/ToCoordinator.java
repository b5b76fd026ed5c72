package dev.flotilla.protocol;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Everything the coordinator can be told. */
public sealed interface ToCoordinator {

  /**
   * An engine wants in. Repeated until {@link ToEngine.Init} or {@link ToEngine.Refused} comes.
   *
   * @param rank null: any free one
   * @param local whether it runs on the head
   * @param headless whether its node has no front-end
   * @param configHash of what must be equal over all ranks
   * @param highest the highest epoch it has ever been given, so that a new coordinator goes above
   * @param seen the highest term that it has heard of, for the same reason
   */
  record Hello(
      Incarnation incarnation,
      @Nullable Rank rank,
      NodeId node,
      boolean local,
      boolean headless,
      String configHash,
      Epoch highest,
      Term seen)
      implements ToCoordinator {

    /** Of one that has heard of no coordinator. */
    public Hello(
        Incarnation incarnation,
        @Nullable Rank rank,
        NodeId node,
        boolean local,
        boolean headless,
        String configHash,
        Epoch highest) {
      this(incarnation, rank, node, local, headless, configHash, highest, Term.NONE);
    }
  }

  /**
   * The engine serves under the epoch of Init. Repeated until {@link ToEngine.Welcome}.
   *
   * @param coordinator whose Init it was; null: that did not say
   */
  record Ready(
      Rank rank,
      Incarnation incarnation,
      Epoch epoch,
      EngineFacts facts,
      @Nullable NodeId coordinator)
      implements ToCoordinator {}

  /** An engine's report. */
  record Load(LoadReport load) implements ToCoordinator {}

  /** An engine goes, or its node says that it has ended. */
  record Leaving(Rank rank, Incarnation incarnation, String reason) implements ToCoordinator {}

  /**
   * A front-end exists; repeated every second, and said at once to a coordinator whose view it does
   * not take.
   *
   * @param seen the term whose views it takes
   */
  record FrontendHello(FrontendId frontend, NodeId node, Term seen) implements ToCoordinator {

    /** Of one that has seen no view. */
    public FrontendHello(FrontendId frontend, NodeId node) {
      this(frontend, node, Term.NONE);
    }
  }

  /** A node agent exists; repeated every second. */
  record NodeHello(NodeId node, String host, int devices, boolean headless)
      implements ToCoordinator {}

  /** What a node's agent tells of its devices. */
  sealed interface FromAgent extends ToCoordinator {
    /** Of the agent. */
    NodeId node();
  }

  /**
   * The devices of a node and who has them; repeated every second and told at each change.
   *
   * @param address host that other nodes reach it by
   * @param seen the highest term of which it had an order
   * @param change number of the last change that it knows to be settled; 0: none
   * @param size ranks of the group since then; 0: not told yet
   * @param attributes what a person may want to know of the node, by name
   */
  record NodeReport(
      NodeId node,
      String address,
      int devices,
      Term seen,
      long change,
      int size,
      List<Lease> leases,
      Map<String, String> attributes)
      implements FromAgent {
    /** Keeps private copies. */
    public NodeReport {
      leases = List.copyOf(leases);
      attributes = Collections.unmodifiableSortedMap(new TreeMap<>(attributes));
    }
  }

  /** The node cannot do what a change asks for. */
  record LeaseRefused(NodeId node, long change, Rank rank, String reason) implements FromAgent {}

  /** An engine that the agent has started has ended. */
  record EngineEnded(NodeId node, Rank rank, String how) implements FromAgent {}

  /** The cluster manager says that a node has gone. */
  record NodeLeft(NodeId node) implements ToCoordinator {}
}
