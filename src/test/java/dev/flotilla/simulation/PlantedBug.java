package dev.flotilla.simulation;

import dev.flotilla.engine.Offers;
import dev.flotilla.frontend.Fleet;
import dev.flotilla.frontend.RequestStream;
import dev.flotilla.frontend.StreamSteps.Effect;
import dev.flotilla.frontend.StreamSteps.Event;
import dev.flotilla.frontend.StreamSteps.Target;
import dev.flotilla.model.Batch;
import dev.flotilla.model.StepResult;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineAt;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.StepCost;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.protocol.TokenIds;
import dev.flotilla.scheduler.Admission;
import dev.flotilla.scheduler.Scheduler;
import dev.flotilla.scheduler.Unstarted;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Bugs that somebody could have written, put between the real machines and the simulated bus. */
enum PlantedBug {
  OLD_ATTEMPTS_TOKENS_ARE_TAKEN(
      () ->
          new StreamBug() {
            @Override
            Event before(RequestStream stream, Event event) {
              Target at = stream.target();
              return event instanceof Event.Tokens t && at != null && t.attempt() < stream.attempt()
                  ? tokens(t, at, stream.attempt(), t.offset())
                  : event;
            }
          }),
  A_GAP_IN_THE_TOKENS_IS_TAKEN(
      () ->
          new StreamBug() {
            @Override
            Event before(RequestStream stream, Event event) {
              Target at = stream.target();
              return event instanceof Event.Tokens t && at != null && t.offset() > stream.count()
                  ? tokens(t, at, t.attempt(), stream.count())
                  : event;
            }
          }),
  REPEATED_TOKENS_ARE_TAKEN(
      () ->
          new StreamBug() {
            @Override
            Event before(RequestStream stream, Event event) {
              Target at = stream.target();
              return event instanceof Event.Tokens t && at != null && t.offset() < stream.count()
                  ? tokens(t, at, t.attempt(), stream.count())
                  : event;
            }
          }),
  A_MOVED_REQUEST_KEEPS_ITS_ATTEMPT(
      () ->
          new StreamBug() {
            @Override
            List<Effect> after(Event event, List<Effect> effects) {
              return event instanceof Event.Offered
                  ? effects.stream().map(StreamBug::sameAttempt).toList()
                  : effects;
            }
          }),
  A_MOVED_REQUEST_IS_NOT_SUBMITTED(
      () ->
          new StreamBug() {
            @Override
            List<Effect> after(Event event, List<Effect> effects) {
              return event instanceof Event.Offered
                  ? effects.stream().filter(e -> !(e instanceof Effect.Submit)).toList()
                  : effects;
            }
          }),
  ABORTS_ARE_NOT_SENT(
      () ->
          new Seams() {
            @Override
            @Nullable Object sending(SimulatedNetwork.Actor from, Object message) {
              return message instanceof ToEngine.Abort ? null : message;
            }
          }),
  ABORTS_ARE_IGNORED(
      () ->
          new Seams() {
            @Override
            void abort(Scheduler scheduler, ToEngine.Abort abort) {}
          }),
  OUTPUT_BEFORE_A_FAILURE_COUNTS_AS_PROMPT(
      () ->
          new Seams() {
            @Override
            Object sending(SimulatedNetwork.Actor from, Object message) {
              return message instanceof ToEngine.Submit s && s.delivered().size() > 0
                  ? new ToEngine.Submit(
                      s.request(),
                      s.attempt(),
                      s.epoch(),
                      s.sequence(),
                      s.prompt().concat(s.delivered()),
                      TokenIds.EMPTY,
                      s.sampling())
                  : message;
            }
          }),
  A_HOLD_NEVER_EXPIRES(
      () ->
          new Seams() {
            @Override
            Map<FrontendId, ToFrontend.Offer> offer(
                Offers offers,
                ToEngine.HandOver order,
                EngineAt self,
                Scheduler scheduler,
                StepCost own) {
              List<Unstarted> before = Unstarted.of(scheduler);
              var made = offers.make(order, self, scheduler, own);
              before.stream().filter(Unstarted::offered).forEach(u -> u.hold(Long.MAX_VALUE / 2));
              return made;
            }
          }),
  A_HOLD_DOES_NOT_HOLD(
      () ->
          new Seams() {
            @Override
            Map<FrontendId, ToFrontend.Offer> offer(
                Offers offers,
                ToEngine.HandOver order,
                EngineAt self,
                Scheduler scheduler,
                StepCost own) {
              var made = offers.make(order, self, scheduler, own);
              made.values().stream()
                  .flatMap(offer -> offer.requests().stream())
                  .forEach(a -> Unstarted.release(scheduler, a.request(), a.attempt()));
              return made;
            }
          }),
  AN_ORDER_IS_OBEYED_AGAIN(
      () ->
          new Seams() {
            private long orders = Long.MAX_VALUE / 2;

            @Override
            Map<FrontendId, ToFrontend.Offer> offer(
                Offers offers,
                ToEngine.HandOver order,
                EngineAt self,
                Scheduler scheduler,
                StepCost own) {
              ToEngine.HandOver fresh =
                  new ToEngine.HandOver(
                      order.incarnation(),
                      order.epoch(),
                      ++orders,
                      order.to(),
                      order.gapMs(),
                      order.cost(),
                      order.kvRoom(),
                      order.slotRoom());
              return offers.make(fresh, self, scheduler, own);
            }
          }),
  A_REPEATED_SUBMIT_IS_COMPUTED_AGAIN(RunsTwice::new),
  A_LEDGER_FORGETS_SENDS_WITH_EACH_REPORT(
      () ->
          new Seams() {
            @Override
            void report(Fleet fleet, LoadReport load, long nowNanos) {
              fleet.report(load, nowNanos);
              long acknowledged =
                  load.acks().stream().mapToLong(LoadReport.Ack::sequence).max().orElse(0);
              for (long sequence = acknowledged + 1; sequence < acknowledged + 8; sequence++) {
                fleet.left(load.incarnation(), sequence);
              }
            }
          }),
  AN_EPOCH_IS_GIVEN_TO_TWO(
      () ->
          new Seams() {
            private final Map<Rank, Epoch> given = new HashMap<>();

            @Override
            Object sending(SimulatedNetwork.Actor from, Object message) {
              return message instanceof ToEngine.Init init
                  ? new ToEngine.Init(
                      init.rank(),
                      init.incarnation(),
                      given.computeIfAbsent(init.rank(), _ -> init.epoch()),
                      init.term(),
                      init.parallel(),
                      init.coordinator(),
                      init.frontends())
                  : message;
            }
          }),
  OLD_VIEWS_ARE_TAKEN(
      () ->
          new Seams() {
            private long version;

            @Override
            Object receiving(SimulatedNetwork.Actor by, Object message) {
              return by instanceof ServingFrontend
                      && message instanceof ToFrontend.View(ClusterView view)
                  ? new ToFrontend.View(
                      new ClusterView(
                          view.term(),
                          ++version,
                          view.dataParallelSize(),
                          view.engines(),
                          view.frontends()))
                  : message;
            }
          }),
  TWO_STREAMS_ARE_MIXED_UP(
      () ->
          new Seams() {
            @Override
            List<ToFrontend.Delta> update(Scheduler scheduler, Batch batch, StepResult result) {
              List<StepResult.Item> items = new ArrayList<>(result.items());
              boolean all = items.stream().allMatch(item -> item.token() >= 0);
              return scheduler.update(batch, all ? new StepResult(items.reversed()) : result);
            }
          });

