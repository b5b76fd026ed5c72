package dev.flotilla.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Sends a plan of requests and reads the answers, all on the calling thread and over non-blocking
 * sockets: at 150,000 events a second a thread per stream would spend more on wake-ups than the
 * server spends on answering. A loop that falls behind finds more bytes per read, so it slows down
 * gracefully.
 *
 * <p>An open loop starts each request when it is due, whatever the server does, and remembers that
 * moment as the intended start; a limit on concurrency may delay the sending but not the intention.
 * A closed loop has no due times and sends when a slot is free.
 *
 * <p>Several servers get requests at random, and so do the idle connections to one: behind one port
 * may be several front-ends, each with its own connections.
 */
final class LoadLoop {
  /** Bounds the descriptors of an open loop against a server that has stopped answering. */
  static final int CONNECTIONS_MAX = 4096;

  private static final long CONNECT_NANOS = TimeUnit.SECONDS.toNanos(10);
  private static final long SWEEP_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
  private static final int BUFFER_BYTES = 256 << 10;

  private final List<Target> targets;
  private final RandomGenerator random;
  private final Generation generation;
  private final long requestNanos;
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
  private final byte[] bytes = new byte[BUFFER_BYTES];
  private final List<List<Connection>> idle = new ArrayList<>();
  private final Set<Connection> busy = new LinkedHashSet<>();
  private final Deque<Exchange> again = new ArrayDeque<>();
  private final List<Exchange> finished = new ArrayList<>();
  private @Nullable Selector selector;
  private long nextSweep = System.nanoTime();

  LoadLoop(List<Target> targets, Generation generation, int requestTimeoutSeconds, long seed) {
    this.targets = List.copyOf(targets);
    this.random = new SplittableRandom(seed);
    targets.forEach(_ -> idle.add(new ArrayList<>()));
    this.generation = generation;
    this.requestNanos = TimeUnit.SECONDS.toNanos(requestTimeoutSeconds);
  }

  /**
   * Runs the plan to its end.
   *
   * @param plan in order of {@link Planned#dueNanos()}
   * @param openLoop whether due times count as intended starts
   * @param concurrency most requests in flight
   * @param onFinish told of each exchange as it ends
   */
  LoadRun run(List<Planned> plan, boolean openLoop, int concurrency, Consumer<Exchange> onFinish) {
    try (Selector opened = Selector.open()) {
      selector = opened;
      long start = System.nanoTime();
      int next = 0;
      int mostBusy = 0;
      while (finished.size() < plan.size()) {
        long now = System.nanoTime();
        int before = finished.size();
        while (next < plan.size()
            && busy.size() < concurrency
            && (!openLoop || start + plan.get(next).dueNanos() <= now)) {
          Planned planned = plan.get(next);
          long intended = openLoop ? start + planned.dueNanos() : System.nanoTime();
          begin(new Exchange(next, planned, intended));
          next++;
        }
        mostBusy = Math.max(mostBusy, busy.size());
        boolean waitsForDue = openLoop && next < plan.size() && busy.size() < concurrency;
        await(opened, waitsForDue ? start + plan.get(next).dueNanos() : Long.MAX_VALUE);
        resend();
        sweep(System.nanoTime());
        finished.subList(before, finished.size()).forEach(onFinish);
      }
      return new LoadRun(List.copyOf(finished), start, System.nanoTime(), mostBusy);
    } catch (IOException e) {
      throw new BenchException("the client's selector failed: " + e.getMessage());
    } finally {
      idle.forEach(connections -> connections.forEach(Connection::close));
      busy.forEach(Connection::close);
    }
  }

  private void await(Selector on, long due) throws IOException {
    long now = System.nanoTime();
    long wait = Math.min(due == Long.MAX_VALUE ? SWEEP_NANOS : due - now, SWEEP_NANOS);
    if (wait >= 1_000_000) {
      on.select(this::advance, wait / 1_000_000);
    } else if (on.selectNow(this::advance) == 0 && wait > 0) {
      // The selector counts in milliseconds; a start that is nearer is awaited in short naps.
      LockSupport.parkNanos(Math.min(wait, 100_000));
    }
  }

