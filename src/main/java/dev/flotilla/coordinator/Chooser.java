package dev.flotilla.coordinator;

import dev.flotilla.balancer.Balancer;
import dev.flotilla.balancer.Book;
import dev.flotilla.balancer.Client;
import dev.flotilla.balancer.Following;
import dev.flotilla.balancer.Ledger;
import dev.flotilla.balancer.PrefixChain;
import dev.flotilla.balancer.Query;
import dev.flotilla.config.LoadBalancing;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Machine;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToFrontend;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The coordinator's own choices: for front-ends of {@code --balance-in coordinator}, and for
 * whoever asks on the bus where a prompt would go. Follows the engines' prefix caches from the
 * first time that a front-end asks. Used by one thread.
 */
final class Chooser implements Machine {
  private final Ledger ledger;
  private final Book book;
  private final Balancer balancer;
  private final Following following;
  private boolean asked;

  Chooser(LoadBalancing policy, FrontendId self) {
    ledger = Ledger.ofAll(self);
    book = new Book(ledger);
    balancer = new Balancer(policy, Client.ALONE, ledger);
    following = new Following(balancer.prefixes());
  }

  /** An engine's report. */
  void report(LoadReport load, long nowNanos) {
    book.report(load, nowNanos);
  }

  /** What an engine's prefix cache has gained and lost. */
  void prefixes(ToFrontend.PrefixChange change) {
    following.take(change);
  }

  /** What is published; the counts that the original's policies look at. */
  void published(ClusterView view, long nowNanos) {
    ledger.take(view, nowNanos);
    HashSet<Incarnation> known = new HashSet<>();
    view.engines().forEach(engine -> known.add(engine.incarnation()));
    book.keep(known);
  }

  /** The engines that are to be asked for snapshots of their prefixes. */
  List<ClusterView.Engine> strangers(ClusterView view, long nowNanos) {
    if (!asked) {
      return List.of();
    }
    Map<Incarnation, ClusterView.Engine> ready = new HashMap<>();
    for (ClusterView.Engine engine : view.engines()) {
      if (engine.state() == EngineState.READY) {
        ready.put(engine.incarnation(), engine);
        if (engine.load() != null) {
          following.heard(engine.incarnation(), nowNanos);
        }
      }
    }
    return following.ask(ready.keySet(), nowNanos).stream().map(ready::get).toList();
  }

  /** Where a prompt of so many tokens would go; nothing is sent, so nothing is entered. */
  Optional<Balancer.Choice> route(ClusterView view, int promptTokens, long nowNanos) {
    return balancer.choose(view, Query.of(promptTokens), nowNanos);
  }

  /** A front-end's question. */
  ToFrontend.Chosen choose(ClusterView view, ToCoordinator.Choose question, long nowNanos) {
    asked = true;
    Query query =
        new Query(
            question.promptTokens(),
            PrefixChain.of(
                question.blockTokens(),
                question.prefix().stream().mapToLong(Long::longValue).toArray()),
            new HashSet<>(question.excluded()),
            question.only());
    String decision = "";
    Optional<Balancer.Choice> choice;
    if (question.explain()) {
      Optional<Balancer.Reasoned> reasoned = balancer.reason(view, query, nowNanos);
      choice = reasoned.map(Balancer.Reasoned::choice);
      decision = reasoned.map(r -> r.decision().toString()).orElse("");
    } else {
      choice = balancer.choose(view, query, nowNanos);
    }
    if (choice.isEmpty()) {
      return new ToFrontend.Chosen(question.call(), null, null, 0, "");
    }
    ClusterView.Engine engine = choice.get().engine();
    int cached = choice.get().cachedTokens();
    book.chosen(question.from(), engine.incarnation(), question.promptTokens(), cached, nowNanos);
    return new ToFrontend.Chosen(
        question.call(), engine.rank(), engine.incarnation(), cached, decision);
  }
}
