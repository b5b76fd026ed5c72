package dev.flotilla.engine;

import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Machine;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The front-ends that an engine reports to, and which of them know its state. All reports, those
 * that ride on tokens too, are paid out of a budget, which bounds what the balancing of any load
 * can cost: what cannot be paid now is told by the coordinator's view, or later. Used by the port's
 * thread.
 */
final class Audience implements Machine {
  /** Reports that one engine may send in a second, for long. */
  static final int REPORTS_PER_SECOND = 200;

  /** Bursts may take so many at once. */
  private static final double BURST = 64;

  /** More than any cluster has; a bound against a peer that makes up ids. */
  private static final int FRONTENDS_MAX = 1024;

  private final Map<FrontendId, Member> members = new LinkedHashMap<>();
  private double budget = BURST;
  private long paidNanos;

  private static final class Member {
    boolean current;
    boolean owed;
    boolean prefixes;
    long toldNanos;
  }

  Audience(long nowNanos) {
    paidNanos = nowNanos;
  }

  /** A front-end exists. */
  void add(FrontendId frontend) {
    if (members.size() < FRONTENDS_MAX) {
      members.computeIfAbsent(frontend, _ -> new Member());
    }
  }

  /** It cannot be reached any more; if it still lives, it asks again. */
  void remove(FrontendId frontend) {
    members.remove(frontend);
  }

  /** It wants the changes of the prefix cache. */
  void wantsPrefixes(FrontendId frontend) {
    add(frontend);
    Member member = members.get(frontend);
    if (member != null) {
      member.prefixes = true;
    }
  }

  /** Those that want the changes of the prefix cache. */
  List<FrontendId> prefixed() {
    List<FrontendId> wanting = new ArrayList<>(members.size());
    members.forEach(
        (frontend, member) -> {
          if (member.prefixes) {
            wanting.add(frontend);
          }
        });
    return wanting;
  }

  /** The engine's state has changed: nobody knows it. */
  void changed() {
    for (Member member : members.values()) {
      member.current = false;
    }
  }

  /** Work has come from it, and it waits to hear that it has. */
  void owe(FrontendId frontend) {
    add(frontend);
    Member member = members.get(frontend);
    if (member != null) {
      member.owed = true;
    }
  }

  /**
   * Tokens go to it, and a report may go with them.
   *
   * @return whether it does: then it is told
   */
  boolean rides(FrontendId frontend, long nowNanos) {
    refill(nowNanos);
    Member member = members.get(frontend);
    if (member == null || !(member.owed || (!member.current && budget >= 1))) {
      return false;
    }
    budget--;
    told(frontend, nowNanos);
    return true;
  }

  private void told(FrontendId frontend, long nowNanos) {
    Member member = members.get(frontend);
    if (member != null) {
      member.current = true;
      member.owed = false;
      member.toldNanos = nowNanos;
    }
  }

  /** A report to somebody else, who must have it. */
  void pay(long nowNanos) {
    refill(nowNanos);
    budget--;
  }

  /**
   * Those that are to be told now; acknowledgements are told whatever they cost.
   *
   * @param all whether others than those that wait for an acknowledgement want to know
   */
  List<FrontendId> due(long nowNanos, boolean all) {
    refill(nowNanos);
    List<FrontendId> due = new ArrayList<>(members.size());
    for (Map.Entry<FrontendId, Member> entry : members.entrySet()) {
      Member member = entry.getValue();
      if (member.owed || (all && !member.current && budget >= 1)) {
        due.add(entry.getKey());
        budget--;
      }
    }
    for (FrontendId frontend : due) {
      told(frontend, nowNanos);
    }
    return due;
  }

  /** Those that have heard nothing for so long, so that they know that the engine lives. */
  List<FrontendId> silentFor(long nanos, long nowNanos) {
    List<FrontendId> silent = new ArrayList<>(0);
    members.forEach(
        (frontend, member) -> {
          if (nowNanos - member.toldNanos >= nanos) {
            silent.add(frontend);
          }
        });
    for (FrontendId frontend : silent) {
      told(frontend, nowNanos);
    }
    return silent;
  }

  private void refill(long nowNanos) {
    budget = Math.min(BURST, budget + (nowNanos - paidNanos) / 1e9 * REPORTS_PER_SECOND);
    paidNanos = nowNanos;
  }
}
