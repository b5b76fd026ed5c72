package dev.flotilla.frontend;

import dev.flotilla.frontend.StreamSteps.Effect;
import dev.flotilla.frontend.StreamSteps.Event;
import dev.flotilla.frontend.StreamSteps.Target;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Logprobs;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.protocol.TokenIds;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The live streams of one front-end: gives each what comes for it and performs what it wants done.
 * All methods run on the front-end's event loop.
 */
final class Streams {
  /** Live streams; each holds its prompt, so their number bounds the memory. */
  static final int STREAMS_MAX = 16_384;

  private static final Logger LOG = LoggerFactory.getLogger(Streams.class);

  private final FrontendId owner;
  private final Bus bus;
  private final Fleet fleet;
  private final Moving moving;
  private final Placing placing;
  private final Gate gate;
  private final ServedModel model;
  private final FrontendMetrics metrics;
  private final long timeoutNanos;
  private final Map<Long, Choice> live = new HashMap<>();
  private long counter;
  private boolean ended;
  private boolean draining;

  Streams(
      FrontendId owner,
      Bus bus,
      Fleet fleet,
      Placing placing,
      Gate gate,
      ServedModel model,
      FrontendMetrics metrics,
      long timeoutMs) {
    this.owner = owner;
    this.bus = bus;
    this.fleet = fleet;
    this.moving = new Moving(bus, fleet, metrics);
    this.placing = placing;
    this.gate = gate;
    this.model = model;
    this.metrics = metrics;
    this.timeoutNanos = timeoutMs * 1_000_000;
  }

  /** Streams that have not ended. */
  int size() {
    return live.size();
  }

  /**
   * Starts a request; its answer hears from now on.
   *
   * @throws ApiException 429 if there are too many, 503 while draining
   */
  Generation open(GenerationRequest request, Answer answer) {
    if (draining) {
      throw ApiException.of(503, "this API server is shutting down; ask another");
    }
    if (live.size() + request.choices() > STREAMS_MAX) {
      throw ApiException.of(
          429, "this front-end has %d streams open; try again later".formatted(live.size()));
    }
    gate.admit(live.size(), request.choices(), request.promptTokens());
    Generation generation = new Generation(request, answer);
    long now = System.nanoTime();
    for (int i = 0; i < request.choices(); i++) {
      Choice choice =
          new Choice(
              generation,
              i,
              new RequestId(owner, ++counter),
              new RequestStream(request.prompt(i).maxTokens(), timeoutNanos),
              new OutputText(request, model.tokenizer().detokenizer(request.form().skipSpecial())),
              now);
      generation.choices.add(choice);
      live.put(choice.id.counter(), choice);
    }
    generation.open = request.choices();
    for (Choice choice : generation.choices) {
      apply(choice, new Event.Accepted(now));
    }
    return generation;
  }

  /** The client has left or was cut off: nothing of the request goes on. */
  void close(Generation generation) {
    if (!generation.closed) {
      generation.closed = true;
      abort(generation.choices);
    }
  }

  /** What one engine's step brought. */
  void accept(ToFrontend.Tokens tokens) {
    long now = System.nanoTime();
    fleet.heard(tokens, now);
    Incarnation from = tokens.from().incarnation();
    for (ToFrontend.Delta delta : tokens.deltas()) {
      Choice choice = find(delta.request());
      if (choice == null || delta.attempt() < choice.stream.attempt()) {
        moving.disown(tokens.from(), delta);
      }
      if (choice != null) {
        choice.note(delta);
        apply(
            choice,
            new Event.Tokens(
                now,
                from,
                delta.attempt(),
                delta.offset(),
                delta.ids(),
                delta.finish(),
                delta.stopId(),
                delta.logprobs(),
                delta.promptLogprobs()));
      }
    }
  }

  /** An engine will not compute a request. */
  void refused(ToFrontend.Refusal refusal) {
    Choice choice = find(refusal.request());
    if (choice != null) {
      LOG.debug("engine {} refused {}: {}", refusal.rank(), choice.id, refusal.reason());
      long now = System.nanoTime();
      apply(choice, new Event.Refused(now, refusal.attempt(), refusal.status(), refusal.reason()));
    }
  }

