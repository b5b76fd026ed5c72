package dev.flotilla.balancer;

import dev.flotilla.protocol.EngineWork;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.StepCost;

/**
 * The default policy: the engine that will have computed the prompt first. Time instead of counts,
 * because a prompt of 60,000 tokens is not one of 50 and a slow card is not a fast one; the
 * client's own unacknowledged sends are added to what the engine reports.
 *
 * <p>Engines whose estimates differ by less than the estimate is worth go round, those first whose
 * prefix cache holds more. Reports older than {@link #FRESH_MS} lose what the engine must have
 * computed since; if more requests than there are engines have arrived meanwhile, the better of two
 * engines is taken instead of the best, since everybody knows the same best (Mitzenmacher, 2000).
 * An engine silent for {@link #SILENT_MS} is left out, unless all are: then the fewest own requests
 * decide.
 */
final class CompletionTime implements Policy {
  static final double FRESH_MS = 50;
  static final double SILENT_MS = 1000;

  /** A report that comes within one step is off by about so much. */
  private static final double TIE_MS = 5;

  private static final double STALE_TIE_MS = 20;

  /** Half of a mean generation passes, on average, until a running request ends. */
  private static final double HOLD_SHARE = 0.5;

  private static final double ARRIVAL_WEIGHT = 0.05;

  private Client client;
  private final Ledger ledger;
  private final LeastInFlight blind;
  private final Prices prices = new Prices();
  private double[] scores = new double[0];
  private int decisions;
  private long lastNanos;
  private double gapMs = 1e6; // between own arrivals, of late

  CompletionTime(Client client, Ledger ledger) {
    this.client = client;
    this.ledger = ledger;
    this.blind = new LeastInFlight(client);
  }

  @Override
  public void client(Client now) {
    client = now;
    blind.client(now);
  }

  @Override
  public Seat choose(Seat[] seats, int count, Query query, long now) {
    observeArrival(now);
    int heard = 0;
    double ages = 0;
    for (int i = 0; i < count; i++) {
      double age = ageMs(seats[i], now);
      if (age <= SILENT_MS) {
        ages += age;
        Seat seat = seats[i];
        seats[i] = seats[heard];
        seats[heard++] = seat;
      }
    }
    if (heard == 0) {
      return blind.choose(seats, count, query, now);
    }
    double age = ages / heard;
    int start = Math.floorMod(client.start(heard) + decisions, heard);
    decisions = (decisions + 1) & Integer.MAX_VALUE;
    boolean herding = age > FRESH_MS && age * client.count() / gapMs > heard;
    return herding
        ? betterOfTwo(seats, heard, start, query, now)
        : best(seats, heard, start, age > FRESH_MS ? STALE_TIE_MS : TIE_MS, query, now);
  }

  @Override
  public void compare(Seat[] seats, int count) {
    prices.compare(seats, count);
  }

  private void observeArrival(long now) {
    if (lastNanos != 0) {
      double gap = Math.clamp((now - lastNanos) / 1e6, 0.01, 1e6);
      gapMs = gapMs >= 1e6 ? gap : gapMs + ARRIVAL_WEIGHT * (gap - gapMs);
    }
    lastNanos = now == 0 ? 1 : now;
  }

  private Seat best(Seat[] seats, int count, int start, double tie, Query query, long now) {
    if (scores.length < count) {
      scores = new double[Math.max(count, 16)];
    }
    double least = Double.POSITIVE_INFINITY;
    for (int i = 0; i < count; i++) {
      double score = estimate(seats[i], query, now).score();
      scores[i] = score;
      least = Math.min(least, score);
    }
    Seat best = null;
    for (int i = 0; i < count; i++) {
      int at = start + i < count ? start + i : start + i - count;
      if (scores[at] <= least + tie && (best == null || seats[at].cached > best.cached)) {
        best = seats[at];
      }
    }
    return best == null ? seats[start] : best;
  }

  /** The second is a pseudorandom one: the steps of a golden section visit all pairs evenly. */
  private Seat betterOfTwo(Seat[] seats, int count, int start, Query query, long now) {
    int step = count == 1 ? 0 : 1 + Math.floorMod(decisions * 0x9E3779B9, count - 1);
    Seat one = seats[start];
    Seat other = seats[(start + step) % count];
    double difference = estimate(other, query, now).score() - estimate(one, query, now).score();
    return difference < 0 ? other : one;
  }

  /** Of the report; what an engine has never said cannot be old. */
  static double ageMs(Seat seat, long now) {
    return seat.account.report() == null
        ? 0
        : Math.max(0, (now - seat.account.confirmedNanos()) / 1e6);
  }

  @Override
  public Estimate estimate(Seat seat, Query query, long now) {
    Account account = seat.account;
    LoadReport report = account.report();
    if (report == null) {
      return of(seat, IDLE, prices.of(account, now), 0, 0, 0, 0, 0, query, 0);
    }
    EngineWork work = report.work();
    double age = ageMs(seat, now);
    double elapsed = (now - account.reportNanos()) / 1e6;
    double stepEnd = Math.max(0, work.msToStepEnd() - elapsed);
    double queued = work.queuedPrefillMs();
    if (age > FRESH_MS) {
      queued = Math.max(0, queued - (age - FRESH_MS));
    }
    long used = (long) report.kvBlocksUsed() * seat.blockTokens;
    long capacity = (long) report.kvBlocks() * seat.blockTokens;
    int requests = report.waiting() + report.running();
    StepCost cost = prices.of(account, now);
    long kv = used + work.kvQueued();
    return of(seat, work, cost, stepEnd, queued, kv, capacity, requests, query, age);
  }

  private static final EngineWork IDLE = new EngineWork(0, 0, 0, 0, 0, StepCost.DEFAULT);

  private Estimate of(
      Seat seat,
      EngineWork work,
      StepCost cost,
      double stepEnd,
      double queued,
      long kv,
      long capacity,
      int requests,
      Query query,
      double age) {
    Account account = seat.account;
    double own = cost.prefillOfSums((double) account.sentUncached(), account.sentSquares());
    double prefill = cost.prefill(seat.cached, query.promptTokens());
    double compute = queued + own + prefill;
    double step = cost.decodeStep(work.decoding(), (double) work.decodeContext());
    double room = Math.max(seat.budget - work.decoding(), seat.budget / 4.0);
    // With what tokens attend to: a fit may put all that a prompt costs into either of the two.
    double perStep = Math.max(1e-9, cost.prefill(0, room));
    double steps = Math.max(1, Math.ceil(compute / perStep)) * step;
    double hold = ledger.meanOutputs() * step;
    double needed = (double) account.sentTokens() + query.promptTokens() - seat.cached;
    double over = kv + needed - capacity;
    double memory =
        over > 0 && capacity > 0
            ? HOLD_SHARE * hold * over / Math.max((double) kv, capacity / 2.0)
            : 0;
    double full = requests + account.unacknowledged() + 1.0 - seat.slots;
    double slot = full > 0 ? HOLD_SHARE * hold * full / seat.slots : 0;
    double score = stepEnd + compute + steps + memory + slot;
    return new Estimate(score, stepEnd, queued, own, prefill, steps, memory, slot, age);
  }
}
