package dev.flotilla.coordinator;

import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.LoadReport;
import java.util.List;

/**
 * What ranks that go have left, and what the others have room for.
 *
 * @param idle whether nothing is left
 * @param blocks of the KV cache that it needs
 * @param room free blocks of the ranks that stay
 */
record RestOfWork(boolean idle, long blocks, long room) {

  static RestOfWork of(List<ClusterView.Engine> engines, int stays) {
    boolean idle = true;
    long blocks = 0;
    long room = 0;
    for (ClusterView.Engine engine : engines) {
      LoadReport load = engine.load();
      if (engine.state() == EngineState.DEAD || load == null) {
        continue;
      }
      boolean busy = load.running() > 0 || load.waiting() > 0;
      if (engine.rank().value() < stays) {
        room += engine.serving() ? load.kvBlocks() - load.kvBlocksUsed() : 0;
      } else if (busy) {
        idle = false;
        blocks += load.kvBlocksUsed();
      }
    }
    return new RestOfWork(idle, blocks, room);
  }

  boolean fits() {
    return blocks <= room;
  }
}
