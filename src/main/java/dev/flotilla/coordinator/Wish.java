package dev.flotilla.coordinator;

import dev.flotilla.coordinator.GroupChange.Outcome;
import dev.flotilla.coordinator.Scaling.Effect;
import dev.flotilla.coordinator.Scaling.Event;
import dev.flotilla.placement.Placement;
import dev.flotilla.placement.PlacementGroup;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What {@link Scaling} does when somebody wants another size: answers at once, or begins. */
record Wish(ScalingStep step) {
  private static final int SIZE_MAX = 65_535;

  void asked(Event.Asked asked) {
    long now = asked.nowNanos();
    int wanted = asked.size();
    Outcome at = refusal(asked);
    if (at != null) {
      step.effects.add(new Effect.Answer(asked.call(), at.code(), at.sentence()));
    } else if (wanted < step.size) {
      long drainNanos = asked.drainMs() * ScalingStep.MS;
      step.begin(
          GroupChange.down(step.highest + 1, step.size, wanted, drainNanos, now, asked.call()),
          now);
    } else {
      switch (new Upkeep(step).growth(wanted)) {
        case Placement.Refused(_, String sentence) ->
            step.effects.add(new Effect.Answer(asked.call(), 503, sentence));
        case Placement.Planned(List<PlacementGroup> groups, _) ->
            step.begin(
                GroupChange.up(step.highest + 1, step.size, wanted, groups, now, asked.call()),
                now);
      }
    }
  }

  /** The answer to what needs no change; null: it needs one. */
  private @Nullable Outcome refusal(Event.Asked asked) {
    int wanted = asked.size();
    if (wanted < 1 || wanted > SIZE_MAX || asked.drainMs() < 1) {
      return new Outcome(
          400, "the size must be 1 to %d and the drain time positive".formatted(SIZE_MAX));
    }
    if (step.current != null || asked.nowNanos() - step.startedNanos < ScalingStep.GRACE_NANOS) {
      return new Outcome(
          409,
          "another change of the group is under way%s; ask again when it is settled"
              .formatted(step.current == null ? "" : ", " + step.current));
    }
    if (wanted == step.size) {
      return new Outcome(200, "the group has %d ranks already".formatted(step.size));
    }
    List<Integer> missing = new Upkeep(step).missing();
    if (wanted > step.size && !missing.isEmpty()) {
      return new Outcome(
          503, "ranks %s have no place yet, so there is no room for more".formatted(missing));
    }
    return null;
  }
}
