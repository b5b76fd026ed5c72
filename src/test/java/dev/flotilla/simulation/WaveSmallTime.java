package dev.flotilla.simulation;

import dev.flotilla.coordinator.Seats;
import dev.flotilla.coordinator.Waves;
import dev.flotilla.engine.Lockstep;
import java.util.function.UnaryOperator;

/**
 * Time in a {@link WaveSmallWorld}: it is always 0. What was noted at 0 is new, what was noted
 * before the last tick is old, and every limit lies between.
 */
final class WaveSmallTime {
  private static final long OLD = -3_600_000_000_000L;
  private static final long NEVER = Long.MIN_VALUE;

  private WaveSmallTime() {}

  static WaveSmallNode aged(WaveSmallNode node) {
    Lockstep at = node.lockstep();
    return node.with(
        new Lockstep(
            at.interval(),
            at.generation(),
            at.wave(),
            at.running(),
            at.broken(),
            at.step(),
            at.started(),
            new Lockstep.Repeat(at.repeat().times(), OLD),
            at.counts()));
  }

  static Waves aged(Waves waves) {
    return normal(waves, t -> t == NEVER ? NEVER : OLD);
  }

  /** Without what only counts, and with times as given. */
  static Waves normal(Waves of, UnaryOperator<Long> time) {
    Seats seats =
        new Seats(
            of.seats().all().stream()
                .map(
                    s -> {
                      Seats.Level l = s.level();
                      return new Seats.Seat(
                          s.rank(),
                          s.incarnation(),
                          s.endpoint(),
                          s.suspect(),
                          l == null
                              ? null
                              : new Seats.Level(
                                  0,
                                  l.generation(),
                                  l.wave(),
                                  l.running(),
                                  0,
                                  time.apply(l.heardNanos())),
                          time.apply(s.toldNanos()),
                          s.leftOut());
                    })
                .toList());
    Waves.Failure failure = of.failure();
    return new Waves(
        of.limits(),
        of.term(),
        of.given(),
        of.highest(),
        seats,
        of.generation(),
        of.wave(),
        time.apply(of.waveNanos()),
        new Waves.Start(
            of.start().wanted(),
            time.apply(of.start().wantedNanos()),
            of.start().started(),
            time.apply(of.start().startedNanos())),
        failure == null
            ? null
            : new Waves.Failure(
                time.apply(failure.sinceNanos()),
                failure.missing(),
                failure.said(),
                failure.reason()),
        of.failures(),
        time.apply(of.firstNanos()),
        0,
        new Waves.Counts(0, 0, 0, 0, 0, 0));
  }
}
