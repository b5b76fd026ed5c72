package dev.flotilla.engine;

import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.DataParallel;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import io.vertx.core.Future;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Gives every Hello rank 0 under one epoch, welcomes every Ready, and keeps what it is told. */
final class FakeCoordinator {
  private final Bus bus;
  private final List<FrontendId> frontends;
  private final Queue<ToCoordinator> heard = new ConcurrentLinkedQueue<>();
  private volatile Epoch epoch = new Epoch(1, 1);
  private volatile @Nullable FakeWaves waves;

  FakeCoordinator(Bus bus, FrontendId... frontends) {
    this.bus = bus;
    this.frontends = List.of(frontends);
  }

  Future<?> start() {
    return bus.consume(Addresses.HANDSHAKE, this::receive)
        .compose(ignored -> bus.consume(Addresses.COORDINATOR, this::receive));
  }

  private Term term() {
    return new Term(epoch.term(), bus.node());
  }

  /** Ranks step together from now on, when so many are ready. */
  FakeWaves group(int size) {
    FakeWaves group = new FakeWaves(bus, term(), size);
    waves = group;
    return group;
  }

  /** As a new coordinator does. */
  void ask(Epoch next) {
    epoch = next;
    bus.publish(Addresses.ALL_ENGINES, new ToEngine.WhoIsThere(term()));
  }

  private void receive(ToCoordinator message) {
    heard.add(message);
    FakeWaves group = waves;
    if (group != null) {
      group.told(message);
    }
    switch (message) {
      case ToCoordinator.Hello hello ->
          bus.send(
              Addresses.candidate(hello.incarnation()),
              new ToEngine.Init(
                  wanted(hello),
                  hello.incarnation(),
                  epoch,
                  term(),
                  DataParallel.ofSize(1),
                  null,
                  frontends));
      case ToCoordinator.Ready ready ->
          bus.send(
              Addresses.engine(ready.rank(), ready.incarnation()),
              new ToEngine.Welcome(ready.incarnation(), ready.epoch()));
      default -> {}
    }
  }

  private static Rank wanted(ToCoordinator.Hello hello) {
    Rank rank = hello.rank();
    return rank == null ? new Rank(0) : rank;
  }

  <T extends ToCoordinator> Stream<T> heard(Class<T> type) {
    return heard.stream().filter(type::isInstance).map(type::cast);
  }

  boolean isReady(Epoch under) {
    return heard(ToCoordinator.Ready.class).anyMatch(ready -> ready.epoch().equals(under));
  }

  ToCoordinator.Ready ready() {
    return heard(ToCoordinator.Ready.class).findFirst().orElseThrow();
  }

  LoadReport lastLoad() {
    return heard(ToCoordinator.Load.class).reduce((first, second) -> second).orElseThrow().load();
  }
}
