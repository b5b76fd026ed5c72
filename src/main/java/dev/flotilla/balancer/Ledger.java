package dev.flotilla.balancer;

import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Machine;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What one front-end knows of each engine's load: the freshest report, what the last published view
 * said, and its own sends that no report has acknowledged yet. A new report never erases a send,
 * and nothing counts twice. Used by one thread.
 */
public final class Ledger implements Machine {
  /** A guess until requests have ended; then a mean over about the last 100. */
  private static final double FIRST_OUTPUTS = 200;

  private static final double OUTPUTS_WEIGHT = 0.01;

  private final FrontendId owner;
  private final boolean all;
  private final Map<Incarnation, Account> accounts = new HashMap<>();
  private long sends;
  private double meanOutputs = FIRST_OUTPUTS;

  /** An empty ledger. */
  public Ledger(FrontendId owner) {
    this(owner, false);
  }

  private Ledger(FrontendId owner, boolean all) {
    this.owner = owner;
    this.all = all;
  }

  /** That of one who chooses for all clients, so that whatever an engine has is its own. */
  public static Ledger ofAll(FrontendId owner) {
    return new Ledger(owner, true);
  }

  /** Notes a send of so many prompt tokens, and gives it its sequence number, from 1. */
  public long send(Incarnation engine, long tokens) {
    return send(engine, Math.toIntExact(tokens), 0);
  }

  /**
   * Notes a send, and gives it its sequence number, from 1.
   *
   * @param cached of its tokens, those that the engine's prefix cache is thought to hold
   */
  public long send(Incarnation engine, int tokens, int cached) {
    // One numbering for all engines: an engine that was forgotten and comes back has acknowledged
    // sends of before, whose numbers must not be given again.
    account(engine).send(++sends, tokens, Math.min(tokens, cached));
    return sends;
  }

  /** A request that was sent has ended, or moved elsewhere. */
  public void ended(Incarnation engine) {
    Account account = accounts.get(engine);
    if (account != null) {
      account.ended();
    }
  }

  /**
   * A send is given up, because its request is sent again, moved on or ended: if nobody ever
   * received it, no report would acknowledge it. No effect on one that was acknowledged.
   */
  public void lost(Incarnation engine, long sequence) {
    Account account = accounts.get(engine);
    if (account != null) {
      account.lost(sequence);
    }
  }

  /** A request has ended after so many output tokens. */
  public void outputs(int tokens) {
    meanOutputs += OUTPUTS_WEIGHT * (tokens - meanOutputs);
  }

  /** The mean length of outputs, of late. */
  double meanOutputs() {
    return meanOutputs;
  }

  /** Takes a report if it is newer than what is known; says whether it was. */
  public boolean report(LoadReport report, long nowNanos) {
    return report(report, report.ackOf(owner), nowNanos);
  }

  /** Takes a report that acknowledges the sends up to a number, whatever it says of them. */
  boolean report(LoadReport report, long acknowledged, long nowNanos) {
    return account(report.incarnation()).report(report, acknowledged, nowNanos);
  }

  /**
   * Takes a published view. Its reports replace what the last view said; and where nothing newer is
   * known, the coordinator confirms that nothing newer came to it either.
   */
  public void take(ClusterView view, long nowNanos) {
    for (ClusterView.Engine engine : view.engines()) {
      LoadReport load = engine.load();
      if (load != null) {
        Account account = account(engine.incarnation());
        boolean newer = report(load, nowNanos);
        account.publish(load);
        LoadReport known = account.report();
        if (!newer && !engine.suspect() && known != null && known.sequence() == load.sequence()) {
          account.confirm(nowNanos);
        }
      }
    }
  }

  /** Forgets all engines but these. */
  void keep(Set<Incarnation> known) {
    accounts.keySet().retainAll(known);
  }

  /** Forgets an engine that is gone. */
  public void forget(Incarnation engine) {
    accounts.remove(engine);
  }

  /** The newest report of an engine. */
  public Optional<LoadReport> freshest(Incarnation engine) {
    Account account = accounts.get(engine);
    return account == null ? Optional.empty() : Optional.ofNullable(account.report());
  }

  /** The highest number of a client's sends that any engine has acknowledged; 0: none. */
  long highestAck(FrontendId client) {
    long highest = 0;
    for (Account account : accounts.values()) {
      LoadReport report = account.report();
      highest = report == null ? highest : Math.max(highest, report.ackOf(client));
    }
    return highest;
  }

  /** Prompt tokens sent and not yet acknowledged. */
  public long unacknowledgedTokens(Incarnation engine) {
    Account account = accounts.get(engine);
    return account == null ? 0 : account.sentTokens();
  }

  Account account(Incarnation engine) {
    return accounts.computeIfAbsent(engine, ignored -> new Account(all));
  }
}
