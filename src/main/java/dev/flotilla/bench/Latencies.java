package dev.flotilla.bench;

import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/** Durations of one kind; three significant digits from a nanosecond to a day. */
final class Latencies {
  private final Histogram histogram = new Histogram(TimeUnit.DAYS.toNanos(1), 3);

  void record(long nanos) {
    histogram.recordValue(Math.clamp(nanos, 0, histogram.getHighestTrackableValue()));
  }

  double meanMs() {
    return millis(histogram.getTotalCount() == 0 ? 0 : histogram.getMean());
  }

  double standardDeviationMs() {
    return millis(histogram.getTotalCount() == 0 ? 0 : histogram.getStdDeviation());
  }

  double percentileMs(double percentile) {
    return millis((double) histogram.getValueAtPercentile(percentile));
  }

  private static double millis(double nanos) {
    return nanos / 1e6;
  }
}
