package dev.flotilla.protocol;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one engine has to do, measured by its port. Sent on receipt of work, at step start and at
 * step end, and as a heartbeat; rides on {@link ToFrontend.Tokens}. A receiver drops a report whose
 * (epoch, sequence) is not higher than the last it took.
 *
 * @param rank whose
 * @param incarnation whose start
 * @param epoch whose membership
 * @param sequence running number within the incarnation
 * @param waiting requests not started
 * @param running requests in the running batch
 * @param queuedTokens prompt tokens still to be computed, of waiting and running requests
 * @param residentTokens tokens whose keys and values are held
 * @param kvBlocksUsed KV cache blocks in use
 * @param kvBlocks KV cache blocks there are
 * @param step steps since the engine's start, never reset
 * @param wave completed waves
 * @param stepping whether a step is under way
 * @param lastStepAgeMs time since the last step ended, 0 while one runs; -1 before the first
 * @param acks the highest {@link ToEngine.Submit#sequence()} received, per front-end
 * @param totals what the engine has done since its start; on heartbeats only, else null
 * @param work the load as time, for the balancer
 * @param lockstep where it stands in its group; null if it steps alone
 */
public record LoadReport(
    Rank rank,
    Incarnation incarnation,
    Epoch epoch,
    long sequence,
    int waiting,
    int running,
    long queuedTokens,
    long residentTokens,
    int kvBlocksUsed,
    int kvBlocks,
    long step,
    long wave,
    boolean stepping,
    long lastStepAgeMs,
    List<Ack> acks,
    @Nullable EngineTotals totals,
    EngineWork work,
    @Nullable LockstepLoad lockstep) {

  /** The highest sequence number received from one front-end. */
  public record Ack(FrontendId frontend, long sequence) {}

  /** Keeps a private copy. */
  public LoadReport {
    acks = List.copyOf(acks);
  }

  /** Of a rank that steps alone. */
  public LoadReport(
      Rank rank,
      Incarnation incarnation,
      Epoch epoch,
      long sequence,
      int waiting,
      int running,
      long queuedTokens,
      long residentTokens,
      int kvBlocksUsed,
      int kvBlocks,
      long step,
      long wave,
      boolean stepping,
      long lastStepAgeMs,
      List<Ack> acks,
      @Nullable EngineTotals totals,
      EngineWork work) {
    this(
        rank,
        incarnation,
        epoch,
        sequence,
        waiting,
        running,
        queuedTokens,
        residentTokens,
        kvBlocksUsed,
        kvBlocks,
        step,
        wave,
        stepping,
        lastStepAgeMs,
        acks,
        totals,
        work,
        null);
  }

  /** One whose load as time is guessed. */
  public LoadReport(
      Rank rank,
      Incarnation incarnation,
      Epoch epoch,
      long sequence,
      int waiting,
      int running,
      long queuedTokens,
      long residentTokens,
      int kvBlocksUsed,
      int kvBlocks,
      long step,
      long wave,
      boolean stepping,
      long lastStepAgeMs,
      List<Ack> acks,
      @Nullable EngineTotals totals) {
    this(
        rank,
        incarnation,
        epoch,
        sequence,
        waiting,
        running,
        queuedTokens,
        residentTokens,
        kvBlocksUsed,
        kvBlocks,
        step,
        wave,
        stepping,
        lastStepAgeMs,
        acks,
        totals,
        EngineWork.guessed(running, queuedTokens, residentTokens));
  }

  /** The same with other totals. */
  public LoadReport withTotals(@Nullable EngineTotals others) {
    return new LoadReport(
        rank,
        incarnation,
        epoch,
        sequence,
        waiting,
        running,
        queuedTokens,
        residentTokens,
        kvBlocksUsed,
        kvBlocks,
        step,
        wave,
        stepping,
        lastStepAgeMs,
        acks,
        others,
        work,
        lockstep);
  }

  /** The same as one front-end needs it: of the acknowledgements, its own. */
  public LoadReport toFrontend(FrontendId frontend) {
    List<Ack> own = acks;
    if (acks.size() > 1 || (acks.size() == 1 && !acks.getFirst().frontend().equals(frontend))) {
      long sequence = ackOf(frontend);
      own = sequence == 0 ? List.of() : List.of(new Ack(frontend, sequence));
    }
    return with(waiting, own);
  }

  /** The same with so many waiting requests. */
  public LoadReport withWaiting(int count) {
    return with(count, acks);
  }

  private LoadReport with(int waitingRequests, List<Ack> some) {
    return new LoadReport(
        rank,
        incarnation,
        epoch,
        sequence,
        waitingRequests,
        running,
        queuedTokens,
        residentTokens,
        kvBlocksUsed,
        kvBlocks,
        step,
        wave,
        stepping,
        lastStepAgeMs,
        some,
        totals,
        work);
  }

  /** The highest sequence number received from the front-end; 0 if none was. */
  public long ackOf(FrontendId frontend) {
    for (Ack ack : acks) {
      if (ack.frontend().equals(frontend)) {
        return ack.sequence();
      }
    }
    return 0;
  }

  /** Share of the KV cache in use, 0 to 1. */
  public double kvUsage() {
    return kvBlocks == 0 ? 0 : (double) kvBlocksUsed / kvBlocks;
  }
}
