package dev.flotilla.collective;

import dev.flotilla.model.Collective;
import dev.flotilla.protocol.Generation;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Rank;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Ranks on threads of this JVM, which meet in its memory or over loopback sockets. */
public final class TestGroup implements AutoCloseable {
  /** How they meet. */
  public enum Way {
    /** Shared memory. */
    MEMORY,
    /** Sockets. */
    SOCKETS
  }

  /** What one rank does. */
  public interface Work<T> {
    /** Runs on the rank's own thread. */
    T run(Collective collective) throws Exception;
  }

  private static final long PATIENCE_S = 30;

  private final ExecutorService threads;
  private final List<Door> doors = new ArrayList<>();
  private final Generation generation;
  private final List<Collective> members = new ArrayList<>();

  /** A group whose members have all joined. */
  public TestGroup(Way way, int size, long deadlineMs) {
    this.threads = Executors.newFixedThreadPool(size);
    List<Generation.Member> list = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      Door door = way == Way.SOCKETS ? Door.open("127.0.0.1", 0) : null;
      if (door != null) {
        doors.add(door);
      }
      list.add(member(i, door));
    }
    this.generation = new Generation(7, list);
    if (way == Way.MEMORY) {
      SharedGroup group = new SharedGroup(generation, deadlineMs);
      for (int i = 0; i < size; i++) {
        members.add(group.join(generation, new Rank(i)));
      }
    } else {
      List<Callable<Collective>> joins = new ArrayList<>();
      for (int i = 0; i < size; i++) {
        int rank = i;
        joins.add(
            () ->
                SocketCollective.connect(
                    doors.get(rank), generation, new Rank(rank), 10_000, deadlineMs));
      }
      members.addAll(all(joins));
    }
  }

  static Generation.Member member(int rank, @Nullable Door door) {
    return new Generation.Member(
        new Rank(rank),
        new Incarnation("incarnation-" + rank),
        door == null ? null : door.endpoint());
  }

  /** The members by rank. */
  public List<Collective> members() {
    return members;
  }

  Generation generation() {
    return generation;
  }

  List<Door> doors() {
    return doors;
  }

  /** Has every rank work on its thread, and waits for all. */
  public <T> List<T> run(Work<T> work) {
    return all(members.stream().map(m -> (Callable<T>) () -> work.run(m)).toList());
  }

  /** Has one rank work on its thread. */
  <T> Future<T> start(int rank, Work<T> work) {
    return threads.submit(() -> work.run(members.get(rank)));
  }

  <T> List<T> all(List<Callable<T>> calls) {
    List<Future<T>> futures = calls.stream().map(threads::submit).toList();
    return futures.stream().map(TestGroup::result).toList();
  }

  /** The result, or the exception as it was thrown. */
  static <T> T result(Future<T> future) {
    try {
      return future.get(PATIENCE_S, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      switch (Objects.requireNonNull(e.getCause())) {
        case RuntimeException cause -> throw cause;
        case Error cause -> throw cause;
        case Throwable cause -> throw new IllegalStateException(cause);
      }
    } catch (InterruptedException | TimeoutException e) {
      throw new IllegalStateException("a rank hangs", e);
    }
  }

  @Override
  public void close() {
    members.forEach(Collective::close);
    doors.forEach(Door::close);
    threads.shutdownNow();
  }
}
