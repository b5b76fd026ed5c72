package dev.flotilla.coordinator;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import dev.flotilla.config.Config;
import dev.flotilla.config.CoordinatorConfig;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Lease;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToNode;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A group that grows on an agent whose engines say Hello as soon as they are ordered. */
class GrowthTest {
  private static final Incarnation ENGINE = new Incarnation("e");

  private final Vertx vertx = Vertx.vertx();
  private final Bus bus = Bus.of(vertx);
  private final CompletableFuture<ToEngine> answered = new CompletableFuture<>();
  private long reports;

  private static <T> T join(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  @AfterEach
  void close() throws Exception {
    join(vertx.close());
  }

  private void report(Term seen, Lease... leases) {
    bus.send(
        Addresses.COORDINATOR,
        new ToCoordinator.NodeReport(
            bus.node(), ++reports, "127.0.0.1", 2, seen, 0, 0, List.of(leases), Map.of()));
  }

  private void ordered(ToNode order) {
    switch (order) {
      case ToNode.Reserve reserve ->
          report(
              reserve.term(),
              new Lease(reserve.rank(), reserve.change(), List.of(1), false, false));
      case ToNode.Place place ->
          bus.send(
              Addresses.HANDSHAKE,
              new ToCoordinator.Hello(
                  ENGINE, place.rank(), bus.node(), true, false, "", Epoch.NONE));
      default -> {}
    }
  }

  /** A coordinator that has just begun to lead changes nothing yet. */
  private void ask() {
    JsonObject two = new JsonObject().put("new_data_parallel_size", 2);
    vertx
        .eventBus()
        .request(Addresses.SCALE, two)
        .onFailure(tooEarly -> vertx.setTimer(50, ignored -> ask()));
  }

  @Test
  void theFirstHelloOfANewRankIsAdmitted() throws Exception {
    join(bus.consume(Addresses.candidate(ENGINE), answered::complete));
    join(bus.consume(Addresses.node(bus.node()), this::ordered));
    join(
        vertx.deployVerticle(
            new CoordinatorVerticle(),
            new DeploymentOptions()
                .setConfig(new JsonObject(Config.format(CoordinatorConfig.ofSize(1))))));
    // The rank of the launch has its device by the node's own start.
    report(Term.NONE, new Lease(new Rank(0), 0, List.of(0), true, true));
    ask();

    ToEngine answer = answered.get(20, TimeUnit.SECONDS);

    assertInstanceOf(ToEngine.Init.class, answer, answer::toString);
  }
}
