package dev.flotilla.balancer;

import dev.flotilla.protocol.LoadReport;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/** What one client knows of one engine: the newest report, and what it sent itself. */
final class Account {
  private record Send(long sequence, int tokens, int cached) {
    long uncached() {
      return (long) tokens - cached;
    }

    double squares() {
      return (double) tokens * tokens - (double) cached * cached;
    }
  }

  private final Deque<Send> unacknowledged = new ArrayDeque<>();
  private long sentTokens; // of the unacknowledged
  private long sentUncached;
  private double sentSquares;
  private final boolean all;
  private int inFlight;

  private @Nullable LoadReport report;
  private long reportNanos;
  private long confirmedNanos;

  // What the last published view said, and what this client has added to it since.
  private int publishedWaiting;
  private int publishedRunning;
  private double publishedKvUsage;

  /**
   * An empty one.
   *
   * @param all whether every request that the engine has is this client's
   */
  Account(boolean all) {
    this.all = all;
  }

  void send(long sequence, int tokens, int cached) {
    Send send = new Send(sequence, tokens, cached);
    unacknowledged.addLast(send);
    sentTokens += tokens;
    sentUncached += send.uncached();
    sentSquares += send.squares();
    inFlight++;
  }

  void ended() {
    inFlight = Math.max(0, inFlight - 1);
  }

  boolean report(LoadReport newer, long acknowledged, long now) {
    LoadReport known = report;
    if (known != null) {
      int epochs = newer.epoch().compareTo(known.epoch());
      if (epochs < 0 || (epochs == 0 && newer.sequence() <= known.sequence())) {
        return false;
      }
    }
    report = newer;
    reportNanos = now;
    confirmedNanos = now;
    while (!unacknowledged.isEmpty() && unacknowledged.peekFirst().sequence() <= acknowledged) {
      discount(unacknowledged.removeFirst());
    }
    return true;
  }

  /** The send is given up; no effect if it was acknowledged. */
  void lost(long sequence) {
    for (Iterator<Send> sends = unacknowledged.iterator(); sends.hasNext(); ) {
      Send send = sends.next();
      if (send.sequence() == sequence) {
        sends.remove();
        discount(send);
        return;
      }
    }
  }

  private void discount(Send send) {
    sentTokens -= send.tokens();
    sentUncached -= send.uncached();
    sentSquares -= send.squares();
  }

  /** Nothing newer than the known report exists. */
  void confirm(long now) {
    confirmedNanos = Math.max(confirmedNanos, now);
  }

  void publish(LoadReport load) {
    publishedWaiting = load.waiting();
    publishedRunning = load.running();
    publishedKvUsage = load.kvUsage();
  }

  void bump(int waiting) {
    publishedWaiting += waiting;
  }

  @Nullable LoadReport report() {
    return report;
  }

  /** When the report came. */
  long reportNanos() {
    return reportNanos;
  }

  /** Up to when the report is known to be the newest. */
  long confirmedNanos() {
    return confirmedNanos;
  }

  int unacknowledged() {
    return unacknowledged.size();
  }

  long sentTokens() {
    return sentTokens;
  }

  long sentUncached() {
    return sentUncached;
  }

  double sentSquares() {
    return sentSquares;
  }

  int inFlight() {
    if (all) {
      // Who chooses for all is not told of ends; the engine's own counts are what is in flight.
      LoadReport known = report;
      int there = known == null ? 0 : known.waiting() + known.running();
      return there + unacknowledged.size();
    }
    return inFlight;
  }

  int publishedWaiting() {
    return publishedWaiting;
  }

  int publishedRunning() {
    return publishedRunning;
  }

  double publishedKvUsage() {
    return publishedKvUsage;
  }
}
