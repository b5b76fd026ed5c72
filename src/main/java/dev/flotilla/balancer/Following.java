package dev.flotilla.balancer;

import dev.flotilla.protocol.BlockHashes;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Machine;
import dev.flotilla.protocol.ToFrontend;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Keeps a chooser among those that each engine reports to, and its index of their prefixes
 * complete: says whom to ask for a snapshot, because it is new, has a gap, or has fallen silent.
 * Used by one thread.
 */
public final class Following implements Machine {
  /** An engine that has not answered is asked again after so long. */
  static final long ASK_AGAIN_NANOS = 1_000_000_000L;

  /** An engine reports at least twice within it, whatever happens. */
  static final long SILENT_NANOS = 1_500_000_000L;

  /** Blocks of one engine that are taken at most; 64 million tokens in blocks of 16. */
  private static final int BLOCKS_MAX = 1 << 22;

  private final PrefixIndex index;
  private final Map<Incarnation, Engine> engines = new HashMap<>();

  private static final class Engine {
    final List<BlockHashes> pieces = new ArrayList<>();
    int blocks;
    boolean owes = true;
    boolean asked;
    long askedNanos;
    long heardNanos;
  }

  /** Over an index that is empty. */
  public Following(PrefixIndex index) {
    this.index = index;
  }

  /** These engines exist, and no others; gives those that are to be asked now. */
  public List<Incarnation> ask(Set<Incarnation> known, long now) {
    engines.keySet().removeIf(gone -> forgets(gone, known));
    List<Incarnation> asked = new ArrayList<>(0);
    for (Incarnation incarnation : known) {
      Engine engine = engines.computeIfAbsent(incarnation, _ -> new Engine());
      boolean due = !engine.asked || now - engine.askedNanos >= ASK_AGAIN_NANOS;
      if (due && (engine.owes || now - engine.heardNanos >= SILENT_NANOS)) {
        engine.asked = true;
        engine.askedNanos = now;
        asked.add(incarnation);
      }
    }
    return asked;
  }

  private boolean forgets(Incarnation engine, Set<Incarnation> known) {
    boolean gone = !known.contains(engine);
    if (gone) {
      index.forget(engine);
    }
    return gone;
  }

  /** An engine has spoken. */
  public void heard(Incarnation incarnation, long now) {
    Engine engine = engines.get(incarnation);
    if (engine != null) {
      engine.heardNanos = now;
    }
  }

  /** What an engine's prefix cache has gained and lost; of engines that are not known, nothing. */
  public void take(ToFrontend.PrefixChange change) {
    Engine engine = engines.get(change.incarnation());
    if (engine == null) {
      return;
    }
    // What it says of its cache does not count as a report: it must go on to report.
    if (change.snapshot()) {
      snapshot(engine, change);
    } else {
      PrefixIndex.Taken taken =
          index.changed(
              change.incarnation(),
              change.after(),
              change.number(),
              change.added().toArray(),
              change.evicted().toArray());
      if (taken == PrefixIndex.Taken.GAP && !engine.owes) {
        engine.owes = true;
        engine.asked = false;
      }
    }
  }

  private void snapshot(Engine engine, ToFrontend.PrefixChange piece) {
    if (piece.piece() == 0) {
      engine.pieces.clear();
      engine.blocks = 0;
    }
    if (piece.piece() != engine.pieces.size()
        || engine.blocks + piece.added().size() > BLOCKS_MAX) {
      return; // A piece is missing; the snapshot is asked for again.
    }
    engine.pieces.add(piece.added());
    engine.blocks += piece.added().size();
    if (engine.pieces.size() == piece.pieces()) {
      long[] all = new long[engine.blocks];
      int at = 0;
      for (BlockHashes part : engine.pieces) {
        for (int i = 0; i < part.size(); i++) {
          all[at++] = part.get(i);
        }
      }
      index.snapshot(piece.incarnation(), piece.number(), all);
      engine.pieces.clear();
      engine.blocks = 0;
      engine.owes = false;
    }
  }
}
