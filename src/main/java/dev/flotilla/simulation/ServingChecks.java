package dev.flotilla.simulation;

import dev.flotilla.coordinator.Membership;
import dev.flotilla.executor.scripted.ScriptedTokens;
import dev.flotilla.frontend.StreamSteps;
import dev.flotilla.frontend.StreamSteps.Target;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.protocol.TokenIds;
import dev.flotilla.scheduler.Counters;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * The invariants of a cluster that serves, each checked where it could break. They look at what the
 * machines do from outside and know nothing of their states.
 *
 * <ul>
 *   <li>I1: a request that was accepted ends exactly once;
 *   <li>I2: its tokens are those that it must get, each once and in order;
 *   <li>I3: they come from the attempt that was submitted last, and from its engine;
 *   <li>I4: an epoch of a leader belongs to one incarnation, and nobody acts on another's or on an
 *       older one;
 *   <li>I5: whoever has work goes on with it: all is done in bounded time once nothing fails;
 *   <li>I6: afterwards no queue, no ledger and no KV block holds anything;
 *   <li>I7: a request whose engines live does not fail where nothing is lost;
 *   <li>I8: queues stay within their bounds.
 * </ul>
 */
final class ServingChecks {
  private final ServingSimulation world;
  private final Map<Given, Incarnation> given = new HashMap<>();
  private final Map<Incarnation, Set<Epoch>> told = new HashMap<>();
  private final Map<Incarnation, Long> sent = new HashMap<>();
  private final Map<ServingEngine, Long> obeyed = new HashMap<>();
  private final Map<Place, Epoch> seen = new HashMap<>();
  private final Set<Term> terms = new HashSet<>();
  private int leaderships;
  private int moves;
  private int retries;

  /** Two leaders that do not know of each other may give one epoch each: nobody follows both. */
  private record Given(Term by, Epoch epoch) {}

  private record Place(ServingFrontend frontend, Rank rank) {}

  ServingChecks(ServingSimulation world) {
    this.world = world;
  }

  int moves() {
    return moves;
  }

  int retries() {
    return retries;
  }

  /** A coordinator leads from now on. */
  void leads(Term term) {
    leaderships++;
    world.require(terms.add(term), () -> "I4: term %s is led twice".formatted(term));
  }

  int leaderships() {
    return leaderships;
  }

  /** A coordinator does something. */
  void coordinated(Membership.Effect effect) {
    if (effect instanceof Membership.Effect.Send(var _, var message)
        && message instanceof ToEngine.Init init) {
      Incarnation to = init.incarnation();
      Incarnation owner = given.putIfAbsent(new Given(init.term(), init.epoch()), to);
      world.require(
          owner == null || owner.equals(to),
          () -> "I4: epoch %s of %s was given to %s already".formatted(init.epoch(), to, owner));
      told.computeIfAbsent(init.incarnation(), _ -> new HashSet<>()).add(init.epoch());
    }
  }

  /** An engine believes that it is under an epoch. */
  void adopted(ServingEngine engine, Epoch epoch) {
    world.require(
        epoch.equals(Epoch.NONE)
            || told.getOrDefault(engine.incarnation(), Set.of()).contains(epoch),
        () -> "I4: %s goes by epoch %s, which nobody gave it".formatted(engine.name(), epoch));
  }

  /**
   * A front-end's ledger has changed: it counts what was sent, for a request that lives, and that
   * no report has acknowledged; neither more nor less. And the engine that has a request was sent
   * it.
   */
  void ledger(ServingFrontend frontend) {
    sent.clear();
    for (ServingRequest request : frontend.live()) {
      Incarnation to = request.sentTo;
      Target at = request.stream().target();
      world.require(
          at == null || at.incarnation().equals(to),
          () -> "I6: %s is with %s and was last sent to %s".formatted(request, at, to));
      if (to != null && !frontend.fleet().acknowledged(to, request.sequence)) {
        sent.merge(to, request.sentTokens, Long::sum);
      }
    }
    for (ClusterView.Engine engine : frontend.fleet().view().engines()) {
      if (engine.state() == EngineState.DEAD) {
        continue;
      }
      long expected = sent.getOrDefault(engine.incarnation(), 0L);
      long counted = frontend.fleet().unacknowledgedTokens(engine.incarnation());
      world.require(
          expected == counted,
          () ->
              "I6: the ledger of %s counts %d tokens for %s instead of %d"
                  .formatted(frontend.name(), counted, engine.incarnation(), expected));
    }
  }

  /** A front-end has taken a view. */
  void viewed(ServingFrontend by, ClusterView view) {
    for (ClusterView.Engine engine : view.engines()) {
      if (engine.goneBefore(view.term())) {
        continue; // Another leader may have given it a higher epoch before it went.
      }
      Epoch before = seen.put(new Place(by, engine.rank()), engine.epoch());
      world.require(
          before == null || before.compareTo(engine.epoch()) <= 0,
          () -> "I4: %s sees %s after epoch %s".formatted(by.name(), engine, before));
      Incarnation owner = given.get(new Given(view.term(), engine.epoch()));
      world.require(
          owner == null || owner.equals(engine.incarnation()),
          () -> "I4: %s sees %s under the epoch of %s".formatted(by.name(), engine, owner));
    }
  }

