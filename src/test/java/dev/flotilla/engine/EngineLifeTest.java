package dev.flotilla.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.Scenario;
import dev.flotilla.config.EngineConfig;
import dev.flotilla.engine.EngineLife.Effect;
import dev.flotilla.engine.EngineLife.Event;
import dev.flotilla.engine.EngineLife.Stage;
import dev.flotilla.protocol.DataParallel;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToEngine;
import java.util.List;
import org.junit.jupiter.api.Test;

class EngineLifeTest {
  private static final Incarnation ME = new Incarnation("me");
  private static final Incarnation OTHER = new Incarnation("other");
  private static final Rank RANK = new Rank(3);
  private static final Epoch FIRST = new Epoch(1, 1);
  private static final Epoch SECOND = new Epoch(2, 1);
  private static final FrontendId A = new FrontendId("a");
  private static final FrontendId B = new FrontendId("b");

  private static final long HANDSHAKE_MS = 300_000;
  private static final NodeId HEAD = new NodeId("head");
  private EngineLife life = EngineLife.start(ME, null, HANDSHAKE_MS, 0);

  private List<Effect> on(Event event) {
    EngineLife.Step step = life.on(event);
    life = step.next();
    return step.effects();
  }

  private static Event init(Incarnation to, Rank rank, Epoch epoch, FrontendId... frontends) {
    Term term = new Term(epoch.term(), HEAD);
    return new Event.Init(
        new ToEngine.Init(rank, to, epoch, term, DataParallel.ofSize(4), HEAD, List.of(frontends)),
        1_000);
  }

  private static Event welcome(Epoch epoch) {
    return new Event.Welcome(new ToEngine.Welcome(ME, epoch));
  }

  private static Event drain(long timeoutMs, long now) {
    return new Event.Drain(new ToEngine.Drain(ME, timeoutMs), now);
  }

  private void serve() {
    on(init(ME, RANK, FIRST));
    on(new Event.Registered(1_000));
    on(welcome(FIRST));
    assertEquals(Stage.SERVING, life.stage());
  }

  private static List<Effect> ending(String reason) {
    return List.of(
        new Effect.TakeNothingNew(), new Effect.Leave(RANK, reason), new Effect.Undeploy(reason));
  }

  @Test
  void saysHelloTwiceASecondUntilItGetsARank() {
    assertEquals(List.of(new Effect.SayHello(null, Epoch.NONE, Term.NONE)), on(new Event.Tick(0)));
    assertEquals(List.of(), on(new Event.Tick(499)));
    assertEquals(
        List.of(new Effect.SayHello(null, Epoch.NONE, Term.NONE)), on(new Event.Tick(500)));
    assertEquals(List.of(new Effect.Register(RANK)), on(init(ME, RANK, FIRST)));
    assertEquals(List.of(new Effect.Beat()), on(new Event.Tick(1_000)));
    assertEquals(List.of(), on(new Event.Tick(1_249)));
    assertEquals(List.of(new Effect.Beat()), on(new Event.Tick(1_250)));
  }

  @Test
  void saysHelloWithTheRankItWants() {
    life = EngineLife.start(ME, RANK, HANDSHAKE_MS, 0);
    assertEquals(List.of(new Effect.SayHello(RANK, Epoch.NONE, Term.NONE)), on(new Event.Tick(0)));
  }

  @Test
  @Scenario("A16")
  void givesUpWhenNoCoordinatorAnswersWithinItsTime() {
    life = EngineLife.start(ME, RANK, 2_000, 0);
    assertTrue(on(new Event.Tick(1_999)).stream().noneMatch(Effect.Undeploy.class::isInstance));
    assertEquals(
        new Effect.Undeploy("no coordinator answered within 2 s; start one in this cluster"),
        on(new Event.Tick(2_000)).getLast());
  }

  @Test
  @Scenario("A16")
  void givesUpAfterFiveMinutesUnlessToldOtherwise() {
    assertEquals(HANDSHAKE_MS, EngineConfig.DEFAULT.handshakeTimeoutMs());
    assertTrue(on(new Event.Tick(HANDSHAKE_MS - 1)).getLast() instanceof Effect.SayHello);
    List<Effect> effects = on(new Event.Tick(HANDSHAKE_MS));
    assertEquals(Stage.STOPPED, life.stage());
    assertEquals(2, effects.size(), "there is no rank to leave");
    assertTrue(effects.get(1) instanceof Effect.Undeploy);
  }

  @Test
  void ignoresWhatIsMeantForAnother() {
    assertEquals(List.of(), on(init(OTHER, RANK, FIRST)));
    on(new Event.Refused(new ToEngine.Refused(OTHER, new Term(1, HEAD), "taken")));
    on(new Event.Drain(new ToEngine.Drain(OTHER, 1), 0));
    assertEquals(Stage.CANDIDATE, life.stage());
  }

  @Test
  void saysReadyOnlyAfterItsAddressIsKnownAndWarm() {
    on(init(ME, RANK, FIRST, A, B));
    assertEquals(Stage.REGISTERING, life.stage());
    assertEquals(List.of(new Effect.Warm(List.of(A, B))), on(new Event.Registered(1_000)));
    assertEquals(List.of(), on(new Event.Pong(A, 1_010)));
    assertEquals(List.of(), on(new Event.Pong(A, 1_010)));
    assertEquals(List.of(new Effect.SayReady(RANK, FIRST)), on(new Event.Pong(B, 1_020)));
    assertEquals(Stage.ANNOUNCING, life.stage());
    assertTrue(on(new Event.Tick(1_270)).contains(new Effect.SayReady(RANK, FIRST)));
    on(welcome(FIRST));
    assertEquals(Stage.SERVING, life.stage());
    assertEquals(List.of(new Effect.Beat()), on(new Event.Tick(9_000)));
  }

