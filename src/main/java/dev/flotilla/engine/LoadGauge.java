package dev.flotilla.engine;

import dev.flotilla.protocol.EngineWork;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Rank;
import dev.flotilla.scheduler.Counters;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Measures one rank's load from what its port has received and what its step loop says: work in the
 * inbox is counted as waiting, so that a report that acknowledges a submit counts its work too.
 * Used by the port's thread.
 */
public final class LoadGauge {
  /** Front-ends whose sequence numbers are remembered; one more start of one forgets the oldest. */
  private static final int FRONTENDS_MAX = 1024;

  private final int kvBlocks;
  private final Map<FrontendId, Long> received =
      new LinkedHashMap<>(64, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<FrontendId, Long> eldest) {
          return size() > FRONTENDS_MAX;
        }
      };

  private @Nullable List<LoadReport.Ack> acks;
  private Snapshot snapshot = Snapshot.NONE;
  private long submits;
  private long tokens;
  private double squares;
  private long sequence;
  private boolean changed = true;

  public LoadGauge(int kvBlocks) {
    this.kvBlocks = kvBlocks;
  }

  /** A submit has come; it is acknowledged even if it is refused. */
  public void received(FrontendId frontend, long number) {
    Long known = received.get(frontend);
    if (known == null || known < number) {
      received.put(frontend, number);
      changed = true;
      acks = null;
    }
  }

  /** A submit of so many tokens lies in the inbox. */
  public void queued(int promptTokens) {
    changed = true;
    submits++;
    tokens += promptTokens;
    squares += (double) promptTokens * promptTokens;
  }

  /**
   * The step loop's state, unless a newer one is known.
   *
   * @return whether work has gone from it otherwise than by steps, or none is left
   */
  public boolean update(Snapshot newer) {
    Snapshot known = snapshot;
    if (newer.version() <= known.version()) {
      return false;
    }
    snapshot = newer;
    changed = true;
    boolean stepped = newer.steps() != known.steps() || newer.stepping() != known.stepping();
    boolean took = newer.takenSubmits() != known.takenSubmits();
    return rests(newer) ? !rests(known) : !stepped && !took;
  }

  private static boolean rests(Snapshot loop) {
    return loop.counters().idle() && !loop.stepping();
  }

  /** Whether nothing waits, runs or lies in the inbox. */
  public boolean idle() {
    return submits == snapshot.takenSubmits() && rests(snapshot);
  }

  /** The next report has a new number even if nothing has changed: it is a sign of life. */
  public void renew() {
    changed = true;
  }

  /**
   * The load now. Until something changes, all reports have one number: whoever has one of them
   * knows what there is to know.
   */
  public LoadReport report(Rank rank, Incarnation incarnation, Epoch epoch, long nowNanos) {
    sequence += changed ? 1 : 0;
    changed = false;
    Counters counters = snapshot.counters();
    long age = snapshot.stepping() ? 0 : (nowNanos - snapshot.lastStepNanos()) / 1_000_000;
    return new LoadReport(
        rank,
        incarnation,
        epoch,
        sequence,
        counters.waiting() + inInbox(),
        counters.running(),
        counters.queuedTokens() + tokens - snapshot.takenTokens(),
        counters.residentTokens(),
        counters.blocksUsed(),
        kvBlocks,
        snapshot.steps(),
        snapshot.wave(),
        snapshot.stepping(),
        snapshot.steps() == 0 && !snapshot.stepping() ? -1 : Math.max(0, age),
        acks(),
        null,
        work(nowNanos),
        snapshot.lockstep());
  }

  /** What the step loop said, with what lies in the inbox and with the time since. */
  private EngineWork work(long nowNanos) {
    EngineWork said = snapshot.work();
    long waiting = tokens - snapshot.takenTokens();
    double queued = said.cost().prefillOfSums((double) waiting, squares - snapshot.takenSquares());
    double left = said.msToStepEnd() - (nowNanos - snapshot.workNanos()) / 1e6;
    return new EngineWork(
        (float) (said.queuedPrefillMs() + Math.max(0, queued)),
        said.decoding(),
        said.decodeContext(),
        said.kvQueued() + waiting,
        (float) Math.max(0, left),
        said.cost());
  }

  /** Submits that the step loop has not taken. */
  int inInbox() {
    return (int) (submits - snapshot.takenSubmits());
  }

  /** The report with all that was done since the start, as heartbeats carry it. */
  public LoadReport withTotals(LoadReport report) {
    return report.withTotals(snapshot.totals());
  }

  private List<LoadReport.Ack> acks() {
    List<LoadReport.Ack> known = acks;
    if (known == null) {
      known =
          received.entrySet().stream()
              .map(entry -> new LoadReport.Ack(entry.getKey(), entry.getValue()))
              .toList();
      acks = known;
    }
    return known;
  }
}
