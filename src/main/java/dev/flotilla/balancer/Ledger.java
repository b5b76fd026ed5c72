package dev.flotilla.balancer;

import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Machine;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What one front-end knows of each engine's load: the freshest report, and its own sends that no
 * report has acknowledged yet. A new report never erases a send, and nothing counts twice. Used by
 * one thread.
 */
public final class Ledger implements Machine {
  private final FrontendId owner;
  private final Map<Incarnation, Account> accounts = new HashMap<>();

  /** An empty ledger. */
  public Ledger(FrontendId owner) {
    this.owner = owner;
  }

  private static final class Account {
    private final Deque<Send> unacknowledged = new ArrayDeque<>();
    private long lastSequence;
    private @org.jspecify.annotations.Nullable LoadReport freshest;
  }

  private record Send(long sequence, long tokens) {}

  /** Notes a send of so many prompt tokens, and gives it its sequence number, from 1. */
  public long send(Incarnation engine, long tokens) {
    Account account = accounts.computeIfAbsent(engine, ignored -> new Account());
    account.lastSequence++;
    account.unacknowledged.add(new Send(account.lastSequence, tokens));
    return account.lastSequence;
  }

  /** Takes a report if it is newer than what is known; says whether it was. */
  public boolean report(LoadReport report) {
    Account account = accounts.computeIfAbsent(report.incarnation(), ignored -> new Account());
    LoadReport known = account.freshest;
    if (known != null && report.sequence() <= known.sequence()) {
      return false;
    }
    account.freshest = report;
    long acknowledged = report.ackOf(owner);
    while (!account.unacknowledged.isEmpty()
        && account.unacknowledged.peekFirst().sequence() <= acknowledged) {
      account.unacknowledged.removeFirst();
    }
    return true;
  }

  /** Forgets an engine that is gone. */
  public void forget(Incarnation engine) {
    accounts.remove(engine);
  }

  /** The newest report of an engine. */
  public Optional<LoadReport> freshest(Incarnation engine) {
    Account account = accounts.get(engine);
    return account == null ? Optional.empty() : Optional.ofNullable(account.freshest);
  }

  /** Prompt tokens sent and not yet acknowledged. */
  public long unacknowledgedTokens(Incarnation engine) {
    Account account = accounts.get(engine);
    return account == null ? 0 : account.unacknowledged.stream().mapToLong(Send::tokens).sum();
  }
}