  /** A busy engine offers some of its requests to another; each is moved or declined. */
  void offered(ToFrontend.Offer offer) {
    moving.offered(offer, this::find, this::apply);
  }

  /** An engine's report alone. */
  void report(LoadReport load) {
    fleet.report(load, System.nanoTime());
  }

  /** What an engine's prefix cache has gained and lost. */
  void prefixes(ToFrontend.PrefixChange change) {
    fleet.prefixes(change);
  }

  /** The coordinator's choice of an engine. */
  void chosen(ToFrontend.Chosen chosen) {
    placing.answered(chosen);
  }

  /** A view of all engines; false: it is of a leadership that is not followed here. */
  boolean view(ClusterView view) {
    if (!fleet.view().term().admits(view.term())) {
      return false;
    }
    long now = System.nanoTime();
    lose(fleet.take(view, now), now);
    follow(now);
    metrics.engines(view);
    return true;
  }

  /** The leadership that is followed. */
  Term term() {
    return fleet.view().term();
  }

  /** Deadlines; called ten times a second. */
  void tick() {
    long now = System.nanoTime();
    lose(fleet.tick(now), now);
    leave(fleet.stalled(), "does not step", engine -> new Event.EngineStalled(now, engine));
    follow(now);
    if (!ended) {
      metrics.streams(owner.value(), live.size());
    }
    for (Choice choice : List.copyOf(live.values())) {
      Target target = choice.stream.target();
      apply(
          choice,
          new Event.Tick(
              now,
              target != null && fleet.acknowledged(target.incarnation(), choice.sequence),
              target != null && fleet.idle(target.incarnation(), choice.sequence),
              fleet.view().paused()));
    }
  }

  private void follow(long now) {
    for (ClusterView.Engine engine : fleet.strangers(now)) {
      bus.send(engine.address(), new ToEngine.PrefixSnapshot(owner))
          .onFailure(e -> LOG.debug("engine {} was not asked: {}", engine.rank(), e.toString()));
    }
  }

  /** Takes nothing new from now on. */
  void drain() {
    draining = true;
  }

  /** Whether nothing new is taken. */
  boolean draining() {
    return draining;
  }

  /** The front-end ends: every answer ends with what it has, and says so. */
  void abort() {
    ended = true;
    metrics.forget(owner.value());
    for (Choice choice : List.copyOf(live.values())) {
      end(choice, FinishReason.ABORT, null);
      apply(choice, new Event.Closed());
    }
  }

  private void lose(Set<Incarnation> gone, long now) {
    leave(gone, "is gone", engine -> new Event.EngineGone(now, engine));
  }

  private void leave(Set<Incarnation> engines, String why, Function<Incarnation, Event> event) {
    for (Choice choice : engines.isEmpty() ? List.<Choice>of() : List.copyOf(live.values())) {
      Target target = choice.stream.target();
      if (target != null && engines.contains(target.incarnation())) {
        LOG.info("engine {} {}; {} moves on", target.rank(), why, choice.id);
        apply(choice, event.apply(target.incarnation()));
      }
    }
  }

  private @Nullable Choice find(RequestId id) {
    return id.frontend().equals(owner) ? live.get(id.counter()) : null;
  }

  private void apply(Choice choice, Event event) {
    for (Effect effect : choice.stream.on(event)) {
      perform(choice, effect);
    }
    if (choice.stream.ended()) {
      if (live.remove(choice.id.counter()) != null) {
        placing.look(choice);
      }
    } else {
      placing.look(choice);
    }
  }

  private void perform(Choice choice, Effect effect) {
    switch (effect) {
      case Effect.Choose(Set<Incarnation> failed) -> placing.choose(choice, failed, this::apply);
      case Effect.Submit submit -> submit(choice, submit);
      case Effect.Abort(Target target, int attempt) ->
          bus.send(
                  Addresses.engine(target.rank(), target.incarnation()),
                  new ToEngine.Abort(choice.id, attempt))
              .onFailure(e -> LOG.debug("abort of {} was not sent: {}", choice.id, e.toString()));
      case Effect.Move move -> moving.moves(choice, move);
      case Effect.Decline decline -> moving.declines(choice, decline);
      case Effect.Deliver deliver -> deliver(choice, deliver);
      case Effect.Finish(FinishReason reason, int stopId) ->
          finish(choice, reason, stopId >= 0 ? stopId : null);
      case Effect.Fail(int status, String sentence) -> fail(choice, status, sentence);
    }
  }

