package dev.flotilla.coordinator;

import dev.flotilla.config.LoadBalancing;
import dev.flotilla.protocol.Address;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.Endpoint;
import dev.flotilla.protocol.EngineFacts;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.LockstepLoad;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.ToEngine;
import org.jspecify.annotations.Nullable;

/**
 * One rank that an engine holds.
 *
 * @param configHash of what must be equal over all ranks
 * @param endpoint its socket for the exchanges of a lockstep group; null: it has none
 * @param heardNanos when it last gave a sign of life
 * @param challenge another incarnation that wants this rank, if one does
 */
public record Member(
    Rank rank,
    Incarnation incarnation,
    Epoch epoch,
    EngineState state,
    NodeId node,
    boolean local,
    String configHash,
    @Nullable Endpoint endpoint,
    long heardNanos,
    boolean suspect,
    @Nullable EngineFacts facts,
    @Nullable LoadReport load,
    @Nullable Challenge challenge) {

  /**
   * Another incarnation that said Hello for this rank. It is refused only when the holder is heard
   * of after that, so that a dead holder never turns its successor away.
   */
  public record Challenge(Incarnation by, long atNanos) {}

  /** To be asked for its readiness anew; a new epoch is no sign of life of it. */
  Member under(Epoch given) {
    return new Member(
        rank,
        incarnation,
        given,
        EngineState.CONNECTED,
        node,
        local,
        configHash,
        endpoint,
        heardNanos,
        suspect,
        facts,
        load,
        challenge);
  }

  Member heard(long now) {
    return new Member(
        rank,
        incarnation,
        epoch,
        state,
        node,
        local,
        configHash,
        endpoint,
        Math.max(now, heardNanos),
        false,
        facts,
        load,
        challenge);
  }

  Member ready(EngineFacts told) {
    return new Member(
        rank,
        incarnation,
        epoch,
        state == EngineState.CONNECTED ? EngineState.READY : state,
        node,
        local,
        configHash,
        endpoint,
        heardNanos,
        suspect,
        told,
        load,
        challenge);
  }

  /**
   * Whether a report says more than that the engine lives: under the original's policies other
   * counts, else any other load; and what it has done since its start.
   */
  boolean news(LoadReport report, LoadBalancing policy) {
    LoadReport known = load;
    if (known == null
        || report.waiting() != known.waiting()
        || report.running() != known.running()
        || (report.totals() != null && !report.totals().equals(known.totals()))) {
      return true;
    }
    return !policy.bySnapshots()
        && !(report.step() == known.step()
            && report.wave() == known.wave()
            && report.stepping() == known.stepping()
            && report.queuedTokens() == known.queuedTokens()
            && report.residentTokens() == known.residentTokens()
            && report.kvBlocksUsed() == known.kvBlocksUsed()
            && report.acks().equals(known.acks())
            && report.work().equals(known.work()));
  }

  /** Totals come with every few reports only; the last that came stay in the view. */
  Member reporting(LoadReport report) {
    LoadReport whole =
        report.totals() == null && load != null ? report.withTotals(load.totals()) : report;
    return new Member(
        rank,
        incarnation,
        epoch,
        state,
        node,
        local,
        configHash,
        endpoint,
        heardNanos,
        suspect,
        facts,
        whole,
        challenge);
  }

  Member suspected() {
    return new Member(
        rank,
        incarnation,
        epoch,
        state,
        node,
        local,
        configHash,
        endpoint,
        heardNanos,
        true,
        facts,
        load,
        challenge);
  }

  /**
   * The coordinator stood still: nobody is to blame for the silence, which is no sign of life
   * either, so that a challenge begins anew.
   */
  Member excused(long nanos, long now) {
    return heard(Math.min(now, heardNanos + nanos)).challenged(null);
  }

  Member challenged(@Nullable Challenge now) {
    return new Member(
        rank,
        incarnation,
        epoch,
        state,
        node,
        local,
        configHash,
        endpoint,
        heardNanos,
        suspect,
        facts,
        load,
        now);
  }

  /** Whether it belongs, or has belonged, to a generation that a coordinator gave. */
  boolean grouped() {
    LockstepLoad lockstep = load == null ? null : load.lockstep();
    return lockstep != null && Epoch.of(lockstep.generation()).term() > 0;
  }

  Address<ToEngine> address() {
    return Addresses.engine(rank, incarnation);
  }

  /** As it is published, with its numbers or without. */
  ClusterView.Engine shown(boolean counts) {
    return new ClusterView.Engine(
        rank, incarnation, epoch, state, node, local, suspect, facts, counts ? load : null);
  }

  /** Gone, and awaited again: no numbers of its life are left. */
  ClusterView.Engine shownDead() {
    return dead(shown(false));
  }

  /** The same of one that another coordinator published. */
  static ClusterView.Engine dead(ClusterView.Engine last) {
    return new ClusterView.Engine(
        last.rank(),
        last.incarnation(),
        last.epoch(),
        EngineState.DEAD,
        last.node(),
        last.local(),
        false,
        null,
        null);
  }

  @Override
  public String toString() {
    return "engine %s (%s, epoch %s, %s, node %s)".formatted(rank, incarnation, epoch, state, node);
  }
}
