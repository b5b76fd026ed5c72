package dev.flotilla.placement;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.Scenario;
import dev.flotilla.config.ConfigException;
import dev.flotilla.placement.Placement.Planned;
import dev.flotilla.placement.Placement.Reason;
import dev.flotilla.placement.Placement.Refused;
import dev.flotilla.placement.PlacementGroup.Bundle;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The examples, rules and refusals of placement. */
class PlannerTest {
  /** Nodes a, b, c … with addresses 10.0.0.1, 10.0.0.2 … */
  private static List<Capacity> nodes(int... devices) {
    List<Capacity> nodes = new ArrayList<>();
    for (int i = 0; i < devices.length; i++) {
      nodes.add(new Capacity(String.valueOf((char) ('a' + i)), "10.0.0." + (i + 1), devices[i]));
    }
    return nodes;
  }

  private static PlacementRequest request(
      int size, int sizeLocal, int worldSize, PackStrategy strategy) {
    return PlacementRequest.first("10.0.0.1", size, sizeLocal, worldSize, strategy);
  }

  private static List<PlacementGroup> planned(List<Capacity> nodes, PlacementRequest request) {
    return assertInstanceOf(Planned.class, Planner.plan(nodes, request)).groups();
  }

  private static Refused refused(List<Capacity> nodes, PlacementRequest request) {
    return assertInstanceOf(Refused.class, Planner.plan(nodes, request));
  }

  /** Nodes of the ranks in rank order, each with its local rank: {@code a0,a1,b0}. */
  private static String shape(List<PlacementGroup> groups) {
    return groups.stream()
        .map(
            g ->
                g.bundles().stream().map(Bundle::node).collect(Collectors.joining("+"))
                    + g.localRank())
        .collect(Collectors.joining(","));
  }

  @Test
  @Scenario("A65")
  void theFiveExamplesGiveExactlyTheirResults() {
    assertEquals(
        "a0,a1,b0,b1,c0,c1", shape(planned(nodes(8, 8, 8), request(6, 2, 2, PackStrategy.STRICT))));
    assertEquals(
        "a0,a1,b0,b1,b2,b3", shape(planned(nodes(8, 8, 4), request(6, 2, 2, PackStrategy.FILL))));
    Refused few = refused(nodes(8), request(4, 2, 1, PackStrategy.STRICT));
    assertEquals(Reason.SHORTAGE, few.reason());
    assertTrue(few.sentence().startsWith("placed 2 of 4 ranks of 1 devices each"), few.sentence());
    assertTrue(few.sentence().contains("a (10.0.0.1) 8"), few.sentence());
    assertEquals(
        "a0,a1,c0,c1", shape(planned(nodes(8, 2, 8), request(4, 2, 2, PackStrategy.STRICT))));
    List<PlacementGroup> spanning =
        planned(nodes(8, 8, 8, 8), request(2, 1, 16, PackStrategy.SPAN));
    assertEquals("a+b0,c+d0", shape(spanning));
    assertEquals(List.of("a", "c"), spanning.stream().map(PlacementGroup::control).toList());
    assertEquals(List.of(new Bundle("a", 8), new Bundle("b", 8)), spanning.getFirst().bundles());
    assertEquals("dp_rank_1", spanning.getLast().name());
  }

  @Test
  @Scenario("A66")
  void onlyAllowedNodesAreUsedAndTheHeadAlwaysIs() {
    List<Capacity> four = nodes(8, 8, 8, 8);
    PlacementRequest wide = request(16, 8, 1, PackStrategy.STRICT);
    assertEquals(
        Set.of("a", "c"), used(planned(four, wide.on(List.of("10.0.0.1", "10.0.0.3")))).keySet());
    assertEquals(
        Map.of("a", 8L, "c", 8L), used(planned(four, wide.on(List.of("10.0.0.3", "10.9.9.9")))));
    Refused small = refused(four, wide.on(List.of("10.0.0.1")));
    assertEquals(Reason.SHORTAGE, small.reason());
    assertTrue(small.sentence().startsWith("placed 8 of 16 ranks"), small.sentence());
  }

  private static Map<String, Long> used(List<PlacementGroup> groups) {
    return groups.stream()
        .flatMap(g -> g.bundles().stream())
        .collect(Collectors.groupingBy(Bundle::node, Collectors.summingLong(Bundle::devices)));
  }

