package dev.flotilla.simulation;

import dev.flotilla.protocol.Address;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;

/**
 * A bus that loses, delays, doubles and reorders messages as its profile says, until it is told to
 * be calm. Who stands still receives later; who is gone receives nothing, which a sender may be
 * told. One thread.
 */
final class SimulatedNetwork {
  private static final long MS = 1_000_000;

  private final VirtualTime time;
  private final Profile profile;
  private final RandomGenerator random;
  private final Map<String, List<Actor>> consumers = new HashMap<>();
  private final Map<String, Long> lastDelivery = new HashMap<>(); // by sender and address
  private final Seams seams;
  private final Set<String> cut = new HashSet<>(); // ways, as "from>to"
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
    this(time, profile, random, Seams.NONE);
  }

  SimulatedNetwork(VirtualTime time, Profile profile, RandomGenerator random, Seams seams) {
    this.seams = seams;
    this.time = time;
    this.profile = profile;
    this.random = random;
  }

  void calm() {
    calm = true;
    cut.clear();
  }

  void consume(Address<?> address, Actor actor) {
    consumers.computeIfAbsent(address.name(), ignored -> new ArrayList<>()).add(actor);
  }

  /** Nothing from the one comes to the other, until {@link #calm} or for so long. */
  void cut(Actor from, Actor to, long nanos) {
    String way = from.name() + ">" + to.name();
    cut.add(way);
    time.plan(time.now() + nanos, way, "heals", () -> cut.remove(way));
  }

  /** To all who consume at the address when the message arrives there. */
  <M> void send(Actor from, Address<M> to, M message) {
    send(from, to, message, () -> {});
  }

  /**
   * To all who consume at the address when the message arrives there.
   *
   * @param unheard what the sender does when it hears that nobody does; it may not hear it
   */
  <M> void send(Actor from, Address<M> to, M message, Runnable unheard) {
    Object sent = seams.sending(from, message);
    if (sent == null || (!calm && random.nextDouble() < profile.lossShare())) {
      return;
    }
    deliver(from, to.name(), sent, unheard);
    if (!calm && random.nextDouble() < profile.duplicateShare()) {
      deliver(from, to.name(), sent, () -> {});
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

  private void deliver(Actor from, String to, Object message, Runnable unheard) {
    long at = time.now() + MS / 10 + random.nextLong(profile.delayMaxMs() * MS);
    if (profile.ordered()) {
      String way = from.name() + ">" + to;
      at = Math.max(at, lastDelivery.getOrDefault(way, 0L) + 1);
      lastDelivery.put(way, at);
    }
    time.plan(at, "network", message, () -> arrive(from, to, message, unheard));
  }

  private void arrive(Actor from, String to, Object message, Runnable unheard) {
    boolean heard = false;
    for (Actor actor : List.copyOf(consumers.getOrDefault(to, List.of()))) {
      if (!actor.up() || (!cut.isEmpty() && cut.contains(from.name() + ">" + actor.name()))) {
        heard |= actor.up();
      } else {
        heard = true;
        if (actor.frozenUntil() > time.now()) {
          plan(actor, actor.frozenUntil(), message, () -> hear(actor, message));
        } else {
          hear(actor, message);
        }
      }
    }
    if (!heard) {
      plan(from, time.now(), "unheard", unheard);
    }
  }

  private void hear(Actor actor, Object message) {
    Object received = seams.receiving(actor, message);
    if (received != null) {
      actor.receive(received);
    }
  }
}
