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
   * @param endpoint the socket that it has bound for the exchanges of a lockstep group; null: it
   *     steps alone, or meets its group in one JVM
   */
  record Hello(
      Incarnation incarnation,
      @Nullable Rank rank,
      NodeId node,
      boolean local,
      boolean headless,
      String configHash,
      Epoch highest,
      Term seen,
      @Nullable Endpoint endpoint)
      implements ToCoordinator {

    /** Of one that has heard of no coordinator and has no socket. */
    public Hello(
        Incarnation incarnation,
        @Nullable Rank rank,
        NodeId node,
        boolean local,
        boolean headless,
        String configHash,
        Epoch highest) {
      this(incarnation, rank, node, local, headless, configHash, highest, Term.NONE, null);
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
   * A front-end of {@code --balance-in coordinator} wants an engine for a request; answered with
   * {@link ToFrontend.Chosen}.
   *
   * @param call the front-end's running number
   * @param promptTokens to be computed
   * @param blockTokens tokens of a block that {@code prefix} names
   * @param prefix the prompt's first blocks
   * @param excluded engines not to be chosen
   * @param only the rank that the client insists on; null: any
   * @param explain whether the answer says why
   */
  record Choose(
      FrontendId from,
      long call,
      int promptTokens,
      int blockTokens,
      List<Long> prefix,
      List<Incarnation> excluded,
      @Nullable Rank only,
      boolean explain)
      implements ToCoordinator {
    /** Blocks that are named at most: longer prefixes are long enough to tell engines apart. */
    public static final int BLOCKS_MAX = 1024;

    /** Keeps private copies. */
    public Choose {
      prefix = List.copyOf(prefix);
      excluded = List.copyOf(excluded);
    }
  }

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
   * @param sequence rises with every report of the agent, so that an older one is not taken for the
   *     newest
   * @param address host that other nodes reach it by
   * @param seen the highest term of which it had an order
   * @param change number of the last change that it knows to be settled; 0: none
   * @param size ranks of the group since then; 0: not told yet
   * @param attributes what a person may want to know of the node, by name
   */
  record NodeReport(
      NodeId node,
      long sequence,
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

  /**
   * Whether a rank is paused, as it is in effect; a level, so that a coordinator that was not there
   * when the rank was told learns it too.
   *
   * @param number of the order that is in effect
   * @param mode null: the rank was told to go on
   * @param resting whether nothing runs: no step is under way, and none is due
   */
  record Paused(
      Rank rank, Incarnation incarnation, long number, @Nullable PauseMode mode, boolean resting)
      implements ToCoordinator {}

  /** What a member of a lockstep group tells of it, besides the level in each report. */
  sealed interface FromMember extends ToCoordinator {
    /** Of the engine. */
    Rank rank();

    /** Of the engine. */
    Incarnation incarnation();

    /** Number of the member list that it means. */
    long generation();
  }

  /**
   * A member has work while its group sleeps. Repeated until the wave runs.
   *
   * @param wave the one that is to start
   */
  record WantWave(Rank rank, Incarnation incarnation, long generation, long wave)
      implements FromMember {}

  /**
   * An exchange of the group has failed or passed its deadline; the member is at rest, keeps its
   * requests, and waits for a newer generation. Repeated until there is one.
   *
   * @param missing who did not take part, as far as it is known
   */
  record GroupBroken(
      Rank rank, Incarnation incarnation, long generation, List<Rank> missing, String reason)
      implements FromMember {
    /** Keeps a private copy. */
    public GroupBroken {
      missing = List.copyOf(missing);
    }
  }

  /** The cluster manager says that a node has gone. */
  record NodeLeft(NodeId node) implements ToCoordinator {}

  /**
   * A coordinator leads; published to all who stand by, every 250 ms and with every new term.
   *
   * @param plan by which a successor goes on
   */
  record Leading(Term term, GroupPlan plan) implements ToCoordinator {}

  /**
   * What the cluster manager knows of the cluster, told to this node's own coordinator with every
   * change and every second. A hint: correctness rests on terms alone.
   *
   * @param all nodes, engines' own processes included
   * @param standingBy those with a coordinator, the oldest first
   */
  record Nodes(List<NodeId> all, List<NodeId> standingBy) implements ToCoordinator {
    /** Keeps private copies. */
    public Nodes {
      all = List.copyOf(all);
      standingBy = List.copyOf(standingBy);
    }
  }
}
