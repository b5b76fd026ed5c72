package dev.flotilla.engine;

import dev.flotilla.collective.Entrance;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Speaks for one member of a lockstep group with the coordinator: passes its orders on to the step
 * loop, and repeats what the loop waits for, a wave or a new generation, until it has come. Used by
 * the port's thread.
 */
final class GroupPort {
  /** First pause before a wave is asked for again; doubled each time up to the longest. */
  private static final long FIRST_MS = 20;

  private static final long LONGEST_MS = 100;

  private final Entrance entrance;
  private final LockstepLoop loop;
  private final Inbox inbox;
  private final CoordinatorPort coordinator;
  private final Supplier<EngineLife> life;
  private final Pacer.Later later;
  private long passed; // The highest generation that the loop was told of.
  private LockstepLoop.@Nullable Need said; // As it was told last.
  private long pauseMs;
  private boolean armed;

  GroupPort(
      Entrance entrance,
      LockstepLoop loop,
      Inbox inbox,
      CoordinatorPort coordinator,
      Supplier<EngineLife> life,
      Pacer.Later later) {
    this.entrance = entrance;
    this.loop = loop;
    this.inbox = inbox;
    this.coordinator = coordinator;
    this.life = life;
    this.later = later;
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

  /** The loop has news: says what it needs at once if it is something else than before. */
  void look() {
    LockstepLoop.Need need = loop.need();
    if (!Objects.equals(need, said)) {
      said = need;
      pauseMs = FIRST_MS;
      say(need);
    }
    if (need != null && !armed) {
      armed = true;
      later.run(pauseMs, this::again);
    }
  }

  private void again() {
    armed = false;
    LockstepLoop.Need need = loop.need();
    if (need != null && need.equals(said)) {
      pauseMs = Math.min(LONGEST_MS, 2 * pauseMs);
      say(need);
    }
    look();
  }

  private void say(LockstepLoop.@Nullable Need need) {
    Rank rank = life.get().rank();
    if (rank == null || need == null || need.generation() < entrance.newest()) {
      return; // What it needs is on its way.
    }
    Incarnation self = coordinator.identity().incarnation();
    coordinator.tell(
        switch (need) {
          case LockstepLoop.Need.Another(long generation, var missing, String reason) ->
              new ToCoordinator.GroupBroken(rank, self, generation, missing, reason);
          case LockstepLoop.Need.Wave(long generation, long wave) ->
              new ToCoordinator.WantWave(rank, self, generation, wave);
        });
  }

  /** Leaves the group for good: the loop, if it waits for others, stops waiting. */
  void close() {
    entrance.close();
  }
}