  @Test
  void saysReadyAfterTwoSecondsWithoutPong() {
    on(init(ME, RANK, FIRST, A));
    on(new Event.Registered(1_000));
    on(new Event.Tick(1_000));
    assertEquals(List.of(), on(new Event.Tick(1_200)));
    assertTrue(on(new Event.Tick(3_000)).contains(new Effect.SayReady(RANK, FIRST)));
  }

  @Test
  void ignoresAWelcomeToAnotherEpoch() {
    on(init(ME, RANK, FIRST));
    on(new Event.Registered(1_000));
    on(welcome(SECOND));
    assertEquals(Stage.ANNOUNCING, life.stage());
  }

  @Test
  void followsALeaderOfAHigherNumberAloneAndTellsTheOthers() {
    serve();
    Term other = new Term(1, new NodeId("other"));
    ToEngine.Init equal =
        new ToEngine.Init(
            RANK, ME, new Epoch(1, 7), other, DataParallel.ofSize(4), other.node(), List.of());
    assertEquals(
        List.of(new Effect.SayHello(RANK, FIRST, new Term(1, HEAD))),
        on(new Event.Init(equal, 2_000)));
    assertEquals(FIRST, life.epoch());
    on(new Event.WhoIsThere(other, 2_000));
    assertEquals(new Term(1, HEAD), life.term());
    on(new Event.WhoIsThere(new Term(Integer.MAX_VALUE, HEAD), 2_000));
    assertEquals(new Term(1, HEAD), life.term(), "nobody could follow it");
    on(init(ME, RANK, SECOND));
    assertEquals(new Term(2, HEAD), life.term());
    assertEquals(SECOND, life.epoch());
  }

  @Test
  void goesOnUnderTheEpochOfANewCoordinator() {
    serve();
    Term next = new Term(2, HEAD);
    assertEquals(
        List.of(new Effect.SayHello(RANK, FIRST, next)), on(new Event.WhoIsThere(next, 2_000)));
    assertTrue(on(new Event.Tick(2_500)).contains(new Effect.SayHello(RANK, FIRST, next)));
    assertEquals(Stage.SERVING, life.stage(), "what runs goes on");
    on(init(ME, RANK, SECOND));
    assertEquals(Stage.ANNOUNCING, life.stage());
    assertTrue(on(new Event.Tick(3_000)).contains(new Effect.SayReady(RANK, SECOND)));
    on(init(ME, RANK, FIRST));
    assertEquals(SECOND, life.epoch(), "an older epoch is late");
    on(welcome(SECOND));
    assertEquals(Stage.SERVING, life.stage());
    assertEquals(List.of(new Effect.Beat()), on(new Event.Tick(9_000)), "no Hello any more");
  }

  @Test
  void aRepeatedInitChangesNothing() {
    serve();
    assertEquals(List.of(), on(init(ME, RANK, FIRST)));
    assertEquals(Stage.SERVING, life.stage());
  }

  @Test
  void saysWhichRankItHoldsWhenItIsGivenAnother() {
    serve();
    assertEquals(
        List.of(new Effect.SayHello(RANK, FIRST, new Term(2, HEAD))),
        on(init(ME, new Rank(4), SECOND)));
    assertEquals(Stage.SERVING, life.stage());
    assertEquals(FIRST, life.epoch());
  }

  @Test
  void stopsWhenRefused() {
    assertEquals(
        List.of(
            new Effect.TakeNothingNew(), new Effect.Undeploy("the coordinator refused it: taken")),
        on(new Event.Refused(new ToEngine.Refused(ME, new Term(1, HEAD), "taken"))));
    assertEquals(Stage.STOPPED, life.stage());
    assertEquals(List.of(), on(new Event.Stop()), "nothing follows the end");
    assertEquals(List.of(), on(new Event.Tick(1_000_000)));
  }

  @Test
  void finishesWhatRunsWhenDrained() {
    serve();
    on(new Event.Idle());
    assertEquals(Stage.SERVING, life.stage());
    assertEquals(List.of(new Effect.TakeNothingNew()), on(drain(5_000, 2_000)));
    assertEquals(List.of(new Effect.Beat()), on(new Event.Tick(2_250)));
    assertEquals(ending("drained"), on(new Event.Idle()));
  }

  @Test
  void drainsNoLongerThanItsTime() {
    serve();
    on(drain(5_000, 2_000));
    on(drain(9_000, 2_000));
    on(new Event.Tick(6_999));
    assertEquals(Stage.DRAINING, life.stage());
    assertEquals(ending("drained; its time ran out"), on(new Event.Tick(7_000)));
  }

  @Test
  void drainsAtOnceBeforeItHasARank() {
    on(drain(5_000, 2_000));
    assertEquals(Stage.STOPPED, life.stage());
  }

  @Test
  void saysGoodbyeWhenStopped() {
    serve();
    assertEquals(
        List.of(new Effect.TakeNothingNew(), new Effect.Leave(RANK, "stopped")),
        on(new Event.Stop()));
  }

  @Test
  void leavesWithItsReasonWhenBroken() {
    serve();
    assertEquals(ending("out of luck"), on(new Event.Broken("out of luck")));
  }
}
