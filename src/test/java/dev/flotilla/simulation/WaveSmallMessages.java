package dev.flotilla.simulation;

import dev.flotilla.engine.Lockstep;
import dev.flotilla.protocol.EngineWork;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.Generation;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.LockstepLoad;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import java.util.List;

/** What is under way in a {@link WaveSmallWorld}, besides the members' words. */
final class WaveSmallMessages {
  private WaveSmallMessages() {}

  /** An order on its way. */
  record Order(int rank, int start, ToEngine.GroupOrder order) {}

  /** The newest report of a rank on its way. */
  record Report(int rank, int start, long generation, long wave, boolean running) {}

  static Incarnation incarnation(int rank, int start) {
    return new Incarnation("e%d-%d".formatted(rank, start));
  }

  static LoadReport load(Report report) {
    return new LoadReport(
        new Rank(report.rank()),
        incarnation(report.rank(), report.start()),
        Epoch.NONE,
        1,
        0,
        0,
        0,
        0,
        0,
        1,
        0,
        report.wave(),
        false,
        0,
        List.of(),
        null,
        EngineWork.guessed(0, 0, 0),
        new LockstepLoad(report.generation(), report.running(), 0, 0));
  }

  static ToCoordinator.GroupBroken broken(int rank, WaveSmallNode node, int missing) {
    return new ToCoordinator.GroupBroken(
        new Rank(rank),
        incarnation(rank, node.start()),
        node.lockstep().generation(),
        missing < 0 ? List.of() : List.of(new Rank(missing)),
        "failed");
  }

  /** Whether whoever gets the message, now or later, will ignore it. */
  static boolean idle(Object message, WaveSmallWorld world) {
    Generation of = world.waves().generation();
    return switch (message) {
      case Order(int rank, int start, var _) when gone(world, rank, start) -> true;
      case Order(int rank, int _, ToEngine.Regroup regroup) ->
          regroup.generation().number() <= world.nodes().get(rank).lockstep().generation();
      case Order(int rank, int _, ToEngine.StartWave begin) -> {
        Lockstep at = world.nodes().get(rank).lockstep();
        yield begin.generation() < at.generation()
            || (begin.generation() == at.generation() && begin.wave() < at.wave());
      }
      case Report report -> gone(world, report.rank(), report.start());
      case ToCoordinator.FromMember word -> of != null && word.generation() < of.number();
      default -> false;
    };
  }

  private static boolean gone(WaveSmallWorld world, int rank, int start) {
    return !world.nodes().get(rank).up() || world.nodes().get(rank).start() != start;
  }
}
