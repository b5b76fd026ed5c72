package dev.flotilla.coordinator;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.flotilla.coordinator.Waves.Effect;
import dev.flotilla.coordinator.Waves.Event;
import dev.flotilla.protocol.EngineWork;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.Generation;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.LockstepLoad;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** Gives events to {@link Waves} of three ranks and keeps the effects of the last. */
class WavesScript {
  static final long MS = 1_000_000;
  static final Term TERM = new Term(2, new NodeId("n"));

  Waves waves = Waves.start(new Waves.Limits(3, 100 * MS, 50 * MS, 2_000 * MS, 9_000 * MS), TERM);
  long now = 1_000 * MS;
  List<Effect> effects = List.of();
  private long sequence;

  void on(Event event) {
    Waves.Step step = waves.on(event);
    waves = step.next();
    effects = step.effects();
  }

  /** Time passes in ticks of 10 ms; keeps all effects. */
  void passMs(long ms) {
    List<Effect> all = new ArrayList<>();
    for (long passed = 0; passed < ms; passed += 10) {
      now += 10 * MS;
      on(new Event.Tick(now));
      all.addAll(effects);
    }
    effects = all;
  }

  /** Starts of ranks, as "0a": rank 0, incarnation "0a". */
  void serve(String... names) {
    on(new Event.Seen(now, 3, Arrays.stream(names).map(n -> candidate(n, false)).toList()));
  }

  static Seats.Candidate candidate(String name, boolean suspect) {
    return new Seats.Candidate(rank(name), new Incarnation(name), null, suspect, null);
  }

  static Rank rank(String name) {
    return new Rank(name.charAt(0) - '0');
  }

  void report(String name, long generation, long wave, boolean running) {
    on(new Event.Reported(now, load(name, ++sequence, generation, wave, running)));
  }

  static LoadReport load(String name, long sequence, long generation, long wave, boolean running) {
    return new LoadReport(
        rank(name),
        new Incarnation(name),
        Epoch.NONE,
        sequence,
        0,
        0,
        0,
        0,
        0,
        64,
        sequence,
        wave,
        running,
        0,
        List.of(),
        null,
        EngineWork.guessed(0, 0, 0),
        new LockstepLoad(generation, running, 0, 0));
  }

  void want(String name, long wave) {
    on(
        new Event.Told(
            now,
            new ToCoordinator.WantWave(
                rank(name), new Incarnation(name), generation().number(), wave)));
  }

  void broken(String name, Integer... missing) {
    on(
        new Event.Told(
            now,
            new ToCoordinator.GroupBroken(
                rank(name),
                new Incarnation(name),
                generation().number(),
                Arrays.stream(missing).map(Rank::new).toList(),
                "ranks " + Arrays.toString(missing) + " did not come")));
  }

  Generation generation() {
    return Objects.requireNonNull(waves.generation());
  }

  /** All members say that they have come to the present generation, at rest in that wave. */
  void arrive(long wave) {
    for (Generation.Member member : generation().members()) {
      report(member.incarnation().value(), generation().number(), wave, false);
    }
  }

  void arrive(long wave, boolean running) {
    for (Generation.Member member : generation().members()) {
      report(member.incarnation().value(), generation().number(), wave, running);
    }
  }

  /** Ranks 0 to 2 in one generation, at rest in that wave. */
  void group(long wave) {
    report("0a", 0, wave, false);
    serve("0a", "1a", "2a");
    report("0a", 0, wave, false);
    report("1a", 0, wave, false);
    report("2a", 0, wave, false);
    arrive(wave);
    assertEquals(wave, waves.wave());
    effects = List.of();
  }

  /** Whoever was told to start that wave. */
  List<String> started(long wave) {
    return effects.stream()
        .filter(Effect.Send.class::isInstance)
        .map(Effect.Send.class::cast)
        .filter(
            s ->
                s.order().equals(new ToEngine.StartWave(waves.term(), generation().number(), wave)))
        .map(s -> s.incarnation().value())
        .toList();
  }

  /** Whoever was told to go on as the present generation. */
  List<String> regrouped() {
    return effects.stream()
        .filter(Effect.Send.class::isInstance)
        .map(Effect.Send.class::cast)
        .filter(s -> s.order() instanceof ToEngine.Regroup r && r.generation().equals(generation()))
        .map(s -> s.incarnation().value())
        .toList();
  }

  List<String> members() {
    return generation().members().stream().map(m -> m.incarnation().value()).toList();
  }
}
