package dev.flotilla.engine;

import dev.flotilla.collective.Entrance;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import io.vertx.core.Context;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Between the step loop of one member of a lockstep group and the coordinator. What the loop says
 * leaves from the port's event loop, since a clustered send from a busy worker would wait; what the
 * coordinator orders ends at once whatever waits in an older generation.
 */
final class GroupPort implements LockstepLoop.Voice {
  private final Entrance entrance;
  private final Inbox inbox;
  private final Supplier<EngineLife> life;
  private final Supplier<CoordinatorPort> coordinator;
  private final Supplier<Context> context; // Of the port.
  private long passed; // The highest generation that the loop was told of.

  /**
   * A link; says nothing until the port has started.
   *
   * @param life read by the port's thread only
   */
  GroupPort(
      Entrance entrance,
      Inbox inbox,
      Supplier<EngineLife> life,
      Supplier<CoordinatorPort> coordinator,
      Supplier<Context> context) {
    this.entrance = entrance;
    this.inbox = inbox;
    this.life = life;
    this.coordinator = coordinator;
    this.context = context;
  }

  /** The coordinator has decided something; repetitions and what is older have no effect. */
  void ordered(ToEngine.GroupOrder order) {
    if (!life.get().term().admits(order.term())) {
      return;
    }
    switch (order) {
      case ToEngine.Regroup(var _, var generation, long wave) -> {
        // Whoever waits in an older one is to stop waiting now, not when the loop has the time.
        entrance.called(generation);
        if (generation.number() > passed
            && inbox.offer(new Inbox.Command.Regroup(generation, wave))) {
          passed = generation.number();
        }
      }
      case ToEngine.StartWave(var _, long generation, long wave) ->
          inbox.offer(new Inbox.Command.StartWave(generation, wave));
    }
  }

  @Override
  public void wantWave(long generation, long wave) {
    context
        .get()
        .runOnContext(
            ignored -> {
              Rank rank = rank();
              if (rank != null) {
                tell(new ToCoordinator.WantWave(rank, self().incarnation(), generation, wave));
              }
            });
  }

  @Override
  public void broken(long generation, List<Rank> missing, String reason) {
    context
        .get()
        .runOnContext(
            ignored -> {
              Rank rank = rank();
              if (rank != null) {
                tell(
                    new ToCoordinator.GroupBroken(
                        rank, self().incarnation(), generation, missing, reason));
              }
            });
  }

  @Override
  public void wakeAt(long nanos) {
    long ms = Math.max(1, (nanos - System.nanoTime()) / 1_000_000 + 1);
    context.get().owner().setTimer(ms, ignored -> inbox.wake());
  }

  private @Nullable Rank rank() {
    return life.get().rank();
  }

  private Identity self() {
    return coordinator.get().identity();
  }

  private void tell(ToCoordinator.FromMember message) {
    coordinator.get().tell(message);
  }

  /** Leaves the group for good: the loop, if it waits for others, stops waiting. */
  void close() {
    entrance.close();
  }
}
