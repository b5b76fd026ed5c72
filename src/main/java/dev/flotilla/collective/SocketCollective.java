package dev.flotilla.collective;

import dev.flotilla.model.Collective;
import dev.flotilla.model.CollectiveException;
import dev.flotilla.model.CollectiveException.Kind;
import dev.flotilla.model.Parcel;
import dev.flotilla.protocol.Generation;
import dev.flotilla.protocol.Rank;
import java.io.IOException;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Ranks in several JVMs: one connection per pair of ranks, off the event bus. An exchange runs on
 * the calling thread over sockets that never block, so two ranks that send each other much cannot
 * lock each other up, and the deadline holds for every byte.
 */
public final class SocketCollective implements Collective {
  private final Generation generation;
  private final long fingerprint;
  private final int own;
  private final long deadlineNanos;
  private final Selector selector;
  private final @Nullable Link[] links;
  private final ReentrantLock busy = new ReentrantLock();
  private final AtomicLong exchangeNanos = new AtomicLong();
  private final AtomicLong exchanges = new AtomicLong();
  private volatile boolean closed;
  private @Nullable CollectiveException failure;

  private SocketCollective(
      Generation generation,
      int own,
      long deadlineNanos,
      Selector selector,
      @Nullable Link[] links) {
    this.generation = generation;
    this.fingerprint = generation.fingerprint();
    this.own = own;
    this.deadlineNanos = deadlineNanos;
    this.selector = selector;
    this.links = links;
  }

  /**
   * Connects to all members, which do the same at their places; returns when all are there.
   *
   * @param door this member's
   * @param joinMs how long the others are waited for here
   * @param deadlineMs how long they are waited for in every exchange
   * @throws CollectiveException if some did not come; it names them
   */
  public static SocketCollective connect(
      Door door, Generation generation, Rank rank, long joinMs, long deadlineMs) {
    return connect(door, generation, rank, joinMs, deadlineMs, () -> true);
  }

  /**
   * The same.
   *
   * @param wanted asked every few milliseconds; false ends the attempt
   */
  static SocketCollective connect(
      Door door,
      Generation generation,
      Rank rank,
      long joinMs,
      long deadlineMs,
      BooleanSupplier wanted) {
    int own = generation.indexOf(rank);
    if (own < 0) {
      throw new CollectiveException(
          Kind.WRONG_GENERATION, List.of(rank), "rank %s is not in %s".formatted(rank, generation));
    }
    long deadlineNanos = TimeUnit.MILLISECONDS.toNanos(deadlineMs);
    long joinNanos = TimeUnit.MILLISECONDS.toNanos(joinMs);
    Selector selector = null;
    try {
      selector = Selector.open();
      @Nullable Link[] links =
          new Meeting(door, generation, own, selector, wanted).links(joinNanos);
      selector.selectNow(); // Forgets the keys that the meeting has cancelled.
      return new SocketCollective(generation, own, deadlineNanos, selector, links);
    } catch (IOException e) {
      close(selector);
      throw new CollectiveException(
          Kind.CLOSED,
          List.of(),
          "rank %s cannot use its sockets: %s".formatted(rank, e.getMessage()));
    } catch (RuntimeException e) {
      close(selector);
      throw e;
    }
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
    busy.lock();
    try {
      if (failure != null) {
        throw failure;
      }
      int number = (int) exchanges.get();
      for (int i = 0; i < links.length; i++) {
        if (i != own) {
          link(i).begin(Frame.parcel(own, fingerprint, number, tag, outgoing[i]), outgoing[i]);
        }
      }
      await(number, start);
      Parcel[] incoming = new Parcel[links.length];
      for (int i = 0; i < links.length; i++) {
        incoming[i] = i == own ? outgoing[i] : verified(i, number, tag);
      }
      return incoming;
    } finally {
      busy.unlock();
      exchangeNanos.addAndGet(System.nanoTime() - start);
      exchanges.incrementAndGet();
    }
  }

  private void await(int number, long start) {
    while (!advance(number)) {
      if (closed || Thread.currentThread().isInterrupted()) {
        throw fail(Kind.CLOSED, List.of(), "it was closed in exchange %d".formatted(number));
      }
      long left = start + deadlineNanos - System.nanoTime();
      if (left <= 0) {
        List<Rank> missing = missing();
        throw fail(
            Kind.STALLED,
            missing,
            "ranks %s did not come to exchange %d within %d ms"
                .formatted(missing, number, deadlineNanos / 1_000_000));
      }
      try {
        selector.select(Math.max(1, left / 1_000_000));
        selector.selectedKeys().clear();
      } catch (IOException e) {
        throw fail(Kind.CLOSED, List.of(), "its sockets failed: " + e.getMessage());
      }
    }
  }

