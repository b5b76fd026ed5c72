package dev.flotilla.frontend;

import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineFacts;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.EngineTotals;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Logprobs;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.protocol.TokenIds;
import io.vertx.core.Vertx;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** An engine of tests: acknowledges, and answers each submit as its script says. */
final class FakeEngine {
  final Rank rank;
  final Incarnation incarnation;
  final Epoch epoch = new Epoch(1, 1);
  final List<ToEngine.Submit> submits = new CopyOnWriteArrayList<>();
  final List<ToEngine.PrefixSnapshot> snapshots = new CopyOnWriteArrayList<>();
  final List<ToEngine.Abort> aborts = new CopyOnWriteArrayList<>();
  final Set<RequestId> running = ConcurrentHashMap.newKeySet();
  private final Bus bus;
  private final Map<FrontendId, Long> acks = new ConcurrentHashMap<>();
  private final AtomicLong reports = new AtomicLong();
  private Bus.@Nullable Subscription subscription;
  final Set<String> failing = ConcurrentHashMap.newKeySet();
  volatile boolean deaf;

  /** It hears all and does nothing. */
  volatile boolean hung;

  /** What its reports in views say that it has done. */
  volatile EngineTotals totals = EngineTotals.NONE;

  /** What an engine does with a request. */
  interface Script {
    void submit(FakeEngine engine, ToEngine.Submit submit);
  }

  FakeEngine(Vertx vertx, int rank, Script script) throws Exception {
    this.rank = new Rank(rank);
    this.incarnation = new Incarnation("engine-" + rank + "-" + System.nanoTime());
    this.bus = Bus.of(vertx);
    subscription =
        bus.consume(
                Addresses.engine(this.rank, incarnation),
                message -> {
                  switch (message) {
                    case ToEngine.Submit submit -> {
                      submits.add(submit);
                      if (deaf) {
                        return;
                      }
                      running.add(submit.request());
                      acks.merge(submit.request().frontend(), submit.sequence(), Math::max);
                      bus.send(
                          Addresses.frontend(submit.request().frontend()),
                          new ToFrontend.Load(report()));
                      script.submit(this, submit);
                    }
                    case ToEngine.Abort abort -> {
                      if (!hung) {
                        running.remove(abort.request());
                      }
                      aborts.add(abort);
                    }
                    case ToEngine.Utility call -> answer(call);
                    case ToEngine.PrefixSnapshot asked -> snapshots.add(asked);
                    default -> {}
                  }
                })
            .toCompletionStage()
            .toCompletableFuture()
            .get();
  }

  /** Fails what is named so, and says its rank to everything else. */
  private void answer(ToEngine.Utility call) {
    boolean fails = failing.contains(call.name());
    bus.send(
        Addresses.frontend(call.from()),
        new ToFrontend.UtilityAnswer(
            rank,
            incarnation,
            call.callId(),
            fails ? null : "{\"said\":" + rank + ",\"args\":" + call.args() + "}",
            fails ? "failed on purpose" : null));
  }

  LoadReport report() {
    List<LoadReport.Ack> all =
        acks.entrySet().stream().map(a -> new LoadReport.Ack(a.getKey(), a.getValue())).toList();
    return new LoadReport(
        rank,
        incarnation,
        epoch,
        reports.incrementAndGet(),
        0,
        running.size(),
        0,
        0,
        running.size(),
        100,
        70,
        0,
        false,
        1,
        all,
        null);
  }

  ClusterView.Engine view(int maxModelLen) {
    return new ClusterView.Engine(
        rank,
        incarnation,
        epoch,
        EngineState.READY,
        new NodeId("local"),
        true,
        false,
        new EngineFacts("tiny-llama", "scripted", 100, 16, maxModelLen, 256, 2048, "test"),
        report().withTotals(totals));
  }

  void tokens(ToEngine.Submit submit, int offset, TokenIds ids, @Nullable FinishReason finish) {
    send(submit, delta(submit, offset, ids, finish, -1, List.of()));
  }

  void send(ToEngine.Submit submit, ToFrontend.Delta delta) {
    if (delta.finish() != null) {
      running.remove(submit.request());
    }
    bus.send(
        Addresses.frontend(submit.request().frontend()),
        new ToFrontend.Tokens(report(), List.of(delta)));
  }

  static ToFrontend.Delta delta(
      ToEngine.Submit submit,
      int offset,
      TokenIds ids,
      @Nullable FinishReason finish,
      int stopId,
      List<Logprobs> logprobs) {
    return new ToFrontend.Delta(
        submit.request(), submit.attempt(), offset, ids, finish, stopId, logprobs, List.of());
  }

  void refuse(ToEngine.Submit submit, int status, String reason) {
    running.remove(submit.request());
    bus.send(
        Addresses.frontend(submit.request().frontend()),
        new ToFrontend.Refusal(submit.request(), submit.attempt(), rank, epoch, status, reason));
  }

  void stop() {
    Objects.requireNonNull(subscription)
        .unregister()
        .toCompletionStage()
        .toCompletableFuture()
        .join();
  }

  /** Token by token, the output whose ids are given, cut at max_tokens. */
  static Script saying(TokenIds output) {
    return (engine, submit) -> {
      int last = Math.min(output.size(), submit.sampling().maxTokens());
      for (int i = submit.delivered().size(); i < last; i++) {
        FinishReason end = i + 1 < output.size() ? FinishReason.LENGTH : FinishReason.STOP;
        engine.tokens(submit, i, output.slice(i, i + 1), i + 1 == last ? end : null);
      }
    };
  }
}
