package dev.flotilla.placement;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import dev.flotilla.placement.Placement.Planned;
import dev.flotilla.placement.Placement.Reason;
import dev.flotilla.placement.Placement.Refused;
import dev.flotilla.placement.PlacementGroup.Bundle;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One planner for the first launch and for growth: walks the nodes, the head first and the others
 * in the given order, and stops at exactly as many ranks as asked for. Reserves nothing, so that a
 * plan that fails leaves nothing behind.
 *
 * <p>Source: the original's {@code CoreEngineActorManager.create_dp_placement_groups} and {@code
 * add_dp_placement_groups}. There growth ignores the list of allowed nodes and the strategy, and a
 * shortage; here both obey the same rules, and growth differs in one thing: the local size binds
 * only the first placement, so that every node gives what it has free.
 */
public final class Planner {
  private final PlacementRequest request;
  private final List<Capacity> nodes; // That may be used, the head first.
  private final Capacity head;
  private final List<PlacementGroup> groups = new ArrayList<>();
  private final List<String> notes;

  private Planner(
      PlacementRequest request, List<Capacity> nodes, Capacity head, List<String> notes) {
    this.request = request;
    this.nodes = nodes;
    this.head = head;
    this.notes = notes;
  }

  /** Places what is asked for on these nodes, or says why it cannot be. */
  public static Placement plan(List<Capacity> nodes, PlacementRequest request) {
    try {
      return of(nodes, request).plan();
    } catch (Refusal refusal) {
      return refusal.refused;
    }
  }

  /** What no nodes whatever could make good of a request; null: it depends on them. */
  public static @Nullable Refused never(PlacementRequest request) {
    try {
      checkEven(request);
      if (request.strategy() == PackStrategy.SPAN) {
        checkSpanLocal(request);
      }
      check(
          request.strategy() != PackStrategy.STRICT
              || request.existing() > 0
              || request.sizeLocal() > 0,
          Reason.SHORTAGE,
          "--pack-strategy strict gives every node as many ranks as --data-parallel-size-local, and that is 0; take fill");
      return null;
    } catch (Refusal refusal) {
      return refusal.refused;
    }
  }

  private static void checkEven(PlacementRequest request) throws Refusal {
    check(
        request.strategy() != PackStrategy.FILL || !request.allToAll().aligned(),
        Reason.UNALIGNED_FILL,
        "--pack-strategy fill may put different numbers of ranks on nodes, which --all2all-backend %s cannot work with; take strict or span",
        request.allToAll());
  }

  private static void checkSpanLocal(PlacementRequest request) throws Refusal {
    check(
        request.existing() > 0 || request.sizeLocal() == 1,
        Reason.SPAN_LOCAL_SIZE,
        "--pack-strategy span puts one rank over the head and others, so --data-parallel-size-local must be 1, not %d",
        request.sizeLocal());
  }

  private static Planner of(List<Capacity> nodes, PlacementRequest request) throws Refusal {
    check(
        !nodes.isEmpty(),
        Reason.NO_NODES,
        "there are no nodes to place %d ranks on; start some with flotilla join",
        request.size());
    Capacity head = head(nodes, request.head());
    List<Capacity> ordered =
        Stream.concat(Stream.of(head), nodes.stream().filter(n -> !n.equals(head))).toList();
    if (request.allowed().isEmpty()) {
      return new Planner(request, ordered, head, new ArrayList<>());
    }
    List<Capacity> allowed =
        ordered.stream()
            .filter(n -> n.equals(head) || request.allowed().contains(n.address()))
            .toList();
    Set<String> known = nodes.stream().map(Capacity::address).collect(Collectors.toSet());
    List<String> notes =
        request.allowed().stream()
            .filter(address -> !known.contains(address))
            .map("no node has the address %s of --placement-node-ips"::formatted)
            .collect(Collectors.toCollection(ArrayList::new));
    return new Planner(request, allowed, head, notes);
  }

  private static Capacity head(List<Capacity> nodes, String named) throws Refusal {
    List<Capacity> heads = nodes.stream().filter(n -> n.node().equals(named)).toList();
    if (heads.isEmpty()) {
      heads = nodes.stream().filter(n -> n.address().equals(named)).toList();
    }
    check(
        heads.size() == 1,
        Reason.HEAD_MISSING,
        "the head must be one of the nodes, but %s has the id or address %s among %s",
        heads.isEmpty() ? "none" : "more than one",
        named,
        nodes.stream().map(Planner::named).collect(Collectors.joining(", ")));
    return heads.getFirst();
  }

  private Placement plan() throws Refusal {
    if (needed() == 0) {
      return new Planned(List.of(), notes);
    }
    int most = nodes.stream().mapToInt(Capacity::devices).max().orElse(0);
    check(
        most > 0,
        Reason.NO_DEVICES,
        "none of the %d nodes that may be used (%s) has a device",
        nodes.size(),
        listed());
    checkEven(request);
    if (request.strategy() == PackStrategy.SPAN) {
      span();
    } else {
      pack();
    }
    check(
        groups.size() == needed(),
        Reason.SHORTAGE,
        "placed %d of %d %sranks of %d devices each with --pack-strategy %s%s; the nodes have: %s",
        groups.size(),
        needed(),
        growth() ? "more " : "",
        request.worldSize(),
        request.strategy(),
        growth() ? "" : " and --data-parallel-size-local " + request.sizeLocal(),
        listed());
    return new Planned(groups, notes);
  }

