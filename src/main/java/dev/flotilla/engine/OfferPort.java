package dev.flotilla.engine;

import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.EngineAt;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import java.util.Map;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A port's part in handing queued requests over: takes the orders to the step loop, or past it
 * while it computes, and what it offers to the front-ends. Used by the port's thread.
 */
final class OfferPort {
  private static final Logger LOG = LoggerFactory.getLogger(OfferPort.class);

  /** Aborts of moved requests that come closer together are taken in at once. */
  private static final long INTAKE_GAP_MS = 1;

  private final Vertx vertx;
  private final Context context;
  private final Bus bus;
  private final Inbox inbox;
  private final EngineCore core;
  private final Pacer intake;
  private long heldUntil = System.nanoTime();

  /** Of the port that runs in the present context. */
  OfferPort(Vertx vertx, Bus bus, Inbox inbox, EngineCore core) {
    this.vertx = vertx;
    this.context = vertx.getOrCreateContext();
    this.bus = bus;
    this.inbox = inbox;
    this.core = core;
    intake =
        new Pacer(
            INTAKE_GAP_MS,
            core::attend,
            (ms, action) -> vertx.setTimer(ms, ignored -> action.run()),
            System::nanoTime);
  }

  /** The coordinator wants requests moved; the newest order counts. */
  void order(ToEngine.HandOver order, EngineLife life) {
    Rank rank = Objects.requireNonNull(life.rank(), "orders come to a rank's address");
    EngineAt self = new EngineAt(rank, life.incarnation(), life.epoch());
    core.handOver(order, self, offers -> context.runOnContext(ignored -> send(offers)));
  }

  /** The owner keeps the request here. */
  void declined(ToEngine.Decline decline) {
    inbox.offer(new Inbox.Command.Release(decline.request(), decline.attempt()));
    taken();
  }

  /** A request is cancelled, perhaps because it goes on elsewhere; false if there is no room. */
  boolean aborted(RequestId request, int attempt) {
    boolean room = inbox.offer(new Inbox.Command.Abort(request, attempt));
    taken();
    return room;
  }

  /** Something came that may concern a held request: reports must not wait for the step's end. */
  private void taken() {
    if (heldUntil - System.nanoTime() > 0) {
      intake.request();
    }
  }

  private void send(Map<FrontendId, ToFrontend.Offer> offers) {
    if (offers.isEmpty()) {
      return;
    }
    heldUntil = System.nanoTime() + ToFrontend.Offer.HELD_MS * 1_000_000;
    offers.forEach(
        (owner, offer) ->
            bus.send(Addresses.frontend(owner), offer)
                .onFailure(failure -> LOG.debug("{} is gone: {}", owner, failure.getMessage())));
    // A loop that rests because all that waits is held has nobody else to wake it.
    vertx.setTimer(ToFrontend.Offer.HELD_MS + 1, ignored -> inbox.wake());
  }
}
