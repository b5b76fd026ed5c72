package dev.flotilla.engine;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.protocol.Address;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.EngineAt;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.StepCost;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.protocol.TokenIds;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.List;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A real engine under orders to offer what it has not begun. */
class OfferPortTest {
  private static final Epoch EPOCH = new Epoch(1, 1);
  private static final TokenIds PROMPT = TokenIds.of(10, 11, 12, 13);
  private static final EngineAt IDLER =
      new EngineAt(new Rank(1), new Incarnation("idler"), new Epoch(1, 2));

  /** Eight requests run at once, in steps of so long. */
  private static final int STEP_MS = 300;

  private static final int OUTPUTS = 4;

  private final Vertx vertx = Vertx.vertx();
  private final Bus bus = Bus.of(vertx);
  private final FakeFrontend frontend = new FakeFrontend(bus, "front");
  private final FakeCoordinator coordinator = new FakeCoordinator(bus, frontend.id);

  private void deploy() throws Exception {
    EngineVerticleTest.get(frontend.start());
    EngineVerticleTest.get(coordinator.start());
    EngineVerticleTest.get(
        vertx.deployVerticle(
            new EngineVerticle(),
            EngineVerticle.options(EngineVerticleTest.config(STEP_MS), "offering-engine")));
    soon().until(() -> coordinator.isReady(EPOCH));
  }

  @AfterEach
  void close() throws Exception {
    EngineVerticleTest.get(vertx.close());
  }

  /** Much sooner than the 100 ms in which an offer expires. */
  private static ConditionFactory soon() {
    return await().ignoreExceptions().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(3));
  }

  private Address<ToEngine> engine() {
    ToCoordinator.Ready ready = coordinator.ready();
    return Addresses.engine(ready.rank(), ready.incarnation());
  }

  /** Fills the batch and lets four wait, all taken in while a step runs. */
  private void fill() {
    for (int counter = 1; counter <= 12; counter++) {
      frontend.submit(engine(), EPOCH, counter, 1, PROMPT, OUTPUTS);
      int running = counter;
      if (counter == 4 || counter == 8) { // its inbox takes four
        soon().until(() -> coordinator.lastLoad().running() == running);
      }
    }
    soon().until(() -> coordinator.lastLoad().waiting() == 4);
  }

  private void order(Epoch epoch, long report) {
    bus.send(
        engine(),
        new ToEngine.HandOver(
            coordinator.ready().incarnation(),
            epoch,
            report,
            IDLER,
            10_000,
            StepCost.DEFAULT,
            100_000,
            3));
  }

  private List<ToFrontend.Offer> offers() {
    return frontend.got(ToFrontend.Offer.class).toList();
  }

  @Test
  void theTailIsOfferedInTheMiddleOfAStepAndWhatIsTakenUpNeverRuns() throws Exception {
    deploy();
    fill();
    long steps = coordinator.lastLoad().step();
    order(EPOCH, coordinator.lastLoad().sequence());
    soon().until(() -> offers().size() == 1);
    ToFrontend.Offer offer = offers().getFirst();
    assertEquals(IDLER, offer.to());
    assertEquals(
        List.of(10L, 11L, 12L),
        offer.requests().stream().map(attempt -> attempt.request().counter()).toList(),
        "the other engine has room for three: the last ones go");
    frontend.abort(engine(), 11, 1);
    frontend.abort(engine(), 12, 1);
    soon().until(() -> coordinator.lastLoad().waiting() == 2);
    assertEquals(steps, coordinator.lastLoad().step(), "all of this in one step");
    soon().until(() -> frontend.finish(9) != null && frontend.finish(10) != null);
    assertEquals(FinishReason.LENGTH, frontend.finish(10), "an offer that expires is no loss");
    assertTrue(frontend.deltas(11).isEmpty() && frontend.deltas(12).isEmpty());
    soon().until(() -> coordinator.lastLoad().waiting() + coordinator.lastLoad().running() == 0);
  }

  @Test
  void staleAndRepeatedOrdersAreIgnoredAndADeclinedRequestIsNotOfferedAgain() throws Exception {
    deploy();
    fill();
    long report = coordinator.lastLoad().sequence();
    order(new Epoch(1, 7), report);
    order(EPOCH, report);
    order(EPOCH, report);
    soon().until(() -> !offers().isEmpty());
    for (ToFrontend.Attempt attempt : offers().getFirst().requests()) {
      bus.send(engine(), new ToEngine.Decline(attempt.request(), attempt.attempt()));
    }
    order(EPOCH, report + 1_000);
    soon().until(() -> offers().size() == 2);
    assertEquals(
        List.of(9L),
        offers().getLast().requests().stream().map(a -> a.request().counter()).toList());
    for (int counter = 1; counter <= 12; counter++) {
      long number = counter;
      soon().until(() -> frontend.finish(number) != null);
      assertEquals(OUTPUTS, frontend.tokens(number).size());
    }
    assertEquals(2, offers().size());
  }
}
