package dev.flotilla.balancer;

import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Machine;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * The account of one who chooses for several front-ends: which choices their engines have not heard
 * of yet. It does not see the sends, but each front-end numbers those from 1 over all engines, so
 * that the n-th choice for it is its n-th send unless it chose by itself in between; then the
 * engines' acknowledgements run ahead and are believed. A choice that nobody followed is forgotten
 * after {@value #FORGET_MS} ms. Used by one thread.
 */
public final class Book implements Machine {
  static final long FORGET_MS = 250;

  private final Ledger ledger;
  private final Map<Incarnation, Page> pages = new HashMap<>();
  private final Map<FrontendId, Long> numbers = new HashMap<>(); // of choices that are open

  private record Entry(FrontendId frontend, long number, long sequence, long nanos) {}

  private static final class Page {
    final Deque<Entry> open = new ArrayDeque<>();
    long done; // highest sequence up to which all are acknowledged or forgotten
  }

  /** Over a ledger that all choices are entered in. */
  public Book(Ledger ledger) {
    this.ledger = ledger;
  }

  /** An engine was chosen for a request of a front-end. */
  public void chosen(
      FrontendId frontend, Incarnation engine, int tokens, int cached, long nowNanos) {
    Page page = pages.computeIfAbsent(engine, _ -> new Page());
    long number = Math.max(ledger.highestAck(frontend), numbers.getOrDefault(frontend, 0L)) + 1;
    numbers.put(frontend, number);
    page.open.add(new Entry(frontend, number, ledger.send(engine, tokens, cached), nowNanos));
  }

  /** Takes a report. */
  public void report(LoadReport report, long nowNanos) {
    Page page = pages.get(report.incarnation());
    long done = 0;
    if (page != null) {
      while (!page.open.isEmpty() && over(page.open.peekFirst(), report, nowNanos)) {
        Entry entry = page.open.removeFirst();
        page.done = entry.sequence();
        if (report.ackOf(entry.frontend()) < entry.number()) {
          numbers.remove(
              entry.frontend()); // It sent less than was chosen: count anew from its acks.
        }
      }
      if (pages.values().stream().allMatch(p -> p.open.isEmpty())) {
        numbers.clear();
      }
      done = page.done;
    }
    ledger.report(report, done, nowNanos);
  }

  private static boolean over(Entry entry, LoadReport report, long nowNanos) {
    return report.ackOf(entry.frontend()) >= entry.number()
        || nowNanos - entry.nanos() >= FORGET_MS * 1_000_000;
  }

  /** Forgets all other engines. */
  public void keep(Set<Incarnation> known) {
    pages.keySet().retainAll(known);
    ledger.keep(known);
  }
}
