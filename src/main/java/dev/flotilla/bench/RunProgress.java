package dev.flotilla.bench;

import java.io.PrintStream;
import java.util.concurrent.TimeUnit;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** Shows how far a run is: a bar on a terminal, else a line every ten seconds. */
public final class RunProgress implements AutoCloseable {
  /** How it is shown. */
  public enum Kind {
    /** Redrawn in place. */
    BAR,
    /** For logs. */
    LINES,
    /** Not at all. */
    NONE
  }

  private static final long LINE_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final PrintStream out;
  private final Kind kind;
  private @Nullable ProgressBar bar;
  private int total;
  private int answered;
  private long nextLine;

  /** On the stream. */
  public RunProgress(PrintStream out, Kind kind) {
    this.out = out;
    this.kind = kind;
  }

  void begin(int requests) {
    total = requests;
    answered = 0;
    nextLine = System.nanoTime() + LINE_NANOS;
    if (kind == Kind.BAR) {
      bar =
          new ProgressBarBuilder()
              .setTaskName("requests")
              .setInitialMax(requests)
              .setUpdateIntervalMillis(250)
              .setStyle(ProgressBarStyle.ASCII)
              .build();
    }
  }

  void answered() {
    answered++;
    if (bar != null) {
      bar.step();
    }
    if (kind == Kind.LINES && System.nanoTime() - nextLine >= 0) {
      out.println("answered " + answered + " of " + total + " requests");
      nextLine = System.nanoTime() + LINE_NANOS;
    }
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
