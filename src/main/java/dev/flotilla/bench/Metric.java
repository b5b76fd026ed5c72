package dev.flotilla.bench;

import java.util.Locale;

/** The latencies that are reported, by vLLM's names and in milliseconds. */
public enum Metric {
  /** From start to first token. */
  TTFT("TTFT", "Time to First Token"),
  /** Mean time per token after the first, per request. */
  TPOT("TPOT", "Time per Output Token (excl. 1st token)"),
  /** Between consecutive arrivals. */
  ITL("ITL", "Inter-token Latency"),
  /** From start to last token. */
  E2EL("E2EL", "End-to-end Latency");

  private final String shown;
  private final String title;

  Metric(String shown, String title) {
    this.shown = shown;
    this.title = title;
  }

  String shown() {
    return shown;
  }

  String title() {
    return title;
  }

  /** The part of its name in result keys and flags. */
  String key() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** By its key. */
  static Metric of(String flag, String key) {
    for (Metric metric : values()) {
      if (metric.key().equals(key)) {
        return metric;
      }
    }
    Settings.require(false, "%s knows ttft, tpot, itl and e2el, not '%s'.", flag, key);
    throw new IllegalStateException(key);
  }
}
