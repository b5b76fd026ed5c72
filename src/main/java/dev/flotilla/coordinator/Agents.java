package dev.flotilla.coordinator;

import dev.flotilla.placement.Capacity;
import dev.flotilla.protocol.Lease;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.ToCoordinator.NodeReport;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The node agents that are heard of, with what each told last: who has which devices is known to
 * them alone, so that a coordinator that takes over asks nobody else.
 */
public record Agents(SortedMap<NodeId, Heard> all) {
  static final Agents NONE = new Agents(new TreeMap<>());

  /** More than any cluster has; a bound against a peer that makes up ids. */
  private static final int MOST = 4096;

  /** What one told, and when. */
  public record Heard(NodeReport report, long nanos) {}

  /** A lease and the node that has given it. */
  record Place(NodeId node, Lease lease) {}

  /** Keeps what it is given, unmodifiable. */
  public Agents {
    all = Collections.unmodifiableSortedMap(all);
  }

  /** Takes a report, unless it is older than the one that is known: one may overtake another. */
  Agents with(NodeReport report, long now) {
    Heard known = all.get(report.node());
    if (known == null ? all.size() >= MOST : report.sequence() <= known.report().sequence()) {
      return this;
    }
    SortedMap<NodeId, Heard> next = new TreeMap<>(all);
    next.put(report.node(), new Heard(report, now));
    return new Agents(next);
  }

  Agents without(NodeId node) {
    SortedMap<NodeId, Heard> next = new TreeMap<>(all);
    next.remove(node);
    return new Agents(next);
  }

  /** Forgets the silent. */
  Agents heardSince(long nanos) {
    if (all.values().stream().allMatch(h -> h.nanos() >= nanos)) {
      return this;
    }
    SortedMap<NodeId, Heard> next = new TreeMap<>(all);
    next.values().removeIf(h -> h.nanos() < nanos);
    return new Agents(next);
  }

  boolean has(NodeId node) {
    return all.containsKey(node);
  }

  @Nullable Lease lease(NodeId node, Rank rank) {
    Heard heard = all.get(node);
    if (heard == null) {
      return null;
    }
    return heard.report().leases().stream()
        .filter(l -> l.rank().equals(rank))
        .findFirst()
        .orElse(null);
  }

  /**
   * For each rank the place that is its own: of all leases for good, or of the last settled change,
   * the one of the latest change.
   */
  Map<Rank, Place> owners(long settled) {
    Map<Rank, Place> owners = new TreeMap<>();
    all.forEach(
        (node, heard) -> {
          for (Lease lease : heard.report().leases()) {
            if (lease.kept() || lease.change() == settled) {
              owners.merge(lease.rank(), new Place(node, lease), Agents::later);
            }
          }
        });
    return owners;
  }

  private static Place later(Place one, Place other) {
    return other.lease().change() > one.lease().change() ? other : one;
  }

  /** Every lease of every node. */
  List<Place> places() {
    List<Place> places = new ArrayList<>();
    all.forEach(
        (node, heard) -> heard.report().leases().forEach(l -> places.add(new Place(node, l))));
    return places;
  }

  /** Nodes as a planner sees them. */
  List<Capacity> capacities() {
    List<Capacity> nodes = new ArrayList<>();
    all.forEach(
        (node, heard) -> {
          int used = heard.report().leases().stream().mapToInt(l -> l.devices().size()).sum();
          int devices = heard.report().devices();
          nodes.add(
              new Capacity(
                  node.value(), heard.report().address(), devices, Math.max(0, devices - used)));
        });
    return nodes;
  }

  /** The highest number of a change that any has heard of. */
  long highest() {
    long highest = 0;
    for (Heard heard : all.values()) {
      highest = Math.max(highest, heard.report().change());
      for (Lease lease : heard.report().leases()) {
        highest = Math.max(highest, lease.change());
      }
    }
    return highest;
  }
}
