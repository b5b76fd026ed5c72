package dev.flotilla.engine;

import dev.flotilla.protocol.Address;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.EngineFacts;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What one engine says to the coordinator. That there is none, or none yet, is no failure: the
 * engine repeats what must arrive.
 */
record CoordinatorPort(Bus bus, Identity identity) {
  private static final Logger LOG = LoggerFactory.getLogger(CoordinatorPort.class);

  void hello(@Nullable Rank rank, Epoch highest, Term seen) {
    tell(
        Addresses.HANDSHAKE,
        new ToCoordinator.Hello(
            identity.incarnation(),
            rank,
            bus.node(),
            identity.local(),
            identity.headless(),
            identity.configHash(),
            highest,
            seen,
            identity.endpoint()));
  }

  void ready(Rank rank, Epoch epoch, EngineFacts facts, @Nullable NodeId coordinator) {
    tell(
        Addresses.HANDSHAKE,
        new ToCoordinator.Ready(rank, identity.incarnation(), epoch, facts, coordinator));
  }

  void load(LoadReport load) {
    tell(Addresses.COORDINATOR, new ToCoordinator.Load(load));
  }

  void leaving(Rank rank, String reason) {
    tell(Addresses.COORDINATOR, new ToCoordinator.Leaving(rank, identity.incarnation(), reason));
  }

  void tell(ToCoordinator.FromMember message) {
    tell(Addresses.COORDINATOR, message);
  }

  void paused(EngineLife life, EnginePause.Level level) {
    Rank rank = Objects.requireNonNull(life.rank(), "only who has a rank is paused");
    tell(
        Addresses.COORDINATOR,
        new ToCoordinator.Paused(
            rank, identity.incarnation(), level.number(), level.mode(), level.resting()));
  }

  private void tell(Address<ToCoordinator> at, ToCoordinator message) {
    bus.send(at, message)
        .onFailure(failure -> LOG.debug("no coordinator hears: {}", failure.getMessage()));
  }
}
