package dev.flotilla.frontend;

import dev.flotilla.balancer.Balancer;
import dev.flotilla.balancer.PrefixChain;
import dev.flotilla.balancer.Query;
import dev.flotilla.frontend.StreamSteps.Event;
import dev.flotilla.frontend.StreamSteps.Target;
import dev.flotilla.protocol.ClusterView.Engine;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.ToFrontend;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Finds engines for requests, by the fleet's own balancer or, where that is wanted and answers, by
 * the coordinator's, and keeps the account of what was sent where. Used by the front-end's thread.
 */
final class Placing {
  private final Fleet fleet;
  private final boolean told;
  private final @Nullable Asking asking;

  /**
   * Over a fleet.
   *
   * @param told whether answers say why their engine was chosen
   * @param asking the coordinator; null: never
   */
  Placing(Fleet fleet, boolean told, @Nullable Asking asking) {
    this.fleet = fleet;
    this.told = told;
    this.asking = asking;
  }

  /** Finds an engine; the stream hears of it, at once or soon. */
  void choose(Choice choice, Set<Incarnation> failed, BiConsumer<Choice, Event> hear) {
    Query query = query(choice, failed);
    if (asking == null) {
      hear.accept(choice, own(choice, query));
    } else {
      asking.ask(
          choice,
          query,
          told,
          chosen ->
              hear.accept(
                  choice, chosen == null ? own(choice, query) : theirs(choice, query, chosen)));
    }
  }

  /** The coordinator has chosen. */
  void answered(ToFrontend.Chosen chosen) {
    if (asking != null) {
      asking.answered(chosen);
    }
  }

  private Query query(Choice choice, Set<Incarnation> failed) {
    int tokens = choice.prompt().ids().size() + choice.stream.count();
    return new Query(tokens, prefix(choice), failed, choice.generation.request.routing().rank());
  }

  /** The choices of one prompt share what was computed of it. */
  private PrefixChain prefix(Choice choice) {
    int blockTokens = fleet.blockTokens();
    // An engine that must tell every position's log-probabilities takes nothing from its cache.
    if (blockTokens == 0 || choice.sampling.promptLogprobs() >= 0) {
      return PrefixChain.NONE;
    }
    Generation generation = choice.generation;
    Choice first = generation.choices.get(choice.index - choice.index % generation.request.n());
    PrefixChain known = first.prefix;
    if (known == null) {
      known =
          PrefixChain.of(
              first.prompt().ids(), blockTokens, generation.request.routing().cacheSalt());
      first.prefix = known;
    }
    return known;
  }

  private Event own(Choice choice, Query query) {
    long now = System.nanoTime();
    DecisionEvent event = new DecisionEvent();
    if (!told && !event.isEnabled()) {
      return assigned(choice, fleet.choose(query, now), now);
    }
    Optional<Balancer.Reasoned> reasoned = fleet.reason(query, now);
    reasoned.ifPresent(
        found -> explain(choice, event, found.choice(), query, found.decision().toString()));
    return assigned(choice, reasoned.map(Balancer.Reasoned::choice), now);
  }

  private void explain(
      Choice choice, DecisionEvent event, Balancer.Choice found, Query query, String decision) {
    choice.decision = told ? decision : "";
    event.request = choice.id.toString();
    event.attempt = choice.stream.attempt();
    event.rank = found.engine().rank().value();
    event.promptTokens = query.promptTokens();
    event.cachedTokens = found.cachedTokens();
    event.score = found.score();
    event.decision = decision;
    event.commit();
  }

  private Event theirs(Choice choice, Query query, Asking.Chosen chosen) {
    Optional<Engine> engine = fleet.serving(chosen.incarnation());
    if (engine.isEmpty()) {
      return own(choice, query); // Its view is older than ours, or of ranks that are not ours.
    }
    Balancer.Choice found = new Balancer.Choice(engine.get(), 0, chosen.cachedTokens());
    DecisionEvent event = new DecisionEvent();
    if (told || event.isEnabled()) {
      explain(choice, event, found, query, "coordinator; " + chosen.decision());
    }
    return assigned(choice, Optional.of(found), System.nanoTime());
  }

  private static Event assigned(Choice choice, Optional<Balancer.Choice> found, long now) {
    if (found.isEmpty()) {
      return new Event.NoneServing(now);
    }
    Engine engine = found.get().engine();
    choice.expectedCached = found.get().cachedTokens();
    return new Event.Assigned(now, new Target(engine.rank(), engine.incarnation(), engine.epoch()));
  }

  /** The request goes to the engine; gives the send its number. */
  void send(Choice choice, Incarnation engine, int tokens) {
    leave(choice);
    choice.sequence = fleet.send(engine, tokens, choice.expectedCached);
    choice.heldBy = engine;
  }

  /** Looks whether the request has left the engine that it was sent to. */
  void look(Choice choice) {
    Target target = choice.stream.target();
    if (choice.stream.ended()) {
      leave(choice);
      if (choice.stream.count() > 0) {
        fleet.outputs(choice.stream.count());
      }
    } else if (target == null) {
      leave(choice);
    }
  }

  private void leave(Choice choice) {
    Incarnation engine = choice.heldBy;
    if (engine != null) {
      fleet.left(engine, choice.sequence);
      choice.heldBy = null;
    }
  }
}