  /** An engine takes a request into its inbox. */
  void taken(ServingEngine engine, ToEngine.Submit submit) {
    world.require(
        told.getOrDefault(engine.incarnation(), Set.of()).contains(submit.epoch()),
        () -> "I4: %s acts on epoch %s: %s".formatted(engine.name(), submit.epoch(), submit));
    world.require(
        engine.inboxSubmits() < engine.queueMax(),
        () -> "I8: the inbox of %s holds %d".formatted(engine.name(), engine.inboxSubmits()));
  }

  /** An engine takes an order that makes it offer something. */
  void obeyed(ServingEngine engine, ToEngine.HandOver order) {
    Long before = obeyed.put(engine, order.report());
    world.require(
        before == null || order.report() > before,
        () -> "I4: %s obeys %s after one on report %d".formatted(engine.name(), order, before));
  }

  /** It tells a front-end what it offers. */
  void offered(ServingEngine engine, ToEngine.HandOver order, ToFrontend.Offer offer) {
    world.require(
        order.epoch().equals(engine.life().epoch())
            && order.incarnation().equals(engine.incarnation()),
        () -> "I4: %s of epoch %s obeys %s".formatted(engine.name(), engine.life().epoch(), order));
    world.require(
        offer.requests().size() <= 32,
        () -> "I8: an offer of %d requests".formatted(offer.requests().size()));
  }

  /** A front-end submits. */
  void submitted(ServingRequest request, StreamSteps.Effect.Submit submit) {
    ServingRequest.Speaker next =
        new ServingRequest.Speaker(submit.attempt(), submit.target().incarnation());
    ServingRequest.Speaker before = request.current;
    world.require(
        before == null || before.attempt() < submit.attempt() || before.equals(next),
        () -> "I3: attempt %s of %s follows %s".formatted(next, request, before));
    world.require(
        request.ends == 0 && !request.closed,
        () -> "I1: %s is submitted after its end".formatted(request));
    retries += submit.attempt() > 1 && before != null && !before.equals(next) ? 1 : 0;
    request.current = next;
  }

  /** A request goes to an idler engine. */
  void moved(ServingRequest request, StreamSteps.Target to) {
    moves++;
    request.moves++;
    world.require(request.moves <= 3, () -> "%s moved a fourth time, to %s".formatted(request, to));
    world.require(request.only == null, () -> "%s moved away from its rank".formatted(request));
  }

  /** Tokens reach the client. */
  void delivered(ServingRequest request, TokenIds ids) {
    world.require(
        request.speaker != null && request.speaker.equals(request.current),
        () ->
            "I3: %s took tokens of %s, but %s counts"
                .formatted(request, request.speaker, request.current));
    world.require(
        request.ends == 0 && !request.closed,
        () -> "I1: tokens of %s after its end".formatted(request));
    for (int i = 0; i < ids.size(); i++) {
      int expected = ServingSimulation.TOKENS.draw(request.state);
      int at = i;
      world.require(
          ids.get(i) == expected,
          () ->
              "I2: token %d of %s is %d, not %d"
                  .formatted(request.delivered, request, ids.get(at), expected));
      request.state = ScriptedTokens.next(request.state, expected);
      request.delivered++;
    }
  }

  /** A stream says that it is complete. */
  void finished(ServingRequest request) {
    request.ends++;
    world.require(request.ends == 1, () -> "I1: %s ended twice".formatted(request));
    world.require(
        request.delivered == request.maxTokens, () -> "I2: %s ended too early".formatted(request));
  }

  /** A stream ends with an error. */
  void failed(ServingRequest request, int status, String sentence) {
    request.ends++;
    world.require(request.ends == 1, () -> "I1: %s ended twice".formatted(request));
    world.require(
        !world.faults.harmless(),
        () ->
            "I7: %s failed with %d (%s) though nothing was lost"
                .formatted(request, status, sentence));
  }

  /** Everything is over. */
  void rested() {
    for (ServingRequest request : world.requests()) {
      if (world.ownerLives(request)) {
        world.require(
            request.over && request.ends == (request.closed ? 0 : 1),
            () -> "I1: %s has %d ends".formatted(request, request.ends));
      }
    }
    for (ServingEngine engine : world.liveEngines()) {
      Counters counters = engine.counters();
      world.require(
          counters.idle()
              && counters.queuedTokens() == 0
              && counters.residentTokens() == 0
              && counters.blocksUsed() == 0
              && engine.inboxSubmits() == 0,
          () -> "I6: %s still holds %s".formatted(engine.name(), counters));
    }
    for (ServingFrontend frontend : world.liveFrontends()) {
      world.require(
          frontend.streams() == 0,
          () -> "I6: %s has %d streams".formatted(frontend.name(), frontend.streams()));
      for (ServingEngine engine : world.liveEngines()) {
        long sent = frontend.fleet().unacknowledgedTokens(engine.incarnation());
        world.require(
            sent == 0,
            () ->
                "I6: the ledger of %s still counts %d tokens for %s"
                    .formatted(frontend.name(), sent, engine.name()));
      }
    }
  }
}
