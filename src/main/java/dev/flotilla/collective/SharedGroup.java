package dev.flotilla.collective;

import dev.flotilla.model.Collective;
import dev.flotilla.model.CollectiveException;
import dev.flotilla.model.CollectiveException.Kind;
import dev.flotilla.model.Parcel;
import dev.flotilla.protocol.Generation;
import dev.flotilla.protocol.Rank;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One generation of ranks that share a JVM: a barrier at which each leaves its parcels and picks up
 * those for it, without copying. Whoever waits is parked. Safe for use by all its members.
 *
 * <p>A member that arrives at exchange {@code n + 1} has read all of exchange {@code n}; so two
 * sets of places, taken by turns, suffice.
 */
public final class SharedGroup {
  private final Generation generation;
  private final long deadlineNanos;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Parcel[][][] posted; // [turn][member]: what it gave, by receiver
  private final @Nullable Seat[] seats;
  private final boolean[] arrived;
  private final int[] tags;
  private int seated;
  private int waiting;
  private long completed;
  private @Nullable Failure failure;

  private record Failure(Kind kind, List<Rank> missing, String reason) {}

  /** Without members yet; those of the generation join one by one. */
  public SharedGroup(Generation generation, long deadlineMs) {
    this.generation = generation;
    this.deadlineNanos = TimeUnit.MILLISECONDS.toNanos(deadlineMs);
    int size = generation.size();
    this.posted = new Parcel[2][size][];
    this.seats = new Seat[size];
    this.arrived = new boolean[size];
    this.tags = new int[size];
  }

  /** Its member list. */
  public Generation generation() {
    return generation;
  }

  /**
   * Takes the place of a member.
   *
   * @param of the list that the member means
   * @throws CollectiveException if that is another list, or the place is taken
   */
  public Collective join(Generation of, Rank rank) {
    int own = generation.indexOf(rank);
    if (own < 0 || of.fingerprint() != generation.fingerprint()) {
      throw new CollectiveException(
          Kind.WRONG_GENERATION,
          List.of(rank),
          "rank %s means %s, but the group is %s".formatted(rank, of, generation));
    }
    lock.lock();
    try {
      if (seats[own] != null) {
        throw new CollectiveException(
            Kind.WRONG_GENERATION,
            List.of(rank),
            "rank %s is in generation %d already".formatted(rank, generation.number()));
      }
      Seat seat = new Seat(own);
      seats[own] = seat;
      seated++;
      changed.signalAll();
      return seat;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until every member has joined.
   *
   * @throws CollectiveException if some did not come, or the generation was ended meanwhile
   */
  void awaitAll(Rank rank, long joinMs) {
    lock.lock();
    try {
      long left = TimeUnit.MILLISECONDS.toNanos(joinMs);
      while (seated < seats.length && failure == null) {
        if (left <= 0) {
          List<Rank> absent = absent();
          fail(
              Kind.STALLED, absent, "ranks %s did not join within %d ms".formatted(absent, joinMs));
        } else {
          try {
            left = changed.awaitNanos(left);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            fail(Kind.GONE, List.of(rank), "rank %s was interrupted".formatted(rank));
          }
        }
      }
      checkIntact(rank);
    } finally {
      lock.unlock();
    }
  }

  private List<Rank> absent() {
    List<Rank> absent = new ArrayList<>();
    for (int i = 0; i < seats.length; i++) {
      if (seats[i] == null) {
        absent.add(generation.rank(i));
      }
    }
    return absent;
  }

  private void checkIntact(Rank rank) {
    Failure known = failure;
    if (known != null) {
      throw new CollectiveException(
          known.kind(),
          known.missing(),
          "rank %s, generation %d: %s".formatted(rank, generation.number(), known.reason()));
    }
  }

  /** Whether it can still exchange anything. */
  boolean intact() {
    lock.lock();
    try {
      return failure == null;
    } finally {
      lock.unlock();
    }
  }

  /** Ends the generation from outside, since a member will not come. */
  void fail(String reason, Rank missing) {
    lock.lock();
    try {
      fail(Kind.GONE, List.of(missing), reason);
    } finally {
      lock.unlock();
    }
  }

  /** The first failure is the cause; what follows from it says nothing new. */
  private void fail(Kind kind, List<Rank> missing, String reason) {
    if (failure == null) {
      failure = new Failure(kind, missing, reason);
      changed.signalAll();
    }
  }

  private final class Seat implements Collective {
    private final int own;
    private volatile boolean closed;
    private final AtomicLong exchangeNanos = new AtomicLong();
    private final AtomicLong exchanges = new AtomicLong();

    Seat(int own) {
      this.own = own;
    }

    @Override
    public Generation generation() {
      return generation;
    }

    @Override
    public int own() {
      return own;
    }

    @Override
    public Parcel[] exchange(int tag, Parcel[] outgoing) {
      long start = System.nanoTime();
      lock.lock();
      try {
        check();
        int turn = (int) (completed & 1);
        long mine = completed;
        posted[turn][own] = outgoing;
        tags[own] = tag;
        arrived[own] = true;
        if (++waiting == generation.size()) {
          complete(tag);
        } else {
          await(mine);
        }
        if (completed == mine) {
          check(); // What failed after this exchange came about does not undo it.
        }
        Parcel[] incoming = new Parcel[generation.size()];
        for (int i = 0; i < incoming.length; i++) {
          incoming[i] = posted[turn][i][own];
        }
        return incoming;
      } finally {
        lock.unlock();
        exchangeNanos.addAndGet(System.nanoTime() - start);
        exchanges.incrementAndGet();
      }
    }

    private void complete(int tag) {
      for (int i = 0; i < tags.length; i++) {
        if (tags[i] != tag) {
          fail(
              Kind.OUT_OF_STEP,
              List.of(generation.rank(i)),
              "rank %s came to exchange %d for %d, rank %s for %d"
                  .formatted(generation.rank(i), completed, tags[i], rank(), tag));
          return;
        }
        arrived[i] = false;
      }
      waiting = 0;
      completed++;
      changed.signalAll();
    }

    private void await(long mine) {
      long left = deadlineNanos;
      while (completed == mine && failure == null && !closed) {
        if (left <= 0) {
          List<Rank> missing = missing();
          fail(
              Kind.STALLED,
              missing,
              "ranks %s did not come to exchange %d within %d ms"
                  .formatted(missing, mine, deadlineNanos / 1_000_000));
          return;
        }
        try {
          left = changed.awaitNanos(left);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          leave("rank %s was interrupted in exchange %d".formatted(rank(), mine));
        }
      }
    }

    private List<Rank> missing() {
      List<Rank> missing = new ArrayList<>();
      for (int i = 0; i < arrived.length; i++) {
        if (!arrived[i]) {
          missing.add(generation.rank(i));
        }
      }
      return missing;
    }

    private void check() {
      if (closed) {
        throw new CollectiveException(
            Kind.CLOSED, List.of(), "rank %s has left its group".formatted(rank()));
      }
      checkIntact(rank());
    }

    private void leave(String reason) {
      closed = true;
      fail(Kind.GONE, List.of(rank()), reason);
      changed.signalAll();
    }

    @Override
    public long exchangeNanos() {
      return exchangeNanos.get();
    }

    @Override
    public long exchanges() {
      return exchanges.get();
    }

    @Override
    public void close() {
      lock.lock();
      try {
        if (!closed) {
          leave("rank %s has left".formatted(rank()));
        }
      } finally {
        lock.unlock();
      }
    }
  }
}
