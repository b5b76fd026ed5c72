package dev.flotilla.placement;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.placement.Placement.Planned;
import dev.flotilla.placement.Placement.Reason;
import dev.flotilla.placement.Placement.Refused;
import dev.flotilla.placement.PlacementGroup.Bundle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * The planner against a search over all ways to place ranks on small random clusters. The search
 * knows no walk: it tries every vector of counts, and every choice of nodes for ranks that span
 * them, and takes the one that favours earlier nodes most.
 */
class PlannerBruteForceTest {
  private static final int CLUSTERS = 10_000;

  private record Case(List<Capacity> nodes, PlacementRequest request) {}

  @Test
  void agreesWithTheSearchOnTenThousandRandomClusters() {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(7);
    Map<Object, Integer> seen = new HashMap<>();
    for (int i = 0; i < CLUSTERS; i++) {
      Case given = random(random);
      Placement got = Planner.plan(given.nodes, given.request);
      Object expected = search(given);
      seen.merge(expected instanceof Reason ? expected : "planned", 1, Integer::sum);
      switch (got) {
        case Refused refused -> assertEquals(expected, refused.reason(), () -> text(given, got));
        case Planned(var groups, _) -> {
          assertEquals(expected, nodesOfRanks(groups), () -> text(given, got));
          assertSound(given, groups);
        }
      }
    }
    for (Reason reason : Reason.values()) {
      assertTrue(seen.getOrDefault(reason, 0) >= 5, () -> "seldom seen: " + reason + " of " + seen);
    }
    assertTrue(seen.getOrDefault("planned", 0) > CLUSTERS / 10, seen::toString);
  }

  private static String text(Case given, Placement got) {
    return given + " came to " + got;
  }

