package dev.flotilla.simulation;

import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import java.util.HashMap;
import java.util.Map;

/**
 * What one start of one engine has said of each attempt, so that it computes none twice, none that
 * was cancelled, and none that it holds for another engine.
 */
final class EngineWitness {
  private final ServingSimulation world;
  private final String name;
  private final Map<Attempt, Integer> next = new HashMap<>(); // offset; or one of these
  private final Map<Attempt, Long> heldUntil = new HashMap<>();

  private static final int OVER = -1;

  /** An abort may be on its way for so long where nothing is lost. */
  private static final long ABORT_NANOS = 600 * ServingSimulation.MS;

  private record Attempt(RequestId request, int attempt) {}

  EngineWitness(ServingSimulation world, String name) {
    this.world = world;
    this.name = name;
  }

  void aborted(ToEngine.Abort abort) {
    for (int attempt = 0; attempt <= abort.attempt(); attempt++) {
      next.put(new Attempt(abort.request(), attempt), OVER);
    }
  }

  void declined(ToEngine.Decline decline) {
    heldUntil.remove(new Attempt(decline.request(), decline.attempt()));
  }

  void offered(ToFrontend.Offer offer) {
    long until = world.time.now() + ToFrontend.Offer.HELD_MS * ServingSimulation.MS;
    offer.requests().forEach(r -> heldUntil.put(new Attempt(r.request(), r.attempt()), until));
  }

  void computed(ToFrontend.Delta delta) {
    Attempt attempt = new Attempt(delta.request(), delta.attempt());
    int expected = next.getOrDefault(attempt, delta.offset());
    world.require(
        expected == delta.offset(),
        () ->
            expected == OVER
                ? "I3: %s goes on with what is over: %s".formatted(name, delta)
                : "I2: %s computes %s, but %d comes next".formatted(name, delta, expected));
    next.put(attempt, delta.finish() == null ? delta.offset() + delta.ids().size() : OVER);
    world.require(
        delta.ids().isEmpty() || world.time.now() >= heldUntil.getOrDefault(attempt, 0L),
        () -> "%s computes what it has just offered: %s".formatted(name, delta));
    ServingRequest request = world.request(delta.request());
    world.require(
        !request.over || !world.faults.prompt() || world.time.now() - request.overAt < ABORT_NANOS,
        () -> "I6: %s still computes for %s".formatted(name, request));
  }
}
