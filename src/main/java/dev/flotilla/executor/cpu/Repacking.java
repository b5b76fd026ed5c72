package dev.flotilla.executor.cpu;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Plans tiles in one block of memory, then fills them. */
final class Repacking {
  private final @Nullable NativeBlock memory;
  private final CpuOptions.Progress progress;
  private final List<Tiles.Plan> plans = new ArrayList<>();
  private final List<Tiles> targets = new ArrayList<>();
  private long at;

  private Repacking(@Nullable NativeBlock memory, CpuOptions.Progress progress) {
    this.memory = memory;
    this.progress = progress;
  }

  /**
   * Memory for all tiles that a layout asks for.
   *
   * @param layout run once without memory, for the size; what it then makes is not to be used
   */
  static Repacking plan(Consumer<Repacking> layout, String what, CpuOptions.Progress progress) {
    Repacking sizes = new Repacking(null, progress);
    layout.accept(sizes);
    NativeBlock memory = sizes.at == 0 ? NativeBlock.NONE : NativeBlock.allocate(sizes.at, what);
    return new Repacking(memory, progress);
  }

  NativeBlock memory() {
    return memory == null ? NativeBlock.NONE : memory;
  }

  Tiles tiles(Tiles.Plan plan) {
    Tiles tiles = new Tiles(plan.format(), plan.tiles(), plan.cols(), memory().address() + at);
    plans.add(plan);
    targets.add(tiles);
    at += plan.bytes();
    return tiles;
  }

  /** Fills all tiles, with the pool that the caller holds. */
  void run(ComputePool pool) {
    long done = 0;
    for (int i = 0; i < plans.size(); i++) {
      Tiles.Plan plan = plans.get(i);
      Tiles target = targets.get(i);
      pool.run(target.tiles(), 4, (from, to, worker) -> plan.write(target, from, to));
      done += plan.bytes();
      progress.repacked(done, at);
    }
  }
}
