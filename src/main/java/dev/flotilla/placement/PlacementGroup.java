package dev.flotilla.placement;

import java.util.List;

/**
 * What is reserved for one rank.
 *
 * @param rank of the whole group
 * @param localRank its index among the ranks of its node; 0 for one that spans nodes
 * @param bundles its devices by node, the node of its control first
 * @param control node on which its engine runs
 */
public record PlacementGroup(int rank, int localRank, List<Bundle> bundles, String control) {
  /**
   * Devices of one node.
   *
   * @param node id
   * @param devices so many of them
   */
  public record Bundle(String node, int devices) {
    /** Checks the number. */
    public Bundle {
      if (devices < 1) {
        throw new IllegalArgumentException("a bundle has at least one device, not " + devices);
      }
    }
  }

  /** Keeps a private copy; the control's node must be one of the bundles'. */
  public PlacementGroup {
    bundles = List.copyOf(bundles);
    String place = control;
    if (rank < 0 || localRank < 0 || bundles.stream().noneMatch(b -> b.node().equals(place))) {
      throw new IllegalArgumentException(
          "rank %d (local rank %d) must have its control on a node of its devices, not on '%s'"
              .formatted(rank, localRank, control));
    }
  }

  /** The original's name of the reservation. */
  public String name() {
    return "dp_rank_" + rank;
  }

  /** Devices in all: the world size. */
  public int devices() {
    return bundles.stream().mapToInt(Bundle::devices).sum();
  }
}
