package dev.flotilla.coordinator;

import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.ToCoordinator;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Which front-ends and nodes exist. Who is not heard of for the time after which a rank is gone, or
 * whose node has left, is forgotten.
 */
public record Presence(SortedMap<FrontendId, Frontend> frontends, SortedMap<NodeId, Node> nodes) {
  /** More than any cluster has; a bound against a peer that makes up ids. */
  private static final int MOST = 4096;

  static final Presence NONE = new Presence(new TreeMap<>(), new TreeMap<>());

  /** One API server. */
  public record Frontend(NodeId node, long heardNanos) {}

  /** One node agent. */
  public record Node(String host, int devices, boolean headless, long heardNanos) {}

  /** Keeps what it is given, unmodifiable. */
  public Presence {
    frontends = Collections.unmodifiableSortedMap(frontends);
    nodes = Collections.unmodifiableSortedMap(nodes);
  }

  List<FrontendId> frontendIds() {
    return List.copyOf(frontends.keySet());
  }

  List<ClusterView.Frontend> frontendViews() {
    return frontends.entrySet().stream()
        .map(e -> new ClusterView.Frontend(e.getKey(), e.getValue().node()))
        .toList();
  }

  Presence with(ToCoordinator.FrontendHello hello, long now) {
    if (frontends.size() >= MOST && !frontends.containsKey(hello.frontend())) {
      return this;
    }
    SortedMap<FrontendId, Frontend> next = new TreeMap<>(frontends);
    next.put(hello.frontend(), new Frontend(hello.node(), now));
    return new Presence(next, nodes);
  }

  Presence with(ToCoordinator.NodeHello hello, long now) {
    if (nodes.size() >= MOST && !nodes.containsKey(hello.node())) {
      return this;
    }
    SortedMap<NodeId, Node> next = new TreeMap<>(nodes);
    next.put(hello.node(), new Node(hello.host(), hello.devices(), hello.headless(), now));
    return new Presence(frontends, next);
  }

  Presence without(NodeId node) {
    SortedMap<FrontendId, Frontend> restFrontends = new TreeMap<>(frontends);
    restFrontends.values().removeIf(f -> f.node().equals(node));
    SortedMap<NodeId, Node> restNodes = new TreeMap<>(nodes);
    restNodes.remove(node);
    return new Presence(restFrontends, restNodes);
  }

  /** Forgets the silent; a time for which the coordinator itself stood still is excused. */
  Presence tick(long now, long excusedNanos, long deadNanos) {
    if (excusedNanos == 0
        && frontends.values().stream().allMatch(f -> now - f.heardNanos() <= deadNanos)
        && nodes.values().stream().allMatch(n -> now - n.heardNanos() <= deadNanos)) {
      return this;
    }
    SortedMap<FrontendId, Frontend> restFrontends = new TreeMap<>();
    frontends.forEach(
        (id, f) -> {
          long heard = Math.min(now, f.heardNanos() + excusedNanos);
          if (now - heard <= deadNanos) {
            restFrontends.put(id, new Frontend(f.node(), heard));
          }
        });
    SortedMap<NodeId, Node> restNodes = new TreeMap<>();
    nodes.forEach(
        (id, n) -> {
          long heard = Math.min(now, n.heardNanos() + excusedNanos);
          if (now - heard <= deadNanos) {
            restNodes.put(id, new Node(n.host(), n.devices(), n.headless(), heard));
          }
        });
    return new Presence(restFrontends, restNodes);
  }
}
