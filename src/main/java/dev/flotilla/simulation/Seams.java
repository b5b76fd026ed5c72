package dev.flotilla.simulation;

import dev.flotilla.coordinator.Waves;
import dev.flotilla.engine.Lockstep;
import dev.flotilla.engine.Offers;
import dev.flotilla.engine.OwnEpochs;
import dev.flotilla.frontend.Fleet;
import dev.flotilla.frontend.RequestStream;
import dev.flotilla.frontend.StreamSteps;
import dev.flotilla.model.Batch;
import dev.flotilla.model.StepResult;
import dev.flotilla.protocol.EngineAt;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.StepCost;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.scheduler.Admission;
import dev.flotilla.scheduler.Scheduler;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where the simulated shells touch each other and their machines. Here everything passes as it is;
 * tests put planted bugs in between, to see that the invariants catch them.
 */
class Seams {
  /** Nothing is in between. */
  static final Seams NONE = new Seams();

  /** What really leaves; null: nothing. */
  @Nullable Object sending(SimulatedNetwork.Actor from, Object message) {
    return message;
  }

  /** What really comes in; null: nothing. */
  @Nullable Object receiving(SimulatedNetwork.Actor by, Object message) {
    return message;
  }

  List<StreamSteps.Effect> stream(RequestStream stream, StreamSteps.Event event) {
    return stream.on(event);
  }

  void report(Fleet fleet, LoadReport load, long nowNanos) {
    fleet.report(load, nowNanos);
  }

  boolean isOwn(OwnEpochs epochs, Epoch epoch) {
    return epochs.contains(epoch);
  }

  Admission submit(Scheduler scheduler, ToEngine.Submit submit, long waitedNanos) {
    return scheduler.submit(submit, waitedNanos);
  }

  void abort(Scheduler scheduler, ToEngine.Abort abort) {
    scheduler.abort(abort.request(), abort.attempt());
  }

  List<ToFrontend.Delta> update(Scheduler scheduler, Batch batch, StepResult result) {
    return scheduler.update(batch, result);
  }

  Waves.Step waves(Waves waves, Waves.Event event) {
    return waves.on(event);
  }

  Lockstep.Move lockstep(Lockstep lockstep, Lockstep.Event event) {
    return lockstep.on(event);
  }

  Map<FrontendId, ToFrontend.Offer> offer(
      Offers offers, ToEngine.HandOver order, EngineAt self, Scheduler scheduler, StepCost own) {
    return offers.make(order, self, scheduler, own);
  }
}
