package dev.flotilla.protocol;

import dev.flotilla.config.Surroundings;
import java.util.List;

/** Everything a node agent can be told. */
public sealed interface ToNode {

  /**
   * Start an engine here.
   *
   * @param config the engine's configuration as JSON
   */
  record StartEngine(String config) implements ToNode {}

  /** Stop the engine, which may finish what runs within the time. */
  record StopEngine(Rank rank, Incarnation incarnation, long timeoutMs) implements ToNode {}

  /**
   * Part of a change of the group, which is numbered. One of a lower term than the highest seen has
   * no effect, nor has one of a change that is settled already.
   */
  sealed interface Order extends ToNode {
    /** Of the coordinator. */
    Term term();

    /** Number of the change; higher than those of all that came before. */
    long change();
  }

  /**
   * Give devices to a rank, for a time; repeated, it lasts longer. Answered by {@link
   * ToCoordinator.NodeReport} or {@link ToCoordinator.LeaseRefused}.
   */
  record Reserve(Term term, long change, Rank rank, int devices, long leaseMs) implements Order {}

  /**
   * Start the engine of a rank on the devices that it was given.
   *
   * @param config the engine's configuration as JSON
   * @param surroundings what it gets of the head's process, if it runs in one of its own
   */
  record Place(Term term, long change, Rank rank, String config, Surroundings surroundings)
      implements Order {}

  /** End the engine of a rank; its devices stay its own until the change is settled. */
  record Retire(Term term, long change, Rank rank) implements Order {}

  /**
   * The change is over, whichever way. What this node holds of it and of earlier ones is as listed:
   * these ranks for good, all others not any more.
   *
   * @param size ranks of the group from now on
   */
  record Settle(Term term, long change, int size, List<Rank> keeps) implements Order {
    /** Keeps a private copy. */
    public Settle {
      keeps = List.copyOf(keeps);
    }
  }
}
