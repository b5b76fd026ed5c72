package dev.flotilla.launch;

import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How an engine of this node ended.
 *
 * @param name as the original calls it: {@code EngineCore_DP3}
 * @param code exit code of its process, 128 + n when signal n killed it; null: it had none
 * @param reason what it said itself; empty: nothing
 */
public record EngineEnd(String name, @Nullable Integer code, String reason) {
  private static final int SIGNALLED = 128;

  /** The numbers are the same on Linux and macOS. */
  private static final Map<Integer, String> SIGNALS =
      Map.ofEntries(
          Map.entry(1, "HUP"),
          Map.entry(2, "INT"),
          Map.entry(3, "QUIT"),
          Map.entry(4, "ILL"),
          Map.entry(6, "ABRT"),
          Map.entry(8, "FPE"),
          Map.entry(9, "KILL"),
          Map.entry(11, "SEGV"),
          Map.entry(13, "PIPE"),
          Map.entry(15, "TERM"));

  /** One sentence that names the engine, and its signal or exit code. */
  public String sentence() {
    return name + " " + how();
  }

  /** The same without the name. */
  public String how() {
    String how;
    if (code == null) {
      how = "has ended";
    } else if (code > SIGNALLED && code <= SIGNALLED + 64) {
      int signal = code - SIGNALLED;
      String known = SIGNALS.get(signal);
      how =
          "was killed by %s (exit code %d)"
              .formatted(known == null ? "signal " + signal : "SIG" + known, code);
    } else {
      how = String.format(Locale.ROOT, "ended with exit code %d", code);
    }
    return reason.isEmpty() ? how : how + ": " + reason;
  }
}
