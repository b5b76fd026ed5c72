package dev.flotilla.protocol;

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

  /** The cluster manager says that a node has gone. */
  record NodeLeft(NodeId node) implements ToCoordinator {}
}
