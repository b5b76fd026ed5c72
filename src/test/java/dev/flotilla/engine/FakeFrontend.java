package dev.flotilla.engine;

import dev.flotilla.protocol.Address;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.protocol.TokenIds;
import io.vertx.core.Future;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Answers warm-ups, submits requests, and keeps what comes back with the time of its arrival. */
final class FakeFrontend {
  final FrontendId id;
  private final Bus bus;
  private final Queue<Arrival> arrivals = new ConcurrentLinkedQueue<>();
  private final AtomicInteger pings = new AtomicInteger();
  private final AtomicLong tokens = new AtomicLong();
  private long sequence;

  /** A message and when it came. */
  record Arrival(long nanos, ToFrontend message) {}

  FakeFrontend(Bus bus, String name) {
    this.bus = bus;
    this.id = new FrontendId(name);
  }

  Future<?> start() {
    return bus.consume(Addresses.frontend(id), this::receive);
  }

  private void receive(ToFrontend message) {
    arrivals.add(new Arrival(System.nanoTime(), message));
    if (message instanceof ToFrontend.Tokens(var _, var _, var deltas)) {
      deltas.forEach(delta -> tokens.addAndGet(delta.ids().size()));
    }
    if (message instanceof ToFrontend.Ping(var rank, var incarnation, long nonce)) {
      pings.incrementAndGet();
      bus.send(Addresses.engine(rank, incarnation), new ToEngine.Pong(id, nonce));
    }
  }

  long tokenCount() {
    return tokens.get();
  }

  int pings() {
    return pings.get();
  }

  RequestId request(long counter) {
    return new RequestId(id, counter);
  }

  /** Submits under the next sequence number, which it returns. */
  long submit(
      Address<ToEngine> engine, Epoch epoch, long counter, int attempt, TokenIds prompt, int max) {
    return submit(engine, epoch, counter, attempt, prompt, Sampling.greedy(max));
  }

  long submit(
      Address<ToEngine> engine,
      Epoch epoch,
      long counter,
      int attempt,
      TokenIds prompt,
      Sampling sampling) {
    bus.send(
        engine,
        new ToEngine.Submit(
            request(counter), attempt, epoch, ++sequence, prompt, TokenIds.EMPTY, sampling));
    return sequence;
  }

  void abort(Address<ToEngine> engine, long counter, int attempt) {
    bus.send(engine, new ToEngine.Abort(request(counter), attempt));
  }

  <T extends ToFrontend> Stream<T> got(Class<T> type) {
    return arrivals.stream().map(Arrival::message).filter(type::isInstance).map(type::cast);
  }

  List<Arrival> tokenArrivals() {
    return arrivals.stream().filter(a -> a.message() instanceof ToFrontend.Tokens).toList();
  }

  List<ToFrontend.Delta> deltas(long counter) {
    return got(ToFrontend.Tokens.class)
        .flatMap(tokens -> tokens.deltas().stream())
        .filter(delta -> delta.request().equals(request(counter)))
        .toList();
  }

  /** The request's tokens; fails on a gap or a repetition. */
  TokenIds tokens(long counter) {
    TokenIds all = TokenIds.EMPTY;
    for (ToFrontend.Delta delta : deltas(counter)) {
      if (delta.offset() != all.size()) {
        throw new AssertionError(
            "a delta at %d after %d tokens: %s".formatted(delta.offset(), all.size(), delta));
      }
      all = all.concat(delta.ids());
    }
    return all;
  }

  @Nullable FinishReason finish(long counter) {
    List<ToFrontend.Delta> deltas = deltas(counter);
    return deltas.isEmpty() ? null : deltas.getLast().finish();
  }

  /** The highest sequence number that any report to this front-end acknowledged. */
  long acknowledged() {
    return Stream.concat(
            got(ToFrontend.Load.class).map(ToFrontend.Load::load),
            got(ToFrontend.Tokens.class).map(ToFrontend.Tokens::load))
        .mapToLong(load -> load == null ? 0 : load.ackOf(id))
        .max()
        .orElse(0);
  }
}
