package dev.flotilla.placement;

import java.util.List;

/** What a plan comes to. */
public sealed interface Placement {
  /**
   * Exactly as many groups as were asked for.
   *
   * @param groups in rank order
   * @param notes what a person may wonder about, for example a node that was left out
   */
  record Planned(List<PlacementGroup> groups, List<String> notes) implements Placement {
    /** Keeps private copies. */
    public Planned {
      groups = List.copyOf(groups);
      notes = List.copyOf(notes);
    }
  }

  /**
   * Nothing can be placed as asked.
   *
   * @param sentence with the numbers, and what to do
   */
  record Refused(Reason reason, String sentence) implements Placement {}

  /** Why nothing was placed. */
  enum Reason {
    /** There are no nodes. */
    NO_NODES,
    /** The head is not among the nodes, or more than one might be it. */
    HEAD_MISSING,
    /** No node that may be used has a device. */
    NO_DEVICES,
    /** Fill leaves nodes with unequal numbers of ranks, which the exchange cannot work with. */
    UNALIGNED_FILL,
    /** A rank that spans nodes fits into one. */
    SPAN_NEEDLESS,
    /** A rank spans equal nodes only. */
    SPAN_UNEQUAL,
    /** A rank spans whole nodes only. */
    SPAN_INDIVISIBLE,
    /** All nodes together are too small for ranks that span them. */
    SPAN_SHORTAGE,
    /** Of ranks that span nodes the head has exactly one. */
    SPAN_LOCAL_SIZE,
    /** A node did not tell its address. */
    NO_ADDRESS,
    /** The head has less room than its ranks need. */
    HEAD_TOO_SMALL,
    /** Fewer ranks than asked for can be placed. */
    SHORTAGE
  }
}
