package dev.flotilla.engine;

import dev.flotilla.balancer.HandOver;
import dev.flotilla.protocol.EngineAt;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Machine;
import dev.flotilla.protocol.StepCost;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.scheduler.Scheduler;
import dev.flotilla.scheduler.Unstarted;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Turns the coordinator's order into offers: picks never-started requests from the tail of one
 * engine's queue, keeps them from starting for {@link ToFrontend.Offer#HELD_MS}, and tells their
 * owners. A request is offered once by each engine, so that one whose owner declines is held up no
 * second time. Used by whoever may touch the scheduler.
 */
public final class Offers implements Machine {
  private long decidedOn;

  /** None was made. */
  public Offers() {}

  /**
   * What to tell which front-end; nothing if the order is not for this engine as it is now.
   *
   * @param self the engine
   * @param own what steps cost here
   */
  public Map<FrontendId, ToFrontend.Offer> make(
      ToEngine.HandOver order, EngineAt self, Scheduler scheduler, StepCost own) {
    if (!order.incarnation().equals(self.incarnation())
        || !order.epoch().equals(self.epoch())
        || order.report() <= decidedOn
        || order.to().rank().equals(self.rank())) {
      return Map.of();
    }
    decidedOn = order.report();
    List<Unstarted> tail = Unstarted.of(scheduler);
    Map<FrontendId, List<ToFrontend.Attempt>> offered = new LinkedHashMap<>();
    for (int index : pick(order, self, tail, own)) {
      Unstarted request = tail.get(index);
      request.hold(ToFrontend.Offer.HELD_MS * 1_000_000);
      ToEngine.Submit submit = request.submit();
      offered
          .computeIfAbsent(submit.request().frontend(), ignored -> new ArrayList<>())
          .add(new ToFrontend.Attempt(submit.request(), submit.attempt()));
    }
    Map<FrontendId, ToFrontend.Offer> offers = new LinkedHashMap<>();
    offered.forEach(
        (owner, requests) ->
            offers.put(owner, new ToFrontend.Offer(self, order.to(), requests.reversed())));
    return offers;
  }

  private static List<Integer> pick(
      ToEngine.HandOver order, EngineAt self, List<Unstarted> tail, StepCost own) {
    List<HandOver.Movable> movable = new ArrayList<>(tail.size());
    for (Unstarted request : tail) {
      ToEngine.Submit submit = request.submit();
      int tokens = Inbox.tokens(submit);
      movable.add(
          request.offered()
              ? HandOver.Movable.staying(tokens, request.cachedTokens())
              : new HandOver.Movable(tokens, request.cachedTokens(), submit.attempt()));
    }
    return new HandOver(
            self.rank(),
            self.incarnation(),
            order.to().rank(),
            order.to().incarnation(),
            order.gapMs(),
            order.cost(),
            order.kvRoom(),
            order.slotRoom())
        .pick(movable, own);
  }
}
