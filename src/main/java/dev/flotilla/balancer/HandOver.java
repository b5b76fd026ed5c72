package dev.flotilla.balancer;

import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.StepCost;
import java.util.ArrayList;
import java.util.List;

/**
 * The order to a busy engine: give never-started requests to another one.
 *
 * @param from whose requests
 * @param to who gets them
 * @param gapMs by how much sooner the other would compute a prompt that came now
 * @param cost the other's
 * @param kvRoom tokens that its KV cache can take
 * @param slotRoom requests that its batch can take
 */
public record HandOver(
    Rank from,
    Incarnation fromIncarnation,
    Rank to,
    Incarnation toIncarnation,
    double gapMs,
    StepCost cost,
    long kvRoom,
    int slotRoom) {

  /** Of one order; the next report may bring another. */
  static final int MOST = 32;

  /** A request that was moved so often has met three engines busier than their reports said. */
  static final int MOVES_MAX = 3;

  /** What a move must gain, against estimates that are a little off. */
  private static final double GAIN_MS = 5;

  /**
   * A request that has not started.
   *
   * @param tokens of its prompt, delivered output included
   * @param cachedTokens of these, those that its engine's prefix cache holds
   * @param attempt rises with every move
   */
  public record Movable(int tokens, int cachedTokens, int attempt) {
    /** One that stays, but is computed before those behind it. */
    public static Movable staying(int tokens, int cachedTokens) {
      return new Movable(tokens, cachedTokens, MOVES_MAX);
    }
  }

  /**
   * Which requests to give: from the tail, those that the other engine will have computed sooner
   * than they would be here, with all that was given before them.
   *
   * @param tail never-started requests, the last to run first
   * @param own what steps cost here
   * @return indexes into the tail, rising
   */
  public List<Integer> pick(List<Movable> tail, StepCost own) {
    List<Integer> picked = new ArrayList<>();
    double left = gapMs - GAIN_MS;
    long kvLeft = kvRoom;
    for (int i = 0; i < tail.size() && picked.size() < Math.min(MOST, slotRoom); i++) {
      Movable request = tail.get(i);
      // The other's hits are not known here, and to hope for none is the careful side.
      double there = cost.prefill(0, request.tokens());
      if (request.attempt() < MOVES_MAX && request.tokens() <= kvLeft && there <= left) {
        picked.add(i);
        left -= there;
        kvLeft -= request.tokens();
      }
      // What goes, and what stays although it is behind, both shorten the gap for those before.
      left -= own.prefill(request.cachedTokens(), request.tokens());
    }
    return picked;
  }
}