  private void submit(Choice choice, Effect.Submit submit) {
    Target target = submit.target();
    GenerationRequest.Routing routing = choice.generation.request.routing();
    int tokens = choice.prompt().ids().size() + submit.delivered().size();
    placing.send(choice, target.incarnation(), tokens);
    if (submit.attempt() > 1 && !target.incarnation().equals(choice.movedTo)) {
      metrics.failover(target.rank());
    }
    bus.send(
            Addresses.engine(target.rank(), target.incarnation()),
            new ToEngine.Submit(
                choice.id,
                submit.attempt(),
                target.epoch(),
                choice.sequence,
                choice.prompt().ids(),
                submit.delivered(),
                choice.sampling,
                routing.priority(),
                routing.cacheSalt()))
        .onFailure(
            e -> {
              String reason = String.valueOf(e.getMessage());
              apply(choice, new Event.SendFailed(System.nanoTime(), submit.attempt(), reason));
            });
  }

  private void deliver(Choice choice, Effect.Deliver deliver) {
    Generation generation = choice.generation;
    if (generation.closed) {
      return;
    }
    metrics.tokens(choice, deliver.ids().size(), System.nanoTime());
    OutputText.Piece piece =
        choice.text.append(deliver.ids(), deliver.logprobs(), deliver.stopped());
    piece = choice.opened ? piece : opening(choice, piece, deliver.promptLogprobs());
    choice.opened = true;
    generation.answer.piece(choice.index, piece);
    String matched = choice.text.matched();
    if (matched != null && !generation.closed) {
      end(choice, FinishReason.STOP, matched);
      apply(choice, new Event.Closed());
    }
  }

  /** The first piece, with what is said of the prompt. */
  private static OutputText.Piece opening(
      Choice choice, OutputText.Piece piece, List<Logprobs> promptLogprobs) {
    GenerationRequest request = choice.generation.request;
    String echoed = choice.prompt().echoed();
    return request.form().promptOnly()
        ? new OutputText.Piece(echoed, TokenIds.EMPTY, List.of(), promptLogprobs)
        : new OutputText.Piece(
            echoed + piece.text(), piece.ids(), piece.logprobs(), promptLogprobs);
  }

  private void finish(Choice choice, FinishReason reason, @Nullable Object stop) {
    if (choice.generation.closed || choice.text.matched() != null) {
      return;
    }
    String rest = choice.text.finish();
    if (!rest.isEmpty() && !choice.generation.request.form().promptOnly()) {
      OutputText.Piece last = new OutputText.Piece(rest, TokenIds.EMPTY, List.of());
      choice.generation.answer.piece(choice.index, last);
    }
    end(choice, reason, stop);
  }

  private void end(Choice choice, FinishReason reason, @Nullable Object stop) {
    Generation generation = choice.generation;
    if (generation.closed) {
      return;
    }
    metrics.ended(choice, reason);
    generation.answer.finish(choice.index, reason, stop);
    generation.open--;
    if (generation.open == 0 && !generation.closed) {
      generation.closed = true;
      generation.answer.complete(generation.usage());
    }
  }

  private void fail(Choice choice, int status, String sentence) {
    Generation generation = choice.generation;
    if (generation.closed) {
      return;
    }
    LOG.info("request {} failed with {}: {}", choice.id, status, sentence);
    generation.closed = true;
    metrics.ended(choice, FinishReason.ERROR);
    generation.answer.fail(status == 429 ? gate.full(sentence) : ApiException.of(status, sentence));
    abort(generation.choices.stream().filter(other -> other != choice).toList());
  }

  private void abort(List<Choice> choices) {
    for (Choice choice : choices) {
      if (live.containsKey(choice.id.counter())) {
        metrics.ended(choice, FinishReason.ABORT);
        apply(choice, new Event.Closed());
      }
    }
  }
}