  /** Moves what can be moved; whether all is through. */
  private boolean advance(int number) {
    boolean through = true;
    for (int i = 0; i < links.length; i++) {
      if (i != own) {
        try {
          through &= link(i).advance();
          if (link(i).received()) {
            heed(i);
          }
          link(i).interest();
        } catch (IOException e) {
          throw fail(
              Kind.GONE,
              List.of(generation.rank(i)),
              "rank %s was lost in exchange %d: %s"
                  .formatted(generation.rank(i), number, e.getMessage()));
        } catch (IllegalArgumentException e) {
          throw fail(
              Kind.OUT_OF_STEP,
              List.of(generation.rank(i)),
              "rank %s: %s".formatted(generation.rank(i), e.getMessage()));
        }
      }
    }
    return through;
  }

  /** A member that gives up says why, so that all name the same ranks. */
  private void heed(int member) {
    Frame frame = link(member).frame();
    if (frame.kind() != Frame.Kind.FAILED) {
      return;
    }
    List<Rank> missing = new ArrayList<>();
    for (int i = 0; i < frame.numbers(); i++) {
      int index = link(member).parcel().numbers()[i];
      if (index >= 0 && index < generation.size()) {
        missing.add(generation.rank(index));
      }
    }
    Kind kind = Kind.of(frame.tag());
    throw fail(
        kind == Kind.CLOSED ? Kind.GONE : kind,
        missing.isEmpty() ? List.of(generation.rank(member)) : missing,
        "rank %s gave up (%s); missing: %s".formatted(generation.rank(member), kind, missing));
  }

  private Parcel verified(int member, int number, int tag) {
    Frame frame = link(member).frame();
    Rank rank = generation.rank(member);
    if (frame.fingerprint() != fingerprint || frame.sender() != member) {
      throw fail(
          Kind.WRONG_GENERATION,
          List.of(rank),
          "rank %s sent as member %d of list %016x where %d of %016x was due"
              .formatted(rank, frame.sender(), frame.fingerprint(), member, fingerprint));
    }
    if (frame.exchange() != number || frame.tag() != tag || frame.kind() != Frame.Kind.PARCEL) {
      throw fail(
          Kind.OUT_OF_STEP,
          List.of(rank),
          "rank %s came to exchange %d for %d, this rank to exchange %d for %d"
              .formatted(rank, frame.exchange(), frame.tag(), number, tag));
    }
    return link(member).parcel();
  }

  private List<Rank> missing() {
    List<Rank> missing = new ArrayList<>();
    for (int i = 0; i < links.length; i++) {
      if (i != own && !link(i).received()) {
        missing.add(generation.rank(i));
      }
    }
    return missing.isEmpty() ? unsent() : missing;
  }

  /** Those that have sent their parcels but do not take ours. */
  private List<Rank> unsent() {
    List<Rank> unsent = new ArrayList<>();
    for (int i = 0; i < links.length; i++) {
      if (i != own && (link(i).key().interestOps() != 0)) {
        unsent.add(generation.rank(i));
      }
    }
    return unsent;
  }

  private CollectiveException fail(Kind kind, List<Rank> missing, String reason) {
    CollectiveException known =
        new CollectiveException(
            kind,
            missing,
            "rank %s, generation %d: %s".formatted(rank(), generation.number(), reason));
    failure = known;
    Parcel why = Parcel.of(missing.stream().mapToInt(generation::indexOf).toArray());
    Frame last =
        new Frame(Frame.Kind.FAILED, own, fingerprint, 0, kind.code(), why.numberCount(), 0);
    for (Link link : links) {
      if (link != null) {
        link.farewell(last, why);
      }
    }
    return known;
  }

  private Link link(int member) {
    return Objects.requireNonNull(links[member]);
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
    closed = true;
    selector.wakeup();
    busy.lock();
    try {
      if (failure == null) {
        fail(Kind.CLOSED, List.of(), "it has left");
      }
      for (Link link : links) {
        if (link != null) {
          link.close();
        }
      }
      close(selector);
    } finally {
      busy.unlock();
    }
  }

  private static void close(@Nullable Selector selector) {
    if (selector != null) {
      try {
        selector.close();
      } catch (IOException e) {
        throw new IllegalStateException("a selector did not close", e);
      }
    }
  }
}
