package dev.flotilla.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * Every order of events of a tiny world, where loops that are free take their turns at once and
 * time passes only while nothing is under way: two ranks, two requests, and one fault, which is a
 * lost message, a rank that dies, a rank that stands still for too long, or a coordinator that is
 * replaced. In every state that can be reached nothing has gone back and nobody exchanges anything
 * with a rank of another generation; and from every one the group comes to rest with all work done
 * once the messages arrive and time passes.
 */
class WaveExhaustiveTest {
  private static final int STATES_MAX = 1_000_000;

  @Test
  void withoutLossAndWithoutTimeEveryOrderOfMessagesLeadsToRest() {
    Set<WaveSmallWorld> seen = search(WaveSmallWorld.start(2, 0), false);
    int ends = 0;
    for (WaveSmallWorld world : seen) {
      if (edges(world).isEmpty()) {
        assertTrue(world.rests(), () -> "it ends in " + world);
        ends++;
      }
    }
    System.out.printf("waves, all orders of edges: %d states, %d ends%n", seen.size(), ends);
    assertTrue(ends > 0);
  }

  @Test
  void whateverTheOneFaultAndTheOrderTheGroupComesToRestWithAllWorkDone() {
    Set<WaveSmallWorld> seen = search(WaveSmallWorld.start(2, 1), true);
    Map<WaveSmallWorld, Boolean> good = new HashMap<>();
    long longest = 0;
    for (WaveSmallWorld world : seen) {
      longest = Math.max(longest, settle(world, good));
    }
    System.out.printf(
        "waves, all orders with one fault: %d states, %d more on the way to rest, longest %d%n",
        seen.size(), good.size() - seen.size(), longest);
    assertEquals(Set.of(true), new HashSet<>(good.values()));
    assertTrue(seen.size() > 1_000, "too few states: " + seen.size());
  }

  private static Set<WaveSmallWorld> search(WaveSmallWorld start, boolean time) {
    Set<WaveSmallWorld> seen = new LinkedHashSet<>(List.of(start));
    List<WaveSmallWorld> open = List.of(start);
    while (!open.isEmpty()) {
      List<WaveSmallWorld> after =
          open.parallelStream().flatMap(world -> next(world, time).stream()).toList();
      open = after.stream().filter(seen::add).toList();
      assertTrue(seen.size() < STATES_MAX, "too many states");
    }
    return seen;
  }

  private static List<WaveSmallWorld> next(WaveSmallWorld world, boolean time) {
    List<WaveSmallWorld> next = edges(world);
    if (time) {
      next.addAll(faults(world));
    }
    if (time && world.underWay().isEmpty()) {
      next.add(world.tick());
    }
    next.replaceAll(WaveSmallWorld::turned);
    return next;
  }

  /** All that can happen without a fault and without time. */
  private static List<WaveSmallWorld> edges(WaveSmallWorld world) {
    List<WaveSmallWorld> next = new ArrayList<>();
    if (world.unseen()) {
      next.add(world.see());
    }
    for (Object message : world.underWay()) {
      next.add(world.deliver(message));
    }
    for (int rank = 0; rank < WaveSmallWorld.RANKS; rank++) {
      if (world.arrivals() > 0 && world.nodes().get(rank).up()) {
        next.add(world.arrive(rank));
      }
      if (!world.nodes().get(rank).up()) {
        next.add(world.restart(rank));
      }
      if (world.canMeet(rank)) {
        next.add(world.meet(rank));
      }
    }
    next.removeIf(world::equals);
    return next;
  }

  private static List<WaveSmallWorld> faults(WaveSmallWorld world) {
    List<WaveSmallWorld> next = new ArrayList<>();
    if (world.faults() == 0) {
      return next;
    }
    next.add(world.takeOver());
    for (Object message : world.underWay()) {
      next.add(world.lose(message));
    }
    for (int rank = 0; rank < WaveSmallWorld.RANKS; rank++) {
      if (world.nodes().get(rank).up()) {
        next.add(world.kill(rank));
      }
      if (world.canFail(rank)) {
        next.add(world.stall(rank));
      }
    }
    return next;
  }

  /** Follows the world to its rest; says in how many steps. */
  private static long settle(WaveSmallWorld from, Map<WaveSmallWorld, Boolean> good) {
    Set<WaveSmallWorld> way = new LinkedHashSet<>();
    WaveSmallWorld world = from;
    while (!good.containsKey(world)) {
      if (world.rests() && world.underWay().isEmpty()) {
        good.put(world, true);
        break;
      }
      world = (way.add(world) ? onward(world) : overdue(world, way)).turned();
    }
    way.forEach(w -> good.put(w, true));
    return way.size();
  }

  /** What happens next where everything takes its time: messages first, then steps, then time. */
  private static WaveSmallWorld onward(WaveSmallWorld world) {
    if (world.unseen()) {
      return world.see();
    }
    List<Object> messages = new ArrayList<>(world.underWay());
    if (!messages.isEmpty()) {
      messages.sort(Comparator.comparing(Object::toString));
      return world.deliver(messages.getFirst());
    }
    for (int rank = 0; rank < WaveSmallWorld.RANKS; rank++) {
      if (!world.nodes().get(rank).up()) {
        return world.restart(rank);
      }
      if (world.arrivals() > 0) {
        return world.arrive(rank);
      }
      if (world.canMeet(rank)) {
        return world.meet(rank);
      }
    }
    return world.tick();
  }

  /** Nothing but time goes on: whoever waits for somebody in vain gives up. */
  private static WaveSmallWorld overdue(WaveSmallWorld world, Set<WaveSmallWorld> way) {
    for (int rank = 0; rank < WaveSmallWorld.RANKS; rank++) {
      if (world.canFail(rank) && world.hopeless(rank)) {
        return world.timeOut(rank);
      }
    }
    List<WaveSmallWorld> last = List.copyOf(way);
    throw new AssertionError(
        "goes round for ever: "
            + last.subList(Math.max(0, last.size() - 12), last.size()).stream()
                .map(w -> "\n" + w)
                .toList());
  }
}
