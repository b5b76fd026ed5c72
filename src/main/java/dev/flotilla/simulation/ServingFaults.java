package dev.flotilla.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * What goes wrong in one simulated cluster that serves. Each seed switches some of the faults on
 * and leaves the others out, so that each also occurs without those that would hide it.
 *
 * <p>Source: swarm testing (Groce et al., 2012), as in TigerBeetle's simulator.
 *
 * @param network what happens to messages
 * @param kinds of faults that strike, one of them at a time; empty: none does
 * @param strikes how often
 * @param scarceMemory whether KV caches are so small that running requests give way to others
 * @param scarceQueues whether queues are so short that engines refuse
 * @param slowEngines whether engines differ in speed, so that requests move
 * @param impatientClients whether some clients leave early
 */
record ServingFaults(
    Profile network,
    List<Kind> kinds,
    int strikes,
    boolean scarceMemory,
    boolean scarceQueues,
    boolean slowEngines,
    boolean impatientClients) {

  /** Something that strikes one part. */
  enum Kind {
    /** An engine's process dies; another start of it may follow. */
    ENGINE_CRASH,
    /** An engine's process stands still for up to three seconds. */
    ENGINE_PAUSE,
    /** An engine leaves in order. */
    ENGINE_LEAVES,
    /** The leading coordinator dies, and one that stood by leads. */
    LEADER_CRASH,
    /** The leading coordinator stands still; one that stands by may lead meanwhile. */
    LEADER_PAUSE,
    /** A front-end dies with its clients. */
    FRONTEND_CRASH,
    /** A front-end stands still. */
    FRONTEND_PAUSE,
    /** Messages from one part to another get lost for a while. */
    PARTITION,
    /**
     * An engine's device hangs for up to 20 seconds: its port answers, and its step does not end.
     */
    ENGINE_HANGS
  }

  /** A draw of all. */
  static ServingFaults draw(RandomGenerator random) {
    boolean lossy = random.nextInt(3) == 0;
    boolean doubling = random.nextInt(3) == 0;
    boolean reordering = random.nextInt(3) == 0;
    int delayMs = random.nextInt(3) == 0 ? 20 + random.nextInt(180) : 2;
    Profile network =
        new Profile(
            "serving",
            lossy ? 0.01 + 0.2 * random.nextDouble() : 0,
            doubling ? 0.02 + 0.3 * random.nextDouble() : 0,
            delayMs,
            !reordering,
            0,
            0);
    List<Kind> kinds = new ArrayList<>();
    for (Kind kind : Kind.values()) {
      if (random.nextInt(4) == 0) {
        kinds.add(kind);
      }
    }
    return new ServingFaults(
        network,
        kinds,
        kinds.isEmpty() ? 0 : 1 + random.nextInt(4),
        random.nextInt(3) == 0,
        random.nextInt(6) == 0,
        random.nextInt(2) == 0,
        random.nextInt(4) == 0);
  }

  /** Whether every message comes, and soon. */
  boolean prompt() {
    return network.lossShare() == 0 && kinds.isEmpty();
  }

  /** Whether every request must be answered in full. */
  boolean harmless() {
    return network.lossShare() == 0 && network.ordered() && kinds.isEmpty() && !scarceQueues;
  }
}
