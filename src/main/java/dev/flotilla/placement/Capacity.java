package dev.flotilla.placement;

/**
 * What one node offers.
 *
 * @param node id, unique among the nodes of a plan
 * @param address that {@code --head} and the list of allowed nodes name; empty: it told none
 * @param devices in all
 * @param free of these; what is not free belongs to ranks that run there already
 */
public record Capacity(String node, String address, int devices, int free) {
  /** Checks both numbers. */
  public Capacity {
    if (node.isEmpty() || devices < 0 || free < 0 || free > devices) {
      throw new IllegalArgumentException(
          "node '%s' must have a name, and of its %d devices cannot have %d free"
              .formatted(node, devices, free));
    }
  }

  /** A node where nothing runs. */
  public Capacity(String node, String address, int devices) {
    this(node, address, devices, devices);
  }

  boolean wholly() {
    return devices > 0 && free == devices;
  }
}
