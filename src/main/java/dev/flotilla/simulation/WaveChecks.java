package dev.flotilla.simulation;

import dev.flotilla.coordinator.Waves;
import dev.flotilla.engine.Lockstep;
import dev.flotilla.protocol.Generation;
import dev.flotilla.protocol.ToEngine;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;

/** What must hold in a {@link WaveSimulation} after every event, and when all is calm. */
final class WaveChecks {
  private final WaveSimulation world;
  private final Map<Long, Generation> generations = new HashMap<>();
  private final Map<Wave, Long> lengths = new HashMap<>(); // steps of waves that are over
  private final Set<Wave> useful = new HashSet<>(); // waves in which somebody had work
  private final Set<Wave> started = new HashSet<>(); // by any leader
  private long highest;

  private record Wave(long generation, long number) {}

  WaveChecks(WaveSimulation world) {
    this.world = world;
  }

  /** Neither the generation nor the wave of a member ever goes back. */
  void moved(WaveEngine engine, Lockstep before) {
    Lockstep now = engine.lockstep();
    require(
        now.generation() >= before.generation() && now.wave() >= before.wave(),
        () -> "%s fell from %s to %s".formatted(engine.name(), before, now));
    Generation of = engine.generation();
    require(
        (of == null ? 0 : of.number()) == now.generation(),
        () -> "%s means %s but is at %s".formatted(engine.name(), of, now));
    require(
        !now.running() || started.contains(new Wave(now.generation(), now.wave())),
        () -> "%s runs a wave that nobody started: %s".formatted(engine.name(), now));
    if (before.running() && now.generation() == before.generation() && now.wave() > before.wave()) {
      completed(engine, before);
    }
  }

  /** A leader's generation and wave never go back, and no number is given twice. */
  void decided(WaveCoordinator by, Waves before, List<Waves.Effect> effects) {
    Waves now = by.waves();
    Generation was = before.generation();
    Generation is = now.generation();
    require(
        now.wave() >= before.wave() && (was == null || (is != null && is.number() >= was.number())),
        () -> "%s fell from %s to %s".formatted(by.name(), before, now));
    for (Waves.Effect effect : effects) {
      if (effect instanceof Waves.Effect.Stuck(String sentence)) {
        world.fail("the group got stuck: " + sentence);
      }
      if (effect instanceof Waves.Effect.Send(var _, var _, ToEngine.StartWave start)) {
        started.add(new Wave(start.generation(), start.wave()));
      }
    }
    if (is == null || is.equals(was)) {
      return;
    }
    Generation known = generations.putIfAbsent(is.number(), is);
    require(
        known == null || known.equals(is),
        () -> "number %d was given to %s and to %s".formatted(is.number(), known, is));
    if (known == null) {
      require(
          is.number() > highest || by != world.leader(),
          () -> "generation %d comes after %d".formatted(is.number(), highest));
      highest = Math.max(highest, is.number());
    }
  }

  void sameGeneration(WaveEngine engine, Generation its, Generation others) {
    require(
        its.equals(others),
        () -> "%s means %s, others in its exchange %s".formatted(engine.name(), its, others));
  }

  void sameExchange(Generation of, List<WaveBarriers.Tag> tags) {
    require(
        tags.stream().distinct().count() == 1,
        () -> "members of %s came to different exchanges: %s".formatted(of, tags));
  }

  /** A step was taken with all others. */
  void stepped(WaveEngine engine, WaveBarriers.Tag tag, boolean dummy) {
    if (!tag.agreement() && !dummy) {
      useful.add(new Wave(engine.lockstep().generation(), tag.wave()));
    }
  }

  /** All members end a wave at the same step, and somebody had work in it. */
  private void completed(WaveEngine engine, Lockstep before) {
    Wave wave = new Wave(before.generation(), before.wave());
    Long others = lengths.putIfAbsent(wave, before.step());
    require(
        others == null || others == before.step(),
        () ->
            "%s ends %s after %d steps, others after %d"
                .formatted(engine.name(), wave, before.step(), others));
    require(
        !world.lossless() || useful.contains(wave),
        () -> "%s was run though nobody had work".formatted(wave));
  }

  /** The group is at rest: paused, all waves equal, no work left. */
  boolean rests() {
    WaveCoordinator leader = world.leader();
    List<WaveEngine> live = world.live();
    Generation of = leader.waves().generation();
    return leader.up()
        && of != null
        && world.unfinished() == 0
        && of.size() == live.size()
        && !leader.waves().running()
        && live.stream()
            .allMatch(
                e ->
                    Objects.equals(e.generation(), of)
                        && !e.lockstep().running()
                        && !e.lockstep().broken()
                        && e.lockstep().wave() == leader.waves().wave());
  }

  void converged() {
    WaveCoordinator leader = world.leader();
    require(
        rests(),
        () ->
            "not at rest: %d requests are open; engines %s; leader %s"
                .formatted(
                    world.unfinished(),
                    world.live().stream().map(e -> e.name() + " " + e.lockstep()).toList(),
                    leader.waves()));
    if (world.lossless()) {
      Waves.Counts counts = leader.waves().counts();
      require(
          counts.repairs() == 0 && counts.failures() == 0 && counts.stuck() == 0,
          () -> "something was repaired though nothing was lost: " + counts);
      require(
          counts.starts() == counts.completed() || counts.generations() > 1,
          () -> "waves were started in vain: " + counts);
    }
  }

  private void require(boolean holds, Supplier<String> what) {
    if (!holds) {
      world.fail(what.get());
    }
  }
}
