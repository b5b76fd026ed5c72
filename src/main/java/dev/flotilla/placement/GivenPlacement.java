package dev.flotilla.placement;

import dev.flotilla.config.ConfigException;
import dev.flotilla.placement.Placement.Reason;
import dev.flotilla.placement.PlacementGroup.Bundle;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A placement that somebody has made before, on nodes that may have been started anew since: a node
 * is known by its id or, when none has that, by its address.
 *
 * @param groups of all ranks
 * @param addresses of nodes, by the ids that the groups name them by; may lack some
 */
public record GivenPlacement(List<PlacementGroup> groups, Map<String, String> addresses) {

  /** Keeps private copies. */
  public GivenPlacement {
    groups = List.copyOf(groups);
    addresses = Map.copyOf(addresses);
  }

  /**
   * What {@code place --json} has printed.
   *
   * @throws ConfigException for any other text
   */
  public static GivenPlacement of(String json) {
    return new GivenPlacement(PlacementJson.groups(json), PlacementJson.addresses(json));
  }

  /** The same groups on the nodes that are there; refused while one of them is not. */
  public Placement on(List<Capacity> nodes, String head) {
    Map<String, String> ids = new HashMap<>();
    Set<String> taken = new HashSet<>();
    for (Capacity node : nodes) {
      if (addresses.containsKey(node.node()) || names(node.node())) {
        ids.put(node.node(), node.node());
        taken.add(node.node());
      }
    }
    List<PlacementGroup> placed = new ArrayList<>();
    for (PlacementGroup group : groups) {
      for (Bundle bundle : group.bundles()) {
        String known = ids.get(bundle.node());
        String found = known == null ? byAddress(bundle.node(), nodes, taken, head) : known;
        if (found == null) {
          return new Placement.Refused(
              Reason.SHORTAGE,
              "the placement has rank %d on node %s (%s), which has not joined"
                  .formatted(
                      group.rank(),
                      bundle.node(),
                      addresses.getOrDefault(bundle.node(), "its address is not told")));
        }
        ids.put(bundle.node(), found);
        taken.add(found);
      }
      placed.add(moved(group, ids));
    }
    return new Placement.Planned(placed, List.of());
  }

  private boolean names(String id) {
    return groups.stream().anyMatch(g -> g.bundles().stream().anyMatch(b -> b.node().equals(id)));
  }

  /** Of several nodes with one address the head is meant first: it has the first ranks. */
  private @Nullable String byAddress(
      String name, List<Capacity> nodes, Set<String> taken, String head) {
    String address = addresses.getOrDefault(name, name);
    String found = null;
    for (Capacity node : nodes) {
      if (node.address().equals(address) && !taken.contains(node.node())) {
        found = found == null || node.node().equals(head) ? node.node() : found;
      }
    }
    return found;
  }

  private static PlacementGroup moved(PlacementGroup group, Map<String, String> ids) {
    return new PlacementGroup(
        group.rank(),
        group.localRank(),
        group.bundles().stream()
            .map(b -> new Bundle(Objects.requireNonNull(ids.get(b.node())), b.devices()))
            .toList(),
        Objects.requireNonNull(ids.get(group.control())));
  }
}
