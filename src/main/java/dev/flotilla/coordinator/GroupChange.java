package dev.flotilla.coordinator;

import dev.flotilla.placement.PlacementGroup;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One numbered change of the group. Its phases, each of which may be entered and ordered again:
 *
 * <ol>
 *   <li>{@link Phase#RESERVE}: every node gives devices to its new ranks, or the change is off;
 *   <li>{@link Phase#START}: the engines of the new ranks become ready, or the change is off;
 *   <li>{@link Phase#DRAIN}: the ranks that go take nothing new and finish what they can;
 *   <li>{@link Phase#RETIRE}: their engines end; what they had left, front-ends resume elsewhere;
 *   <li>{@link Phase#SETTLE}: all nodes are told what they hold from now on, for either outcome.
 * </ol>
 *
 * <p>A change upwards takes 1, 2, 5, one downwards 3, 4, 5. If the coordinator dies before 5, the
 * next one settles the old size: leases that were not kept end by themselves, and ranks whose
 * engines have ended are started again. If it dies in 5, some node may know the outcome already,
 * and the next one settles that.
 *
 * <p>Source: the original's prepare, commit and abort; Pekko's rescaling as numbered steps.
 *
 * @param number higher than all before
 * @param from size before
 * @param to size after, if it succeeds
 * @param groups new ranks and their devices
 * @param drainNanos what running requests may take before they go on elsewhere
 * @param since when the phase began
 * @param told when its orders were sent last
 * @param idleSince when the ranks that go were seen to have no work; 0: they have some
 * @param call whom to answer; null: nobody asked for it
 * @param outcome of phase 5; null before
 */
public record GroupChange(
    long number,
    int from,
    int to,
    List<PlacementGroup> groups,
    long drainNanos,
    Phase phase,
    long since,
    long told,
    long idleSince,
    @Nullable Long call,
    @Nullable Outcome outcome) {

  /** Where it is. */
  public enum Phase {
    /** 1. */
    RESERVE,
    /** 2. */
    START,
    /** 3. */
    DRAIN,
    /** 4. */
    RETIRE,
    /** 5. */
    SETTLE
  }

  /** How it ends: 200, or an HTTP status and a sentence. */
  public record Outcome(int code, String sentence) {}

  /** Keeps a private copy. */
  public GroupChange {
    groups = List.copyOf(groups);
  }

  static GroupChange up(
      long number, int from, int to, List<PlacementGroup> groups, long now, @Nullable Long call) {
    return new GroupChange(
        number, from, to, groups, 0, Phase.RESERVE, now, Long.MIN_VALUE, 0, call, null);
  }

  static GroupChange down(
      long number, int from, int to, long drainNanos, long now, @Nullable Long call) {
    return new GroupChange(
        number, from, to, List.of(), drainNanos, Phase.DRAIN, now, Long.MIN_VALUE, 0, call, null);
  }

  GroupChange in(Phase next, long now) {
    return new GroupChange(
        number, from, to, groups, drainNanos, next, now, Long.MIN_VALUE, 0, call, outcome);
  }

  GroupChange ending(Outcome how, long now) {
    return new GroupChange(
        number, from, to, groups, drainNanos, Phase.SETTLE, now, Long.MIN_VALUE, 0, call, how);
  }

  GroupChange toldAt(long now) {
    return new GroupChange(
        number, from, to, groups, drainNanos, phase, since, now, idleSince, call, outcome);
  }

  GroupChange idleAt(long now) {
    return new GroupChange(
        number, from, to, groups, drainNanos, phase, since, told, now, call, outcome);
  }

  /** Whether the orders of its phase are to be sent, for the first time or again. */
  boolean due(long now, long everyNanos) {
    return told == Long.MIN_VALUE || now - told >= everyNanos;
  }

  /** The answer if it went well. */
  String done() {
    return "the group has %d ranks".formatted(to);
  }

  @Override
  public String toString() {
    return from == to
        ? "change %d (%d ranks are placed)".formatted(number, groups.size())
        : "change %d (from %d to %d ranks)".formatted(number, from, to);
  }
}