  @Test
  @Scenario("A66")
  void twoGroupsWithDisjointListsNeverShareANode() {
    List<Capacity> four = nodes(8, 8, 8, 8);
    List<PlacementGroup> one =
        planned(four, request(16, 8, 1, PackStrategy.STRICT).on(List.of("10.0.0.1", "10.0.0.3")));
    List<PlacementGroup> other =
        planned(
            four,
            PlacementRequest.first("10.0.0.2", 16, 8, 1, PackStrategy.FILL)
                .on(List.of("10.0.0.2", "10.0.0.4")));
    Set<String> shared = new HashSet<>(used(one).keySet());
    shared.retainAll(used(other).keySet());
    assertEquals(Set.of(), shared);
  }

  @Test
  @Scenario("A67")
  void eachReasonAgainstASpanHasItsOwnRefusal() {
    assertRefused(
        Reason.SPAN_NEEDLESS,
        "8 fit into the 8 of one; take strict or fill",
        nodes(8, 8),
        request(1, 1, 8, PackStrategy.SPAN));
    assertRefused(
        Reason.SPAN_UNEQUAL, "they have 4 to 8", nodes(8, 4), request(1, 1, 12, PackStrategy.SPAN));
    assertRefused(
        Reason.SPAN_INDIVISIBLE,
        "12 devices of a rank are no multiple of the 8",
        nodes(8, 8),
        request(1, 1, 12, PackStrategy.SPAN));
    assertRefused(
        Reason.SPAN_SHORTAGE,
        "2 ranks of 16 devices each need 32, but the 3 nodes have 24",
        nodes(8, 8, 8),
        request(2, 1, 16, PackStrategy.SPAN));
    assertRefused(
        Reason.SPAN_LOCAL_SIZE,
        "--data-parallel-size-local must be 1, not 2",
        nodes(8, 8, 8, 8),
        request(2, 2, 16, PackStrategy.SPAN));
  }

  @Test
  @Scenario("A67")
  void fillIsRefusedWhereEveryNodeMustHaveEquallyManyRanks() {
    PlacementRequest fill = request(4, 2, 1, PackStrategy.FILL);
    for (String name : List.of("deepep_high_throughput", "deepep_low_latency")) {
      assertRefused(
          Reason.UNALIGNED_FILL,
          "--all2all-backend " + name,
          nodes(8, 8),
          fill.exchanging(AllToAll.of(name)));
    }
    assertEquals(4, planned(nodes(8, 8), fill.exchanging(AllToAll.PPLX)).size());
    PlacementRequest strict = request(4, 2, 1, PackStrategy.STRICT);
    assertEquals(
        4, planned(nodes(8, 8), strict.exchanging(AllToAll.of("deepep_low_latency"))).size());
    ConfigException unknown = assertThrows(ConfigException.class, () -> PackStrategy.of("loose"));
    assertEquals("--pack-strategy must be strict, fill or span, not 'loose'", unknown.getMessage());
    assertThrows(ConfigException.class, () -> AllToAll.of("carrier-pigeon"));
  }

  @Test
  void everyOtherRefusalSaysItsNumbers() {
    PlacementRequest two = request(2, 2, 2, PackStrategy.STRICT);
    assertRefused(Reason.NO_NODES, "no nodes to place 2 ranks on", List.of(), two);
    assertRefused(
        Reason.HEAD_MISSING, "none has the id or address 10.0.0.1", nodes(8, 8).subList(1, 2), two);
    assertRefused(
        Reason.HEAD_MISSING,
        "more than one",
        List.of(new Capacity("a", "10.0.0.1", 8), new Capacity("b", "10.0.0.1", 8)),
        two);
    assertRefused(Reason.NO_DEVICES, "none of the 2 nodes", nodes(0, 0), two);
    assertRefused(
        Reason.HEAD_TOO_SMALL,
        "room for 1 ranks of 2 devices each, but --data-parallel-size-local is 2",
        nodes(3, 8),
        two);
    assertRefused(
        Reason.NO_ADDRESS,
        "node b has told no address",
        List.of(new Capacity("a", "10.0.0.1", 4), new Capacity("b", "", 4)),
        request(4, 2, 2, PackStrategy.STRICT));
    assertRefused(
        Reason.HEAD_TOO_SMALL,
        "room for 0 ranks",
        nodes(0, 8, 8),
        request(1, 1, 16, PackStrategy.SPAN));
    assertThrows(ConfigException.class, () -> request(2, 3, 1, PackStrategy.STRICT));
    assertThrows(ConfigException.class, () -> request(0, 0, 1, PackStrategy.STRICT));
    assertThrows(ConfigException.class, () -> request(1, 1, 0, PackStrategy.STRICT));
  }

