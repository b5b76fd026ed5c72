package dev.flotilla.simulation;

import dev.flotilla.coordinator.Waves;
import dev.flotilla.coordinator.Waves.Effect;
import dev.flotilla.engine.Lockstep;
import dev.flotilla.protocol.Generation;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.Supplier;

/** Bugs that somebody could have written into lockstep groups. */
enum PlantedWaveBug {
  A_WAVE_IS_STARTED_AT_ONE_MEMBER_ONLY(
      () ->
          new Seams() {
            @Override
            Waves.Step waves(Waves waves, Waves.Event event) {
              Waves.Step step = waves.on(event);
              boolean[] first = {true};
              return keeping(
                  step,
                  e -> {
                    boolean start =
                        e instanceof Effect.Send(_, _, var order)
                            && order instanceof ToEngine.StartWave;
                    boolean keeps = !start || first[0];
                    first[0] &= !start;
                    return keeps;
                  });
            }
          }),
  A_WAVE_THAT_IS_OVER_STARTS_AGAIN(
      () ->
          new Seams() {
            @Override
            Lockstep.Move lockstep(Lockstep lockstep, Lockstep.Event event) {
              return lockstep.on(
                  event instanceof Lockstep.Event.StartWave(long of, long wave)
                      ? new Lockstep.Event.StartWave(of, Math.max(wave, lockstep.wave()))
                      : event);
            }
          }),
  A_MEMBER_STARTS_BY_ITSELF(
      () ->
          new Seams() {
            @Override
            Lockstep.Move lockstep(Lockstep lockstep, Lockstep.Event event) {
              boolean alone = event instanceof Lockstep.Event.Turn turn && turn.work();
              return alone
                      && lockstep.generation() != 0
                      && !lockstep.running()
                      && !lockstep.broken()
                  ? lockstep
                      .on(new Lockstep.Event.StartWave(lockstep.generation(), lockstep.wave()))
                      .next()
                      .on(event)
                  : lockstep.on(event);
            }
          }),
  RUNNING_IS_PREDICTED(
      () ->
          new Seams() {
            @Override
            Waves.Step waves(Waves waves, Waves.Event event) {
              boolean started = waves.start().started() >= waves.wave();
              return started
                      && event instanceof Waves.Event.Told told
                      && told.message() instanceof ToCoordinator.WantWave
                  ? new Waves.Step(waves, List.of())
                  : waves.on(event);
            }
          }),
  WANTS_ARE_SAID_ONCE(
      () ->
          new Seams() {
            @Override
            Lockstep.Move lockstep(Lockstep lockstep, Lockstep.Event event) {
              Lockstep.Move move = lockstep.on(event);
              boolean again = move.next().repeat().times() > 1;
              return new Lockstep.Move(
                  move.next(),
                  move.effects().stream()
                      .filter(e -> !(again && e instanceof Lockstep.Effect.WantWave))
                      .toList());
            }
          }),
  GENERATIONS_ARE_COUNTED_WITHOUT_THE_TERM(
      () ->
          new Seams() {
            @Override
            Object sending(SimulatedNetwork.Actor from, Object message) {
              return message instanceof ToEngine.Regroup(var term, var generation, long wave)
                  ? new ToEngine.Regroup(
                      term, new Generation((int) generation.number(), generation.members()), wave)
                  : message;
            }
          }),
  A_FAILED_EXCHANGE_IS_TRIED_AGAIN(
      () ->
          new Seams() {
            @Override
            Lockstep.Move lockstep(Lockstep lockstep, Lockstep.Event event) {
              return event instanceof Lockstep.Event.Failed
                  ? new Lockstep.Move(lockstep, List.of(new Lockstep.Effect.Sleep()))
                  : lockstep.on(event);
            }
          }),
  MEMBERS_AGREE_AT_DIFFERENT_STEPS(
      () ->
          new Seams() {
            @Override
            Lockstep.Move lockstep(Lockstep lockstep, Lockstep.Event event) {
              Lockstep.Move move = lockstep.on(event);
              boolean idle = event instanceof Lockstep.Event.StepDone(boolean dummy) && dummy;
              return idle && move.next().step() > 1
                  ? new Lockstep.Move(move.next(), List.of())
                  : move;
            }
          }),
  WHO_WAS_LEFT_OUT_NEVER_RETURNS(
      () ->
          new Seams() {
            @Override
            Waves.Step waves(Waves waves, Waves.Event event) {
              boolean out =
                  event instanceof Waves.Event.Reported(long _, var load)
                      && waves.seats().all().stream()
                          .anyMatch(s -> s.leftOut() && s.incarnation().equals(load.incarnation()));
              return out ? new Waves.Step(waves, List.of()) : waves.on(event);
            }
          }),
  WHO_COMES_LATE_IS_NOT_LET_IN(
      () ->
          new Seams() {
            @Override
            Waves.Step waves(Waves waves, Waves.Event event) {
              Generation of = waves.generation();
              return waves.on(
                  of != null && event instanceof Waves.Event.Seen(long now, int size, var serving)
                      ? new Waves.Event.Seen(
                          now,
                          size,
                          serving.stream().filter(c -> of.indexOf(c.rank()) >= 0).toList())
                      : event);
            }
          }),
  A_REQUEST_THAT_WAS_ANSWERED_STARTS_ANOTHER_WAVE(
      () ->
          new Seams() {
            @Override
            Waves.Step waves(Waves waves, Waves.Event event) {
              return waves.on(
                  event instanceof Waves.Event.Told(long now, var message)
                          && message
                              instanceof
                              ToCoordinator.WantWave(var rank, var incarnation, long of, long wave)
                      ? new Waves.Event.Told(
                          now,
                          new ToCoordinator.WantWave(
                              rank, incarnation, of, Math.max(wave, waves.wave())))
                      : event);
            }
          }),
  A_REGROUPED_MEMBER_TAKES_THE_WAVE_IT_IS_TOLD(
      () ->
          new Seams() {
            @Override
            Object sending(SimulatedNetwork.Actor from, Object message) {
              return message instanceof ToEngine.Regroup(var term, var generation, long wave)
                  ? new ToEngine.Regroup(term, generation, wave / 2)
                  : message;
            }

            @Override
            Lockstep.Move lockstep(Lockstep lockstep, Lockstep.Event event) {
              return event instanceof Lockstep.Event.Regrouped(long of, long wave)
                  ? new Lockstep.Move(
                      new Lockstep(
                          lockstep.interval(),
                          of,
                          wave,
                          false,
                          false,
                          0,
                          -1,
                          lockstep.repeat(),
                          lockstep.counts()),
                      List.of())
                  : lockstep.on(event);
            }
          }),
  A_WAVE_STARTS_BEFORE_ALL_HAVE_COME(
      () ->
          new Seams() {
            @Override
            Waves.Step waves(Waves waves, Waves.Event event) {
              Waves.Step step = waves.on(event);
              Generation of = step.next().generation();
              return event instanceof Waves.Event.Told told
                      && told.message() instanceof ToCoordinator.WantWave want
                      && of != null
                      && want.generation() == of.number()
                      && step.effects().isEmpty()
                  ? new Waves.Step(
                      step.next(),
                      of.members().stream()
                          .<Effect>map(
                              m ->
                                  new Effect.Send(
                                      m.rank(),
                                      m.incarnation(),
                                      new ToEngine.StartWave(
                                          step.next().term(), of.number(), step.next().wave())))
                          .toList())
                  : step;
            }
          });

  @SuppressWarnings("ImmutableEnumChecker") // each call makes a fresh bug
  private final Supplier<Seams> seams;

  PlantedWaveBug(Supplier<Seams> seams) {
    this.seams = seams;
  }

  /** The bug, freshly planted. */
  Seams plant() {
    return seams.get();
  }

  private static Waves.Step keeping(Waves.Step step, Predicate<Effect> which) {
    return new Waves.Step(step.next(), step.effects().stream().filter(which).toList());
  }
}
