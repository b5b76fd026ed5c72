package dev.flotilla.engine;

import dev.flotilla.protocol.EngineAt;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.StepCost;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.scheduler.Scheduler;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What the coordinator wants moved until somebody's turn comes to do it; the newest order counts.
 */
final class PendingOrder {
  private final Offers offers = new Offers();
  private final AtomicReference<@Nullable Order> newest = new AtomicReference<>();

  private record Order(
      ToEngine.HandOver order, EngineAt self, Consumer<Map<FrontendId, ToFrontend.Offer>> tell) {}

  /** Any thread's. */
  void set(
      ToEngine.HandOver order, EngineAt self, Consumer<Map<FrontendId, ToFrontend.Offer>> tell) {
    newest.set(new Order(order, self, tell));
  }

  /** Does what waits, once. Of whoever may touch the scheduler. */
  void perform(Scheduler scheduler, StepCost own) {
    Order wanted = newest.getAndSet(null);
    if (wanted != null) {
      wanted.tell.accept(offers.make(wanted.order, wanted.self, scheduler, own));
    }
  }
}