  private static Case random(RandomGenerator random) {
    int count = random.nextInt(40) == 0 ? 0 : 1 + random.nextInt(5);
    boolean span = random.nextInt(3) == 0;
    boolean grows = random.nextInt(3) == 0;
    int equal = 1 + random.nextInt(3);
    List<Capacity> nodes = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int devices = span && random.nextInt(8) > 0 ? equal : random.nextInt(7);
      int free = grows && random.nextInt(3) > 0 ? random.nextInt(devices + 1) : devices;
      String address = random.nextInt(60) == 0 ? "" : "h" + (random.nextInt(60) == 0 ? 0 : i);
      nodes.add(new Capacity("n" + i, address, devices, free));
    }
    int size = 1 + random.nextInt(6);
    int existing = grows ? 1 + random.nextInt(4) : 0;
    int local = span && random.nextInt(6) > 0 ? 1 : random.nextInt(Math.min(3, size) + 1);
    int world =
        span ? equal * (1 + random.nextInt(3)) + random.nextInt(8) / 7 : 1 + random.nextInt(3);
    List<String> allowed = new ArrayList<>();
    if (random.nextInt(4) == 0) {
      for (int i = 0; i <= count; i++) {
        if (random.nextBoolean()) {
          allowed.add("h" + i);
        }
      }
    }
    PackStrategy strategy =
        span ? PackStrategy.SPAN : random.nextBoolean() ? PackStrategy.STRICT : PackStrategy.FILL;
    AllToAll exchange =
        random.nextInt(6) == 0 ? AllToAll.DEEPEP_LOW_LATENCY : AllToAll.ALLGATHER_REDUCESCATTER;
    String head = "h" + random.nextInt(Math.max(1, count) + random.nextInt(2));
    return new Case(
        nodes,
        new PlacementRequest(
            head, existing, existing + size, local, world, strategy, exchange, allowed));
  }

  /** A reason, or for each new rank the set of its nodes. */
  private static Object search(Case given) {
    PlacementRequest request = given.request;
    if (given.nodes.isEmpty()) {
      return Reason.NO_NODES;
    }
    List<Capacity> heads =
        given.nodes.stream().filter(n -> n.address().equals(request.head())).toList();
    if (heads.size() != 1) {
      return Reason.HEAD_MISSING;
    }
    List<Capacity> walk = new ArrayList<>(heads);
    for (Capacity node : given.nodes) {
      boolean may = request.allowed().isEmpty() || request.allowed().contains(node.address());
      if (may && !node.equals(heads.getFirst())) {
        walk.add(node);
      }
    }
    if (walk.stream().allMatch(n -> n.devices() == 0)) {
      return Reason.NO_DEVICES;
    }
    if (request.strategy() == PackStrategy.FILL && request.allToAll().aligned()) {
      return Reason.UNALIGNED_FILL;
    }
    return request.strategy() == PackStrategy.SPAN
        ? spanned(walk, request)
        : counted(walk, request);
  }

  private static Object counted(List<Capacity> walk, PlacementRequest request) {
    int needed = request.size() - request.existing();
    boolean first = request.existing() == 0;
    int[] most = new int[walk.size()];
    for (int i = 0; i < most.length; i++) {
      int room = 0;
      while ((room + 1) * request.worldSize() <= walk.get(i).free()) {
        room++;
      }
      most[i] = room;
      if (first && i == 0) {
        if (room < request.sizeLocal()) {
          return missing(walk, 0, 0) ? Reason.NO_ADDRESS : Reason.HEAD_TOO_SMALL;
        }
        most[i] = request.sizeLocal();
      } else if (first && request.strategy() == PackStrategy.STRICT) {
        most[i] = room >= request.sizeLocal() ? request.sizeLocal() : 0;
      }
    }
    int[] best = best(most, needed);
    // A node without an address is met if the ranks are not complete before it.
    int placed = 0;
    for (int i = 0; i < most.length && placed < needed; i++) {
      if (walk.get(i).address().isEmpty()) {
        return Reason.NO_ADDRESS;
      }
      placed += best == null ? most[i] : best[i];
    }
    if (best == null) {
      return Reason.SHORTAGE;
    }
    List<Set<String>> ranks = new ArrayList<>();
    for (int i = 0; i < best.length; i++) {
      for (int k = 0; k < best[i]; k++) {
        ranks.add(Set.of(walk.get(i).node()));
      }
    }
    return ranks;
  }

  private static boolean missing(List<Capacity> walk, int from, int to) {
    return walk.subList(from, to + 1).stream().anyMatch(n -> n.address().isEmpty());
  }

  /** Of all vectors with this sum the one that is largest in dictionary order; null: none. */
  private static int @Nullable [] best(int[] most, int sum) {
    int[] vector = new int[most.length];
    int[] best = null;
    while (true) {
      if (Arrays.stream(vector).sum() == sum
          && (best == null || Arrays.compare(vector, best) > 0)) {
        best = vector.clone();
      }
      int at = 0;
      while (at < most.length && vector[at] == most[at]) {
        vector[at++] = 0;
      }
      if (at == most.length) {
        return best;
      }
      vector[at]++;
    }
  }

  private static Object spanned(List<Capacity> walk, PlacementRequest request) {
    boolean first = request.existing() == 0;
    int needed = request.size() - request.existing();
    List<Capacity> whole = new ArrayList<>();
    for (Capacity node : walk) {
      if (first ? node.free() > 0 : node.devices() > 0 && node.free() == node.devices()) {
        whole.add(node);
      }
    }
    if (whole.isEmpty()) {
      return first ? Reason.NO_DEVICES : Reason.SHORTAGE;
    }
    int each = whole.stream().mapToInt(Capacity::free).max().orElseThrow();
    if (request.worldSize() <= each) {
      return Reason.SPAN_NEEDLESS;
    }
    if (whole.stream().anyMatch(n -> n.free() != each)) {
      return Reason.SPAN_UNEQUAL;
    }
    if (request.worldSize() % each != 0) {
      return Reason.SPAN_INDIVISIBLE;
    }
    int nodes = request.worldSize() / each;
    if (whole.size() < nodes * needed) {
      return Reason.SPAN_SHORTAGE;
    }
    if (first && request.sizeLocal() != 1) {
      return Reason.SPAN_LOCAL_SIZE;
    }
    if (first && walk.getFirst().free() == 0) {
      return Reason.HEAD_TOO_SMALL;
    }
    List<Set<String>> ranks = chosen(whole, nodes, needed, new boolean[whole.size()]);
    Set<String> used = new HashSet<>();
    ranks.forEach(used::addAll);
    // At the first placement nodes without devices are met too, up to the last one used.
    List<Capacity> met = first ? walk : whole;
    for (Capacity node : met) {
      if (used.isEmpty()) {
        break;
      }
      if (node.address().isEmpty()) {
        return Reason.NO_ADDRESS;
      }
      used.remove(node.node());
    }
    return ranks;
  }

  /** The first way, in dictionary order of node numbers, to give each rank its own nodes. */
  private static List<Set<String>> chosen(
      List<Capacity> nodes, int each, int ranks, boolean[] taken) {
    if (ranks == 0) {
      return List.of();
    }
    for (int[] choice : choices(nodes.size(), each)) {
      if (Arrays.stream(choice).anyMatch(i -> taken[i])) {
        continue;
      }
      Set<String> names = new HashSet<>();
      for (int i : choice) {
        taken[i] = true;
        names.add(nodes.get(i).node());
      }
      List<Set<String>> all = new ArrayList<>(List.of(names));
      all.addAll(chosen(nodes, each, ranks - 1, taken));
      return all;
    }
    throw new AssertionError("no choice of " + each + " nodes for " + ranks + " ranks");
  }

  private static List<int[]> choices(int of, int size) {
    List<int[]> all = new ArrayList<>();
    for (int bits = 0; bits < 1 << of; bits++) {
      if (Integer.bitCount(bits) == size) {
        int chosen = bits;
        all.add(IntStream.range(0, of).filter(i -> (chosen >> i & 1) == 1).toArray());
      }
    }
    all.sort(Arrays::compare);
    return all;
  }

  private static List<Set<String>> nodesOfRanks(List<PlacementGroup> groups) {
    List<Set<String>> ranks = new ArrayList<>();
    for (PlacementGroup group : groups) {
      Set<String> names = new HashSet<>();
      group.bundles().forEach(b -> names.add(b.node()));
      ranks.add(names);
    }
    return ranks;
  }

  /** Never more than is free, exactly the ranks asked for, each with its devices. */
  private static void assertSound(Case given, List<PlacementGroup> groups) {
    Map<String, Integer> used = new HashMap<>();
    Set<String> places = new HashSet<>();
    for (int i = 0; i < groups.size(); i++) {
      PlacementGroup group = groups.get(i);
      assertEquals(given.request.existing() + i, group.rank());
      assertEquals("dp_rank_" + group.rank(), group.name());
      assertEquals(given.request.worldSize(), group.devices());
      assertEquals(group.bundles().getFirst().node(), group.control());
      assertTrue(places.add(group.control() + "/" + group.localRank()), given::toString);
      for (Bundle bundle : group.bundles()) {
        used.merge(bundle.node(), bundle.devices(), Integer::sum);
      }
    }
    for (Capacity node : given.nodes) {
      assertTrue(used.getOrDefault(node.node(), 0) <= node.free(), given::toString);
    }
  }
}
