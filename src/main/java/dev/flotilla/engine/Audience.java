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
 * can cost. It is spent first on what nobody can foresee, work that came or went; that a step
 * begins is told by what is left, since the coordinator hears of it and its view tells the others.
 * Used by one thread.
 */
public final class Audience implements Machine {
  /** Reports that one engine may send in a second, for long. */
  public static final int REPORTS_PER_SECOND = 200;

  /** What comes closer together shares one report. */
  public static final long GAP_MS = 1;

  /** Shortest time between two reports to the coordinator: half of what an engine may report. */
  public static final long COORDINATOR_GAP_MS = 10;

  /** Bursts may take so many at once. */
  private static final double BURST = 64;

  /** Kept back from steps, so that work that comes can be told to all. */
  private static final double RESERVE = 32;

  /** More than any cluster has; a bound against a peer that makes up ids. */
  private static final int FRONTENDS_MAX = 1024;

  private final Map<FrontendId, Member> members = new LinkedHashMap<>();
  private double budget = BURST;
  private long paidNanos;

  /** What a front-end does not know yet, the least first. */
  private enum Unknown {
    NOTHING,
    STEP,
    WORK,
    /** That its own work has come, which it waits for. */
    OWN_WORK
  }

  private static final class Member {
    Unknown unknown = Unknown.WORK;
    boolean prefixes;
    long toldNanos;

    void learns(Unknown news) {
      unknown = news.compareTo(unknown) > 0 ? news : unknown;
    }
  }

  /** Nobody is there. */
  public Audience(long nowNanos) {
    paidNanos = nowNanos;
  }

  /** A front-end exists. */
  public void add(FrontendId frontend) {
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

  /** A step has begun or ended. */
  public void stepped() {
    all(Unknown.STEP);
  }

  /** Work has come or gone other than by a step, or there is none left. */
  public void changed() {
    all(Unknown.WORK);
  }

  /** Work has come from a front-end, and it waits to hear that it has. */
  public void received(FrontendId from) {
    add(from);
    all(Unknown.WORK);
    Member member = members.get(from);
    if (member != null) {
      member.learns(Unknown.OWN_WORK);
    }
  }

  private void all(Unknown news) {
    for (Member member : members.values()) {
      member.learns(news);
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
    if (member == null || !affords(member)) {
      return false;
    }
    tell(member, nowNanos);
    return true;
  }

  private boolean affords(Member member) {
    return switch (member.unknown) {
      case NOTHING -> false;
      case STEP -> budget >= RESERVE;
      case WORK -> budget >= 1;
      case OWN_WORK -> true;
    };
  }

  private void tell(Member member, long nowNanos) {
    budget--;
    told(member, nowNanos);
  }

  private static void told(Member member, long nowNanos) {
    member.unknown = Unknown.NOTHING;
    member.toldNanos = nowNanos;
  }

  /** A report to somebody else, who must have it. */
  public void pay(long nowNanos) {
    refill(nowNanos);
    budget--;
  }

  /**
   * Those that are to be told now; that their own work has come is told whatever it costs.
   *
   * @param all whether others than those want to know
   */
  public List<FrontendId> due(long nowNanos, boolean all) {
    refill(nowNanos);
    List<FrontendId> due = new ArrayList<>(members.size());
    boolean left = false;
    for (Map.Entry<FrontendId, Member> entry : members.entrySet()) {
      Member member = entry.getValue();
      if (member.unknown == Unknown.OWN_WORK || (all && affords(member))) {
        due.add(entry.getKey());
        tell(member, nowNanos);
      } else {
        left |= member.unknown != Unknown.NOTHING;
      }
    }
    if (left) {
      due.forEach(this::toTheEnd);
    }
    return due;
  }

  /** The others come first next time. */
  private void toTheEnd(FrontendId frontend) {
    Member member = members.remove(frontend);
    if (member != null) {
      members.put(frontend, member);
    }
  }

  /** Those that have heard nothing for so long, so that they know that the engine lives. */
  List<FrontendId> silentFor(long nanos, long nowNanos) {
    List<FrontendId> silent = new ArrayList<>(0);
    members.forEach(
        (frontend, member) -> {
          if (nowNanos - member.toldNanos >= nanos) {
            silent.add(frontend);
            told(member, nowNanos);
          }
        });
    return silent;
  }

  private void refill(long nowNanos) {
    budget = Math.min(BURST, budget + (nowNanos - paidNanos) / 1e9 * REPORTS_PER_SECOND);
    paidNanos = nowNanos;
  }
}
