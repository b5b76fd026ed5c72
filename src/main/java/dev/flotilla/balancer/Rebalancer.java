package dev.flotilla.balancer;

import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Machine;
import dev.flotilla.protocol.Rank;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Decides, on each report, whether a busy engine hands never-started requests over to an idler one:
 * the second look at choices that were made with what was known then. Used by one thread.
 *
 * <p>Source: join-idle-queue (Lu et al., 2011), with late binding.
 */
public final class Rebalancer implements Machine {
  /** A smaller gap is within the error of estimates. */
  private static final double GAP_MS = 10;

  /** Reports and requests of an order are each a message late on both sides. */
  private static final int GAP_DELAYS = 4;

  /** Order, requests and reports of it: three messages, the last up to a millisecond coalesced. */
  private static final int SETTLE_DELAYS = 3;

  private static final double COALESCED_MS = 1;

  private final CompletionTime times;
  private final Ledger ledger;
  private final double delayMs;
  private final Map<Incarnation, Long> settling = new HashMap<>();
  private ClusterView known = ClusterView.EMPTY;
  private Seat[] seats = new Seat[0];
  private static final Query NOTHING = new Query(0, PrefixChain.NONE, Set.of(), null);

  /**
   * For one coordinator.
   *
   * @param ledger what it knows; its reports are kept up by the caller
   * @param delayMs that a message takes
   */
  public Rebalancer(Ledger ledger, double delayMs) {
    this.ledger = ledger;
    this.delayMs = delayMs;
    times = new CompletionTime(Client.ALONE, ledger);
  }

  /** What is to be done now that a rank has reported; the ledger knows the report already. */
  public Optional<HandOver> look(ClusterView view, Rank reported, long nowNanos) {
    adopt(view);
    Seat self = null;
    for (Seat seat : seats) {
      if (seat.engine.rank().equals(reported)) {
        self = seat;
      }
    }
    if (self == null || settles(self, nowNanos)) {
      return Optional.empty();
    }
    LoadReport report = self.account.report();
    if (report == null) {
      return Optional.empty();
    }
    double own = ready(self, nowNanos);
    Seat other = report.waiting() > 0 ? idlest(self, nowNanos) : busiest(self, nowNanos);
    if (other == null) {
      return Optional.empty();
    }
    double its = ready(other, nowNanos);
    return report.waiting() > 0
        ? order(self, own, other, its, nowNanos)
        : order(other, its, self, own, nowNanos);
  }

  private Optional<HandOver> order(Seat from, double late, Seat to, double soon, long now) {
    double gap = late - soon;
    if (gap < GAP_MS + GAP_DELAYS * delayMs) {
      return Optional.empty();
    }
    LoadReport thief = to.account.report();
    if (thief == null) {
      return Optional.empty();
    }
    long kvRoom =
        (long) (thief.kvBlocks() - thief.kvBlocksUsed()) * to.blockTokens - thief.work().kvQueued();
    int slotRoom = to.slots - thief.waiting() - thief.running();
    if (kvRoom <= 0 || slotRoom <= 0) {
      return Optional.empty();
    }
    long settled = now + (long) ((SETTLE_DELAYS * delayMs + COALESCED_MS) * 1e6);
    settling.put(from.engine.incarnation(), settled);
    settling.put(to.engine.incarnation(), settled);
    return Optional.of(
        new HandOver(
            from.engine.rank(),
            from.engine.incarnation(),
            to.engine.rank(),
            to.engine.incarnation(),
            gap,
            thief.work().cost(),
            kvRoom,
            slotRoom));
  }

  private @Nullable Seat idlest(Seat self, long now) {
    Seat best = null;
    double least = Double.POSITIVE_INFINITY;
    for (Seat seat : seats) {
      if (seat != self && usable(seat, now)) {
        double ready = ready(seat, now);
        if (ready < least) {
          least = ready;
          best = seat;
        }
      }
    }
    return best;
  }

  private @Nullable Seat busiest(Seat self, long now) {
    Seat best = null;
    double most = 0;
    for (Seat seat : seats) {
      LoadReport report = seat.account.report();
      if (seat != self && report != null && report.waiting() > 0 && usable(seat, now)) {
        double ready = ready(seat, now);
        if (ready > most) {
          most = ready;
          best = seat;
        }
      }
    }
    return best;
  }

  private boolean usable(Seat seat, long now) {
    return seat.engine.serving()
        && seat.account.report() != null
        && CompletionTime.ageMs(seat, now) <= CompletionTime.SILENT_MS
        && !settles(seat, now);
  }

  private boolean settles(Seat seat, long now) {
    Long until = settling.get(seat.engine.incarnation());
    return until != null && now < until;
  }

  /** When a prompt of no length would be computed there. */
  private double ready(Seat seat, long now) {
    return times.estimate(seat, NOTHING, now).score();
  }

  @SuppressWarnings("ReferenceEquality") // a view is immutable: the same one needs no second look
  private void adopt(ClusterView view) {
    if (view != known) {
      known = view;
      seats = new Seat[view.engines().size()];
      for (int i = 0; i < seats.length; i++) {
        ClusterView.Engine engine = view.engines().get(i);
        seats[i] = new Seat(engine, ledger.account(engine.incarnation()));
      }
      settling
          .keySet()
          .removeIf(i -> view.engines().stream().noneMatch(e -> e.incarnation().equals(i)));
    }
  }
}