  private static void assertRefused(
      Reason reason, String words, List<Capacity> nodes, PlacementRequest request) {
    Refused refused = refused(nodes, request);
    assertEquals(reason, refused.reason(), refused.sentence());
    assertTrue(refused.sentence().contains(words), refused.sentence());
  }

  @Test
  void theHeadIsFoundByItsIdWhereNodesShareAnAddress() {
    List<Capacity> loopback =
        List.of(new Capacity("x", "127.0.0.1", 2), new Capacity("y", "127.0.0.1", 2));
    assertEquals(
        "y0,x0",
        shape(planned(loopback, PlacementRequest.first("y", 2, 1, 1, PackStrategy.STRICT))));
  }

  @Test
  void growthTakesWhatIsFreeHeadFirstAndGoesOnWithTheNames() {
    List<Capacity> running =
        List.of(new Capacity("b", "10.0.0.2", 8, 4), new Capacity("a", "10.0.0.1", 8, 5));
    PlacementRequest grow = request(4, 2, 2, PackStrategy.STRICT).growing(4, 7);
    List<PlacementGroup> groups = planned(running, grow);
    assertEquals("a1,a2,b2", shape(groups));
    assertEquals(
        List.of("dp_rank_4", "dp_rank_5", "dp_rank_6"),
        groups.stream().map(PlacementGroup::name).toList());
    assertEquals(List.of(), planned(running, grow.growing(4, 4)));
    assertEquals(List.of(), planned(running, grow.growing(4, 2)));
  }

  @Test
  void growthKeepsToAllowedNodesAndSaysWhatIsMissing() {
    PlacementRequest grow = request(2, 1, 2, PackStrategy.FILL).growing(2, 5);
    List<Capacity> three = nodes(2, 4, 8);
    assertEquals("a0,b0,b1", shape(planned(three, grow.on(List.of("10.0.0.2")))));
    Refused refused = refused(nodes(2, 4), grow.growing(2, 6));
    assertEquals(Reason.SHORTAGE, refused.reason());
    assertTrue(refused.sentence().startsWith("placed 3 of 4 more ranks"), refused.sentence());
  }

  @Test
  void growthOfSpanningRanksTakesWhollyFreeNodesOnly() {
    List<Capacity> running =
        List.of(
            new Capacity("a", "10.0.0.1", 8, 0),
            new Capacity("b", "10.0.0.2", 8, 0),
            new Capacity("c", "10.0.0.3", 8, 7),
            new Capacity("d", "10.0.0.4", 8),
            new Capacity("e", "10.0.0.5", 8));
    PlacementRequest grow = request(1, 1, 16, PackStrategy.SPAN).growing(1, 2);
    assertEquals("d+e0", shape(planned(running, grow)));
    assertEquals(Reason.SPAN_SHORTAGE, refused(running, grow.growing(1, 3)).reason());
    assertEquals(Reason.SHORTAGE, refused(running.subList(0, 3), grow).reason());
  }

  @Test
  void aPlanComesBackFromItsJsonAndIsCheckedAgainstTheFlags() {
    List<PlacementGroup> plan = planned(nodes(8, 8, 8), request(6, 2, 2, PackStrategy.STRICT));
    List<PlacementGroup> read =
        PlacementJson.groups(PlacementJson.write(plan, List.of()).toString());
    assertEquals(plan, read);
    PlacementJson.verify(read, 6, 2);
    assertThrows(ConfigException.class, () -> PlacementJson.verify(read, 5, 2));
    assertThrows(ConfigException.class, () -> PlacementJson.verify(read, 6, 4));
    List<PlacementGroup> twice = new ArrayList<>(read);
    twice.set(1, new PlacementGroup(1, 0, List.of(new Bundle("a", 2)), "a"));
    ConfigException same =
        assertThrows(ConfigException.class, () -> PlacementJson.verify(twice, 6, 2));
    assertTrue(String.valueOf(same.getMessage()).contains("local rank 0 on node a"));
  }
}
