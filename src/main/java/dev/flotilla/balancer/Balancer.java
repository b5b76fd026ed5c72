package dev.flotilla.balancer;

import dev.flotilla.config.LoadBalancing;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.Machine;
import dev.flotilla.protocol.Rank;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Chooses an engine for each request of one client, by the policy that was configured, from the
 * client's view and {@link Ledger}. Engines that are not ready, suspect, excluded or of ranks that
 * are not this client's are never chosen. Used by one thread.
 */
public final class Balancer implements Machine {
  private final LoadBalancing name;
  private final Policy policy;
  private final Ledger ledger;
  private final Predicate<Rank> ranks;
  private final PrefixIndex prefixes = new PrefixIndex();
  private ClusterView known = ClusterView.EMPTY;
  private Seat[] seats = new Seat[0];
  private Seat[] eligible = new Seat[0];

  /** Over all ranks. */
  public Balancer(LoadBalancing policy, Client client, Ledger ledger) {
    this(policy, client, ledger, rank -> true);
  }

  /** Over the ranks that are this client's, as hybrid and external load balancing have it. */
  public Balancer(LoadBalancing policy, Client client, Ledger ledger, Predicate<Rank> ranks) {
    this.name = policy;
    this.ledger = ledger;
    this.ranks = ranks;
    this.policy =
        switch (policy) {
          case ROUND_ROBIN -> new RoundRobin(client);
          case LEAST_IN_FLIGHT -> new LeastInFlight(client);
          case VLLM_CLASSIC -> new VllmClassic(client);
          case VLLM -> new Vllm(client);
          case FLOTILLA -> new CompletionTime(client, ledger);
        };
  }

  /**
   * A choice.
   *
   * @param score what the policy compared; smaller is better
   * @param cachedTokens of the prompt, those that the engine's prefix cache is thought to hold
   */
  public record Choice(ClusterView.Engine engine, double score, int cachedTokens) {}

  /** The number of clients, or this one's place among them, has changed. */
  public void client(Client client) {
    policy.client(client);
  }

  /** What the engines' prefix caches hold; to be kept up by the caller. */
  public PrefixIndex prefixes() {
    return prefixes;
  }

  /** The engine for a request; empty when none may get it. */
  public Optional<Choice> choose(ClusterView view, Query query, long nowNanos) {
    int count = compare(view, query);
    if (count == 0) {
      return Optional.empty();
    }
    boolean told = query.only() != null;
    Seat seat = told ? eligible[0] : policy.choose(eligible, count, query, nowNanos);
    double score = policy.estimate(seat, query, nowNanos).score();
    return Optional.of(new Choice(seat.engine, score, seat.cached));
  }

  /** A choice and why it was made. */
  public record Reasoned(Choice choice, Decision decision) {}

  /** The engine for a request, and why; empty when none may get it. */
  public Optional<Reasoned> reason(ClusterView view, Query query, long nowNanos) {
    // Before the choice, which changes what is compared.
    List<Decision.Candidate> candidates = candidates(view, query, nowNanos);
    return choose(view, query, nowNanos)
        .map(
            choice ->
                new Reasoned(
                    choice,
                    new Decision(
                        name.flag(), choice.engine().rank(), query.promptTokens(), candidates)));
  }

  /**
   * Why the rank would be chosen now, if the request came now. To be called before the choice is
   * entered in the ledger, which changes what is compared.
   */
  public Decision explain(ClusterView view, Query query, Rank chosen, long nowNanos) {
    return new Decision(
        name.flag(), chosen, query.promptTokens(), candidates(view, query, nowNanos));
  }

  private List<Decision.Candidate> candidates(ClusterView view, Query query, long nowNanos) {
    compare(view, query);
    List<Decision.Candidate> candidates = new ArrayList<>(seats.length);
    for (Seat seat : seats) {
      String leftOut = leftOut(seat.engine, query);
      candidates.add(
          new Decision.Candidate(
              seat.engine.rank(),
              leftOut == null ? "" : leftOut,
              seat.cached,
              policy.estimate(seat, query, nowNanos)));
    }
    return candidates;
  }

  /** Finds who may get the request, and what is known of them; gives their number. */
  private int compare(ClusterView view, Query query) {
    adopt(view);
    int count = 0;
    for (Seat seat : seats) {
      if (leftOut(seat.engine, query) == null) {
        eligible[count++] = seat;
      }
    }
    lookUp(query);
    policy.compare(eligible, count);
    return count;
  }

  @SuppressWarnings("ReferenceEquality") // a view is immutable: the same one needs no second look
  private void adopt(ClusterView view) {
    if (view == known) {
      return;
    }
    known = view;
    int count = view.engines().size();
    seats = new Seat[count];
    eligible = new Seat[count];
    for (int i = 0; i < count; i++) {
      ClusterView.Engine engine = view.engines().get(i);
      seats[i] = new Seat(engine, ledger.account(engine.incarnation()));
    }
  }

  private void lookUp(Query query) {
    boolean any = query.prefix().size() > 0 && prefixes.size() > 0;
    if (any) {
      prefixes.look(query.prefix());
    }
    for (Seat seat : seats) {
      int hits = any ? prefixes.hits(seat.engine.incarnation()) : 0;
      // The last token is always computed, and with it its block: its successor is asked for.
      int blockTokens = query.prefix().blockTokens();
      int most = Math.max(0, query.promptTokens() - 1) / blockTokens;
      seat.cached = Math.min(hits, most) * blockTokens;
    }
  }

  private @Nullable String leftOut(ClusterView.Engine engine, Query query) {
    if (query.only() != null && !engine.rank().equals(query.only())) {
      return "unasked";
    }
    if (engine.suspect()) {
      return "suspect";
    }
    if (!engine.serving()) {
      return "down";
    }
    if (query.excluded().contains(engine.incarnation())) {
      return "excluded";
    }
    return ranks.test(engine.rank()) ? null : "elsewhere";
  }
}