  /** Ranks that lie within one node. */
  private void pack() throws Refusal {
    for (Capacity node : nodes) {
      if (done()) {
        return;
      }
      checkAddress(node);
      int used = (node.devices() - node.free()) / request.worldSize();
      int takes = takes(node);
      for (int i = 0; i < takes && !done(); i++) {
        Bundle bundle = new Bundle(node.node(), request.worldSize());
        groups.add(
            new PlacementGroup(next(), growth() ? used + i : i, List.of(bundle), node.node()));
      }
    }
  }

  private int takes(Capacity node) throws Refusal {
    int fits = node.free() / request.worldSize();
    if (growth()) {
      return fits;
    }
    int local = request.sizeLocal();
    if (node.equals(head)) {
      check(
          fits >= local,
          Reason.HEAD_TOO_SMALL,
          "the head %s has room for %d ranks of %d devices each, but --data-parallel-size-local is %d",
          named(node),
          fits,
          request.worldSize(),
          local);
      return local;
    }
    if (request.strategy() == PackStrategy.FILL) {
      return fits;
    }
    if (fits < local) {
      notes.add(
          "node %s is left out: it has room for %d ranks, and strict wants %d on each"
              .formatted(named(node), fits, local));
      return 0;
    }
    return local;
  }

  /** Ranks that take whole nodes: as many as together have the devices of one rank. */
  private void span() throws Refusal {
    // What is in use cannot be taken whole; at the first placement that is an unequal node.
    List<Capacity> whole =
        nodes.stream().filter(n -> growth() ? n.wholly() : n.free() > 0).toList();
    checkSpan(whole);
    List<Bundle> collected = new ArrayList<>();
    int devices = 0;
    for (Capacity node : growth() ? whole : nodes) {
      if (done()) {
        return;
      }
      checkAddress(node);
      if (node.free() == 0) {
        continue;
      }
      collected.add(new Bundle(node.node(), node.free()));
      devices += node.free();
      // Equal nodes that divide the world size never exceed it.
      if (devices == request.worldSize()) {
        groups.add(new PlacementGroup(next(), 0, collected, collected.getFirst().node()));
        collected.clear();
        devices = 0;
      }
    }
  }

  private void checkSpan(List<Capacity> whole) throws Refusal {
    int world = request.worldSize();
    int most = whole.stream().mapToInt(Capacity::free).max().orElse(0);
    int least = whole.stream().mapToInt(Capacity::free).min().orElse(0);
    check(
        most > 0,
        growth() ? Reason.SHORTAGE : Reason.NO_DEVICES,
        "--pack-strategy span takes whole nodes, and none is wholly free; the nodes have: %s",
        listed());
    check(
        world > most,
        Reason.SPAN_NEEDLESS,
        "--pack-strategy span is for ranks that need more devices than a node has, but %d fit into the %d of one; take strict or fill",
        world,
        most);
    check(
        least == most,
        Reason.SPAN_UNEQUAL,
        "--pack-strategy span needs nodes with equally many devices, but they have %d to %d: %s",
        least,
        most,
        listed());
    check(
        world % most == 0,
        Reason.SPAN_INDIVISIBLE,
        "--pack-strategy span needs ranks of whole nodes, but %d devices of a rank are no multiple of the %d of a node",
        world,
        most);
    check(
        (long) whole.size() * most >= (long) world * needed(),
        Reason.SPAN_SHORTAGE,
        "%d ranks of %d devices each need %d, but the %d nodes have %d",
        needed(),
        world,
        (long) world * needed(),
        whole.size(),
        (long) whole.size() * most);
    checkSpanLocal(request);
    check(
        growth() || head.free() > 0,
        Reason.HEAD_TOO_SMALL,
        "the head %s has room for 0 ranks, but --data-parallel-size-local is %d",
        named(head),
        request.sizeLocal());
  }

  private void checkAddress(Capacity node) throws Refusal {
    check(
        !node.address().isEmpty(),
        Reason.NO_ADDRESS,
        "node %s has told no address, so no rank can be placed on it",
        node.node());
  }

  private boolean growth() {
    return request.existing() > 0;
  }

  private int needed() {
    return Math.max(0, request.size() - request.existing());
  }

  private boolean done() {
    return groups.size() == needed();
  }

  private int next() {
    return request.existing() + groups.size();
  }

  private String listed() {
    return nodes.stream()
        .map(
            n ->
                n.free() == n.devices()
                    ? "%s %d".formatted(named(n), n.devices())
                    : "%s %d, free %d".formatted(named(n), n.devices(), n.free()))
        .collect(Collectors.joining("; "));
  }

  private static String named(Capacity node) {
    return node.address().isEmpty() || node.address().equals(node.node())
        ? node.node()
        : node.node() + " (" + node.address() + ")";
  }

  @FormatMethod
  private static void check(
      boolean holds, Reason reason, @FormatString String sentence, Object... args) throws Refusal {
    if (!holds) {
      throw new Refusal(new Refused(reason, sentence.formatted(args)));
    }
  }

  /** Leads from the check that failed to the end of the plan; never leaves this class. */
  private static final class Refusal extends Exception {
    private static final long serialVersionUID = 1;

    private final transient Refused refused;

    Refusal(Refused refused) {
      super(refused.sentence(), null, false, false);
      this.refused = refused;
    }
  }
}