  @SuppressWarnings("ImmutableEnumChecker") // each call makes a fresh bug
  private final Supplier<Seams> seams;

  PlantedBug(Supplier<Seams> seams) {
    this.seams = seams;
  }

  /** The bug, freshly planted. */
  Seams plant() {
    return seams.get();
  }

  /** One of a front-end's streams. */
  private abstract static class StreamBug extends Seams {
    Event before(RequestStream stream, Event event) {
      return event;
    }

    List<Effect> after(Event event, List<Effect> effects) {
      return effects;
    }

    @Override
    final List<Effect> stream(RequestStream stream, Event event) {
      return after(event, stream.on(before(stream, event)));
    }

    static Event tokens(Event.Tokens t, Target at, int attempt, int offset) {
      return new Event.Tokens(
          t.nowNanos(),
          at.incarnation(),
          attempt,
          offset,
          t.ids(),
          t.finish(),
          t.stopId(),
          t.logprobs(),
          t.promptLogprobs());
    }

    static Effect sameAttempt(Effect effect) {
      return effect instanceof Effect.Submit s
          ? new Effect.Submit(s.target(), s.attempt() - 1, s.delivered())
          : effect;
    }
  }

  /** What an engine knows already it takes for another attempt, and hides that. */
  private static final class RunsTwice extends Seams {
    private static final int APART = 1_000;

    @Override
    Admission submit(Scheduler scheduler, ToEngine.Submit submit, long waitedNanos) {
      Admission admission = scheduler.submit(submit, waitedNanos);
      return admission instanceof Admission.Repeated
          ? scheduler.submit(
              new ToEngine.Submit(
                  submit.request(),
                  submit.attempt() + APART,
                  submit.epoch(),
                  submit.sequence(),
                  submit.prompt(),
                  submit.delivered(),
                  submit.sampling()),
              waitedNanos)
          : admission;
    }

    @Override
    List<ToFrontend.Delta> update(Scheduler scheduler, Batch batch, StepResult result) {
      return scheduler.update(batch, result).stream()
          .map(
              d ->
                  new ToFrontend.Delta(
                      d.request(),
                      d.attempt() % APART,
                      d.offset(),
                      d.ids(),
                      d.finish(),
                      d.stopId(),
                      d.logprobs(),
                      d.promptLogprobs()))
          .toList();
    }
  }
}
