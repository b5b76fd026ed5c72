package dev.flotilla.collective;

import dev.flotilla.model.Collective;
import dev.flotilla.model.CollectiveException;
import dev.flotilla.model.CollectiveException.Kind;
import dev.flotilla.model.ModelException;
import dev.flotilla.protocol.Endpoint;
import dev.flotilla.protocol.Generation;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Rank;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One rank's way into its group, over all generations: where all members share this JVM they meet
 * in its memory, else at their doors. One thread joins and exchanges; any other may tell of a newer
 * generation, which ends the exchange or the joining that is under way at once, so that nobody
 * waits for what cannot come.
 */
public final class Entrance implements AutoCloseable {
  private final Incarnation self;
  private final Door door;
  private final long joinMs;
  private final long deadlineMs;
  private final Object lock = new Object();
  private long newest;
  private @Nullable Collective current;
  private @Nullable Runnable joining; // ends the wait for the other members
  private boolean closed;

  private Entrance(Incarnation self, Door door, long joinMs, long deadlineMs) {
    this.self = self;
    this.door = door;
    this.joinMs = joinMs;
    this.deadlineMs = deadlineMs;
  }

  /**
   * Binds a free port.
   *
   * @param host as the other ranks reach this one
   * @param joinMs how long the others are waited for when a generation begins, in which they may
   *     have weights to load
   * @param deadlineMs how long they are waited for in every exchange
   * @throws ModelException with a sentence if no port can be bound
   */
  public static Entrance open(Incarnation self, String host, long joinMs, long deadlineMs) {
    Door door = Door.open(host, 0);
    LocalGroups.add(self);
    return new Entrance(self, door, joinMs, deadlineMs);
  }

  /** Where ranks of other JVMs connect; told in the handshake. */
  public Endpoint endpoint() {
    return door.endpoint();
  }

  /** The place of this rank in the list; -1 if it is no member. */
  public int indexIn(Generation generation) {
    for (int i = 0; i < generation.size(); i++) {
      if (generation.members().get(i).incarnation().equals(self)) {
        return i;
      }
    }
    return -1;
  }

  /**
   * A generation has been called: whatever belongs to an older one ends. Called by any thread.
   *
   * @return whether it is newer than all before
   */
  public boolean called(Generation generation) {
    synchronized (lock) {
      if (closed || generation.number() <= newest) {
        return false;
      }
      newest = generation.number();
      leave();
      return true;
    }
  }

  /** The highest number that was called; 0: none. After {@link #close} no number is as high. */
  public long newest() {
    synchronized (lock) {
      return closed ? Long.MAX_VALUE : newest;
    }
  }

  /**
   * Takes this rank's place and waits for all others to take theirs.
   *
   * @throws CollectiveException if some did not come, with their ranks; of kind {@link Kind#CLOSED}
   *     if a newer generation was called or this was closed meanwhile
   */
  public Collective join(Generation generation) {
    int own = indexIn(generation);
    if (own < 0) {
      throw new CollectiveException(
          Kind.WRONG_GENERATION,
          List.of(),
          "incarnation %s is no member of generation %d".formatted(self, generation.number()));
    }
    Rank rank = generation.rank(own);
    SharedGroup group = LocalGroups.of(generation, deadlineMs);
    Collective joined = group == null ? connect(generation, rank) : meet(group, generation, rank);
    synchronized (lock) {
      if (wanted(generation)) {
        current = joined;
        return joined;
      }
    }
    joined.close();
    throw gaveUp(generation);
  }

  private Collective connect(Generation generation, Rank rank) {
    return SocketCollective.connect(
        door, generation, rank, joinMs, deadlineMs, () -> wanted(generation));
  }

  private Collective meet(SharedGroup group, Generation generation, Rank rank) {
    synchronized (lock) {
      if (!wanted(generation)) {
        throw gaveUp(generation);
      }
      joining = () -> group.fail("rank %s goes on without it".formatted(rank), rank);
    }
    try {
      Collective seat = group.join(generation, rank);
      group.awaitAll(rank, joinMs);
      return seat;
    } catch (CollectiveException e) {
      if (wanted(generation)) {
        throw e;
      }
      throw gaveUp(generation);
    } finally {
      synchronized (lock) {
        joining = null;
      }
    }
  }

  private boolean wanted(Generation generation) {
    synchronized (lock) {
      return !closed && generation.number() >= newest;
    }
  }

  private CollectiveException gaveUp(Generation generation) {
    return new CollectiveException(
        Kind.CLOSED,
        List.of(),
        "generation %d was over before it began".formatted(generation.number()));
  }

  /** With the lock. */
  private void leave() {
    Collective before = current;
    current = null;
    if (before != null) {
      before.close();
    }
    Runnable waiting = joining;
    if (waiting != null) {
      waiting.run();
    }
  }

  /** Leaves the group for good; a join or an exchange that is under way fails at once. */
  @Override
  public void close() {
    synchronized (lock) {
      if (closed) {
        return;
      }
      closed = true;
      leave();
    }
    LocalGroups.remove(self);
    door.close();
  }
}
