package dev.flotilla.coordinator;

import dev.flotilla.coordinator.GroupChange.Outcome;
import dev.flotilla.coordinator.Scaling.Effect;
import dev.flotilla.placement.GivenPlacement;
import dev.flotilla.placement.Placement;
import dev.flotilla.placement.PlacementGroup;
import dev.flotilla.placement.PlacementGroup.Bundle;
import dev.flotilla.placement.PlacementRequest;
import dev.flotilla.placement.Planner;
import dev.flotilla.protocol.Lease;
import java.util.ArrayList;
import java.util.List;

/**
 * What {@link Scaling} does while no change is under way: tells agents what they have missed, ends
 * leases that belong to nobody, and places ranks that are missing, at the launch all of them.
 */
record Upkeep(ScalingStep step) {

  void look(long now) {
    if (now < step.retryNanos) {
      return;
    }
    if (step.settled > 0
        && step.agents.all().values().stream().anyMatch(h -> h.report().change() < step.settled)) {
      step.orderSettled();
      step.retryNanos = now + ScalingStep.REPEAT_NANOS;
      return;
    }
    List<Agents.Place> mine = step.kept();
    if (step.agents.places().stream().anyMatch(p -> orphan(p, mine))) {
      step.effects.add(new Effect.Moved("leases that belong to nobody end"));
      GroupChange tidy = change(List.of(), now);
      step.settled(tidy, step.size, new Outcome(200, tidy.done()), now);
      return;
    }
    repair(mine, now);
  }

  private boolean orphan(Agents.Place place, List<Agents.Place> mine) {
    long change = place.lease().change();
    int rank = place.lease().rank().value();
    boolean beyond = rank >= step.size && !step.settings.reserves(rank);
    return change != Lease.ENDS && (beyond || (change > 0 && !mine.contains(place)));
  }

  private GroupChange change(List<PlacementGroup> groups, long now) {
    return GroupChange.up(step.highest + 1, step.size, step.size, groups, now, null);
  }

  /** Ranks that this coordinator has to place, and that have no devices. */
  List<Integer> missing() {
    List<Agents.Place> mine = step.kept();
    List<Integer> missing = new ArrayList<>();
    for (int rank = first(); rank < step.size; rank++) {
      if (!placed(rank, mine)) {
        missing.add(rank);
      }
    }
    return missing;
  }

  private boolean placed(int rank, List<Agents.Place> mine) {
    return devices(of(rank, mine)) >= step.settings.request().worldSize();
  }

  /**
   * Where the ranks would be by which the group is to grow: their own devices, if they have any.
   */
  Placement growth(int wanted) {
    List<Agents.Place> mine = step.kept();
    List<PlacementGroup> groups = new ArrayList<>();
    List<Integer> others = new ArrayList<>();
    for (int rank = step.size; rank < wanted; rank++) {
      if (placed(rank, mine)) {
        groups.add(again(rank, of(rank, mine)));
      } else {
        others.add(rank);
      }
    }
    if (others.isEmpty()) {
      return new Placement.Planned(groups, List.of());
    }
    PlacementRequest request = step.settings.request().at(step.term.node().value());
    Placement plan = named(others, request.growing(step.size, step.size + others.size()));
    if (!(plan instanceof Placement.Planned(List<PlacementGroup> more, List<String> notes))) {
      return plan;
    }
    groups.addAll(more);
    return new Placement.Planned(groups, notes);
  }

  private int first() {
    return step.settings.places() ? 0 : step.settings.launchSize();
  }

  private static List<Agents.Place> of(int rank, List<Agents.Place> mine) {
    return mine.stream().filter(p -> p.lease().rank().value() == rank).toList();
  }

  private static int devices(List<Agents.Place> places) {
    return places.stream().mapToInt(p -> p.lease().devices().size()).sum();
  }

  private void repair(List<Agents.Place> mine, long now) {
    List<PlacementGroup> groups = new ArrayList<>();
    List<Integer> missing = missing();
    for (int rank = first(); rank < step.size; rank++) {
      List<Agents.Place> places = of(rank, mine);
      if (!missing.contains(rank) && places.stream().noneMatch(p -> p.lease().running())) {
        groups.add(again(rank, places));
      }
    }
    // An agent that has yet to be heard of may hold what seems to be missing after a takeover.
    boolean sure = step.agents.highest() == 0 || now - step.startedNanos > ScalingStep.SILENT_NANOS;
    if (!missing.isEmpty() && sure) {
      groups.addAll(placed(missing, now));
    }
    if (!groups.isEmpty()) {
      step.begin(change(groups, now), now);
    }
  }

  /** On the devices that it has. */
  private static PlacementGroup again(int rank, List<Agents.Place> places) {
    List<Bundle> bundles =
        places.stream().map(p -> new Bundle(p.node().value(), p.lease().devices().size())).toList();
    return new PlacementGroup(rank, 0, bundles, bundles.getFirst().node());
  }

  private List<PlacementGroup> placed(List<Integer> missing, long now) {
    switch (plan(missing)) {
      case Placement.Planned(List<PlacementGroup> groups, _) -> {
        return groups;
      }
      case Placement.Refused(_, String sentence) -> {
        if (Integer.bitCount(step.failures + 1) == 1) { // Ever more seldom.
          step.effects.add(
              new Effect.Moved("ranks %s are missing: %s".formatted(missing, sentence)));
        }
        step.failures++;
        step.retryNanos = now + ScalingStep.RETRY_NANOS;
        return List.of();
      }
    }
  }

  private Placement plan(List<Integer> missing) {
    PlacementRequest request = step.settings.request().at(step.term.node().value());
    if (missing.size() == step.size && step.settled == 0) {
      GivenPlacement given = step.settings.given();
      return given != null
          ? given.on(step.agents.capacities(), request.head())
          : Planner.plan(step.agents.capacities(), request);
    }
    Placement plan = grown(missing, request);
    // Better some of them than none; the rest waits for room.
    for (int fewer = missing.size() - 1; plan instanceof Placement.Refused && fewer > 0; fewer--) {
      Placement part = grown(missing.subList(0, fewer), request);
      plan = part instanceof Placement.Planned ? part : plan;
    }
    return plan;
  }

  private Placement grown(List<Integer> missing, PlacementRequest request) {
    return named(missing, request.growing(step.size - missing.size(), step.size));
  }

  /** A plan for ranks that need not be the last ones. */
  private Placement named(List<Integer> ranks, PlacementRequest request) {
    Placement plan = Planner.plan(step.agents.capacities(), request);
    if (!(plan instanceof Placement.Planned(List<PlacementGroup> groups, List<String> notes))) {
      return plan;
    }
    List<PlacementGroup> named = new ArrayList<>();
    for (int i = 0; i < groups.size(); i++) {
      PlacementGroup group = groups.get(i);
      named.add(
          new PlacementGroup(ranks.get(i), group.localRank(), group.bundles(), group.control()));
    }
    return new Placement.Planned(named, notes);
  }
}
