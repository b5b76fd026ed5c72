package dev.flotilla.engine;

import dev.flotilla.executor.cpu.CpuOptions;
import java.io.Console;
import java.util.Optional;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/**
 * Shows on a terminal how far the weights of a model are loaded; silent where standard error is no
 * terminal.
 */
final class LoadProgress implements CpuOptions.Progress {
  private static final long MIB = 1 << 20;

  private final String model;
  private @Nullable ProgressBar bar;

  LoadProgress(String model) {
    this.model = model;
  }

  @Override
  public synchronized void repacked(long done, long total) {
    if (Optional.ofNullable(System.console()).filter(Console::isTerminal).isEmpty()) {
      return;
    }
    ProgressBar shown = bar;
    if (shown == null) {
      shown =
          new ProgressBarBuilder()
              .setTaskName("loading " + model)
              .setInitialMax(total)
              .setUnit(" MiB", MIB)
              .setStyle(ProgressBarStyle.ASCII)
              .build();
      bar = shown;
    }
    shown.stepTo(done);
    if (done >= total) {
      shown.close();
      bar = null;
    }
  }
}
