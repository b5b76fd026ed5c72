package dev.flotilla.engine;

import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import java.util.Objects;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What one rank says to front-ends besides tokens and load. Used by the port's thread. */
record FrontendPort(Bus bus, Identity identity, Supplier<EngineLife> life) {
  private static final Logger LOG = LoggerFactory.getLogger(FrontendPort.class);

  void refuse(Outcome.Refused refused) {
    ToFrontend.Refusal refusal =
        new ToFrontend.Refusal(
            refused.request(),
            refused.attempt(),
            rank(),
            life.get().epoch(),
            refused.status(),
            refused.reason());
    send(refused.request().frontend(), refusal);
  }

  void answer(ToEngine.Utility call, String result, String failure) {
    boolean failed = !failure.isEmpty();
    send(
        call.from(),
        new ToFrontend.UtilityAnswer(
            rank(),
            identity.incarnation(),
            call.callId(),
            failed ? null : result,
            failed ? failure : null));
  }

  void ping(FrontendId frontend) {
    send(frontend, new ToFrontend.Ping(rank(), identity.incarnation(), 0));
  }

  void pong(FrontendId from, long nonce) {
    Rank rank = life.get().rank();
    if (rank != null) {
      send(from, new ToFrontend.Pong(rank, identity.incarnation(), nonce));
    }
  }

  private Rank rank() {
    return Objects.requireNonNull(
        life.get().rank(), "whatever is answered came to a rank's address");
  }

  private void send(FrontendId frontend, ToFrontend message) {
    bus.send(Addresses.frontend(frontend), message)
        .onFailure(failure -> LOG.debug("{} is gone: {}", frontend, failure.getMessage()));
  }
}