  private void begin(Exchange exchange) {
    exchange.sent = System.nanoTime();
    int at = targets.size() == 1 ? 0 : random.nextInt(targets.size());
    Target target = targets.get(at);
    Connection connection = idle(at);
    try {
      if (connection == null) {
        connection = Connection.open(at, target.address(), selector());
      }
      connection.deadline = exchange.sent + (connection.connected() ? requestNanos : CONNECT_NANOS);
      busy.add(connection);
      byte[] body =
          generation.body(exchange.planned.prompt().get(), exchange.planned.outputTokens());
      connection.send(exchange, target.request(body), generation.backend() == Backend.OPENAI_CHAT);
    } catch (IOException e) {
      if (connection == null) {
        end(exchange, sentence(target, e));
      } else {
        lost(connection, e);
      }
    }
  }

  /** One of the idle connections to a server, taken out; null if there is none. */
  private @Nullable Connection idle(int at) {
    List<Connection> connections = idle.get(at);
    if (connections.isEmpty()) {
      return null;
    }
    Collections.swap(connections, random.nextInt(connections.size()), connections.size() - 1);
    return connections.removeLast();
  }

  private void advance(SelectionKey key) {
    Connection connection = (Connection) key.attachment();
    boolean connecting = !connection.connected();
    try {
      boolean whole = connection.advance(buffer, bytes, System.nanoTime());
      if (connecting && connection.connected()) {
        connection.deadline = System.nanoTime() + requestNanos;
      }
      Exchange exchange = connection.exchange();
      if (whole || (exchange != null && exchange.failure != null)) {
        boolean reusable = whole && connection.reusable();
        Exchange ended = connection.finish();
        busy.remove(connection);
        if (reusable) {
          idle.get(connection.target()).add(connection);
        } else {
          connection.close();
        }
        if (ended != null) {
          finished.add(ended);
        }
      }
    } catch (IOException e) {
      lost(connection, e);
    }
  }

  private void lost(Connection connection, IOException e) {
    boolean retry = connection.mayRetry();
    connection.close();
    busy.remove(connection);
    idle.get(connection.target()).remove(connection);
    Exchange exchange = connection.release();
    if (exchange != null && retry) {
      exchange.retried = true;
      again.add(exchange);
    } else if (exchange != null) {
      end(exchange, sentence(targets.get(connection.target()), e));
    }
  }

  /** Apart from the selection, which must not see its own keys change under it. */
  private void resend() {
    while (!again.isEmpty()) {
      for (List<Connection> connections : idle) {
        connections.forEach(Connection::close);
        connections.clear();
      }
      begin(again.remove());
    }
  }

  private void sweep(long now) {
    if (now - nextSweep < 0) {
      return;
    }
    nextSweep = now + SWEEP_NANOS;
    List<Connection> late = new ArrayList<>(0);
    for (Connection connection : busy) {
      if (now - connection.deadline >= 0) {
        late.add(connection);
      }
    }
    for (Connection connection : late) {
      String what =
          connection.connected()
              ? "no whole answer within " + TimeUnit.NANOSECONDS.toSeconds(requestNanos) + " s"
              : "no connection within " + TimeUnit.NANOSECONDS.toSeconds(CONNECT_NANOS) + " s";
      connection.close();
      busy.remove(connection);
      Exchange exchange = connection.release();
      if (exchange != null) {
        end(exchange, what);
      }
    }
  }

  private void end(Exchange exchange, String failure) {
    exchange.fail(failure);
    finished.add(exchange);
  }

  private Selector selector() {
    if (selector == null) {
      throw new IllegalStateException("used outside of run");
    }
    return selector;
  }

  private static String sentence(Target target, IOException e) {
    return "connection to %s:%d: %s".formatted(target.host(), target.port(), e.getMessage());
  }
}
