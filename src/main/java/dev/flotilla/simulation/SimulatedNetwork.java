package dev.flotilla.simulation;

import dev.flotilla.protocol.Address;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * A bus that loses, delays, doubles and reorders messages as its profile says, until it is told to
 * be calm. Who stands still receives later; who is gone receives nothing. One thread.
 */
final class SimulatedNetwork {
  private static final long MS = 1_000_000;

  private final VirtualTime time;
  private final Profile profile;
  private final RandomGenerator random;
  private final Map<String, List<Actor>> consumers = new HashMap<>();
  private final Map<String, Long> lastDelivery = new HashMap<>(); // by sender and address
  private boolean calm;

  /** Someone who sends and receives. */
  abstract static class Actor {
    private final String name;
    private boolean up = true;
    private long frozenUntil;

    Actor(String name) {
      this.name = name;
    }

    abstract void receive(Object message);

    final String name() {
      return name;
    }

    final boolean up() {
      return up;
    }

    final void end() {
      up = false;
    }

    final void freeze(long until) {
      frozenUntil = Math.max(frozenUntil, until);
    }

    final long frozenUntil() {
      return frozenUntil;
    }
  }

  SimulatedNetwork(VirtualTime time, Profile profile, RandomGenerator random) {
    this.time = time;
    this.profile = profile;
    this.random = random;
  }

  void calm() {
    calm = true;
  }

  void consume(Address<?> address, Actor actor) {
    consumers.computeIfAbsent(address.name(), ignored -> new ArrayList<>()).add(actor);
  }

  /** To all who consume at the address when the message arrives there. */
  <M> void send(Actor from, Address<M> to, M message) {
    if (!calm && random.nextDouble() < profile.lossShare()) {
      return;
    }
    deliver(from, to.name(), message);
    if (!calm && random.nextDouble() < profile.duplicateShare()) {
      deliver(from, to.name(), message);
    }
  }

  /** Something that the actor does by itself at a time, or as soon as it moves again. */
  void plan(Actor actor, long at, Object what, Runnable action) {
    time.plan(
        at,
        actor.name(),
        what,
        () -> {
          if (!actor.up()) {
            return;
          }
          if (actor.frozenUntil() > time.now()) {
            plan(actor, actor.frozenUntil(), what, action);
          } else {
            action.run();
          }
        });
  }

  private void deliver(Actor from, String to, Object message) {
    long at = time.now() + MS / 10 + random.nextLong(profile.delayMaxMs() * MS);
    if (profile.ordered()) {
      String way = from.name() + ">" + to;
      at = Math.max(at, lastDelivery.getOrDefault(way, 0L) + 1);
      lastDelivery.put(way, at);
    }
    time.plan(at, "network", message, () -> arrive(to, message));
  }

  private void arrive(String to, Object message) {
    for (Actor actor : List.copyOf(consumers.getOrDefault(to, List.of()))) {
      if (!actor.up()) {
        continue;
      }
      if (actor.frozenUntil() > time.now()) {
        plan(actor, actor.frozenUntil(), message, () -> actor.receive(message));
      } else {
        actor.receive(message);
      }
    }
  }
}
