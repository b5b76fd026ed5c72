package dev.flotilla.frontend;

import dev.flotilla.frontend.StreamSteps.Effect;
import dev.flotilla.frontend.StreamSteps.Event;
import dev.flotilla.frontend.StreamSteps.Target;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.EngineAt;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A front-end's part in handing queued requests over: takes busy engines' offers to the streams,
 * unless the other engine does not serve as far as is known here, or the client insists on a rank.
 * Used by the front-end's thread.
 */
final class Moving {
  private static final Logger LOG = LoggerFactory.getLogger(Moving.class);

  private final Bus bus;
  private final Fleet fleet;
  private final FrontendMetrics metrics;

  /** Of the streams over a fleet. */
  Moving(Bus bus, Fleet fleet, FrontendMetrics metrics) {
    this.bus = bus;
    this.fleet = fleet;
    this.metrics = metrics;
  }

  /** An offer came; each of its requests is moved, declined, or unknown and then aborted. */
  void offered(
      ToFrontend.Offer offer,
      Function<RequestId, @Nullable Choice> find,
      BiConsumer<Choice, Event> hear) {
    long now = System.nanoTime();
    EngineAt to = offer.to();
    boolean known = fleet.mayTake(to);
    for (ToFrontend.Attempt attempt : offer.requests()) {
      Choice choice = find.apply(attempt.request());
      if (choice == null) {
        bus.send(offer.from().address(), new ToEngine.Abort(attempt.request(), attempt.attempt()));
      } else if (known && choice.generation.request.routing().rank() == null) {
        Target target = new Target(to.rank(), to.incarnation(), to.epoch());
        hear.accept(
            choice, new Event.Offered(now, offer.from().incarnation(), attempt.attempt(), target));
      } else {
        bus.send(
            offer.from().address(), new ToEngine.Decline(attempt.request(), attempt.attempt()));
      }
    }
  }

  /**
   * An engine computes what nobody here waits for: its abort was lost, or it stood still when the
   * stream moved on. It is told with each of its steps until it ends.
   */
  void disown(EngineAt engine, ToFrontend.Delta delta) {
    if (delta.finish() == null) {
      bus.send(engine.address(), new ToEngine.Abort(delta.request(), delta.attempt()))
          .onFailure(e -> LOG.debug("engine {} is gone: {}", engine.rank(), e.toString()));
    }
  }

  /** A stream goes elsewhere with its next attempt. */
  void moves(Choice choice, Effect.Move move) {
    metrics.moved(move.from().rank());
    choice.movedTo = move.to().incarnation();
    choice.expectedCached = 0; // Nobody looked what the other engine holds of it.
  }

  /** A stream stays. */
  void declines(Choice choice, Effect.Decline decline) {
    Target at = decline.target();
    bus.send(
        Addresses.engine(at.rank(), at.incarnation()),
        new ToEngine.Decline(choice.id, decline.attempt()));
  }
}
