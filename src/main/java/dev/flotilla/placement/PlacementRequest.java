package dev.flotilla.placement;

import dev.flotilla.config.ConfigException;
import java.util.List;

/**
 * What shall be placed.
 *
 * @param head id of the head's node, or its address
 * @param existing ranks that run already; 0: the first placement
 * @param size ranks in all when it is done
 * @param sizeLocal ranks of the head at the first placement, and with strict of every node
 * @param worldSize devices of one rank
 * @param allToAll how ranks exchange tokens of experts
 * @param allowed addresses that may be used, the head's always among them; empty: all
 */
public record PlacementRequest(
    String head,
    int existing,
    int size,
    int sizeLocal,
    int worldSize,
    PackStrategy strategy,
    AllToAll allToAll,
    List<String> allowed) {
  private static final int SIZE_MAX = 65_535;

  /** Checks every bound. */
  public PlacementRequest {
    allowed = List.copyOf(allowed);
    check(existing >= 0, "the ranks that run already cannot be %d", existing);
    check(
        size >= 1 && size <= SIZE_MAX,
        "--data-parallel-size must be 1 to " + SIZE_MAX + ", not %d",
        size);
    check(
        sizeLocal >= 0 && (existing > 0 || sizeLocal <= size),
        "--data-parallel-size-local must be 0 to " + size + " (--data-parallel-size), not %d",
        sizeLocal);
    check(worldSize >= 1, "--tensor-parallel-size must be at least 1, not %d", worldSize);
  }

  /** The first placement, without experts and on all nodes. */
  public static PlacementRequest first(
      String head, int size, int sizeLocal, int worldSize, PackStrategy strategy) {
    return new PlacementRequest(
        head, 0, size, sizeLocal, worldSize, strategy, AllToAll.NAIVE, List.of());
  }

  /** The same under a list of allowed nodes. */
  public PlacementRequest on(List<String> addresses) {
    return new PlacementRequest(
        head, existing, size, sizeLocal, worldSize, strategy, allToAll, addresses);
  }

  /** The same with another exchange of experts' tokens. */
  public PlacementRequest exchanging(AllToAll backend) {
    return new PlacementRequest(
        head, existing, size, sizeLocal, worldSize, strategy, backend, allowed);
  }

  /** The same with another head. */
  public PlacementRequest at(String node) {
    return new PlacementRequest(
        node, existing, size, sizeLocal, worldSize, strategy, allToAll, allowed);
  }

  /** Growth to a size from what runs already. */
  public PlacementRequest growing(int from, int to) {
    int local = Math.min(sizeLocal, to);
    return new PlacementRequest(head, from, to, local, worldSize, strategy, allToAll, allowed);
  }

  private static void check(boolean holds, String sentence, int value) {
    if (!holds) {
      throw new ConfigException(sentence.formatted(value));
    }
  }
}
