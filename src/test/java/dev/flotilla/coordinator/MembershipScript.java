package dev.flotilla.coordinator;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.flotilla.coordinator.Membership.Effect;
import dev.flotilla.coordinator.Membership.Event;
import dev.flotilla.protocol.Address;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineFacts;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;

/** Gives events to a {@link Membership} and keeps the effects of the last. */
class MembershipScript {
  static final NodeId NODE = new NodeId("n");
  static final EngineFacts FACTS = new EngineFacts("m", "scripted", 64, 16, 4096, 256, 2048, "0");
  static final long MS = 1_000_000;
  static final Term TERM = new Term(1, NODE);

  /** A coordinator whose time of grace is just over. */
  Membership membership =
      Membership.start(new Membership.Limits(4, 1_500 * MS, 8_000 * MS, 600 * MS), TERM, -600 * MS);

  long now;
  List<Effect> effects = List.of();

  @BeforeEach
  void tickOnce() {
    on(new Event.Tick(0));
  }

  void on(Event event) {
    Membership.Step step = membership.on(event);
    membership = step.next();
    effects = step.effects();
  }

  void tell(ToCoordinator message) {
    on(new Event.Told(now, message));
  }

  void passMs(long ms) {
    List<Effect> all = new ArrayList<>();
    for (long left = ms; left > 0; left -= 100) {
      now += Math.min(100, left) * MS;
      on(new Event.Tick(now));
      all.addAll(effects);
    }
    effects = all;
  }

  static Incarnation inc(String name) {
    return new Incarnation(name);
  }

  static ToCoordinator.Hello hello(String incarnation, @Nullable Integer rank) {
    return hello(incarnation, rank, Epoch.NONE);
  }

  static ToCoordinator.Hello hello(String incarnation, @Nullable Integer rank, Epoch highest) {
    return new ToCoordinator.Hello(
        inc(incarnation), rank == null ? null : new Rank(rank), NODE, true, false, "", highest);
  }

  static ToCoordinator.Load load(int rank, String name, Epoch epoch, long sequence) {
    return new ToCoordinator.Load(
        new LoadReport(
            new Rank(rank),
            inc(name),
            epoch,
            sequence,
            1,
            2,
            3,
            4,
            5,
            64,
            6,
            0,
            false,
            7,
            List.of(),
            null));
  }

  void ready(int rank, String name) {
    tell(hello(name, rank));
    tell(
        new ToCoordinator.Ready(
            new Rank(rank), inc(name), only(ToEngine.Init.class).epoch(), FACTS, null));
  }

  <M extends ToEngine> M only(Class<M> type) {
    List<M> sent =
        effects.stream()
            .filter(Effect.Send.class::isInstance)
            .map(e -> ((Effect.Send) e).message())
            .filter(type::isInstance)
            .map(type::cast)
            .toList();
    assertEquals(1, sent.size(), () -> type.getSimpleName() + " in " + effects);
    return sent.get(0);
  }

  Address<ToEngine> to() {
    return effects.stream()
        .filter(Effect.Send.class::isInstance)
        .map(e -> ((Effect.Send) e).to())
        .findFirst()
        .orElseThrow();
  }

  boolean changed() {
    return effects.contains(new Effect.Changed());
  }

  ClusterView.Engine shown(int rank) {
    return membership.view(1).engine(new Rank(rank)).orElseThrow();
  }

  boolean gone(int rank) {
    return membership
        .view(1)
        .engine(new Rank(rank))
        .filter(e -> e.state() != EngineState.DEAD)
        .isEmpty();
  }
}
