package dev.flotilla.bench;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One request and what came back, in nanoseconds of one monotonic clock. Written by the load loop's
 * thread only.
 */
final class Exchange {
  final int index;
  final Planned planned;

  /** When it should have been sent; equal to {@link #sent} in a closed loop. */
  final long intended;

  /** When the client began to send it, connecting included. */
  long sent;

  long first;
  long last;

  /** Events that carried a token. */
  int arrivals;

  long promptTokens = -1;
  long completionTokens = -1;
  boolean done;
  boolean retried;
  @Nullable String failure;
  private long[] gaps = new long[16];

  Exchange(int index, Planned planned, long intended) {
    this.index = index;
    this.planned = planned;
    this.intended = intended;
  }

  void arrived(long now) {
    if (arrivals == 0) {
      first = now;
    } else {
      if (arrivals > gaps.length) {
        gaps = Arrays.copyOf(gaps, gaps.length * 2);
      }
      gaps[arrivals - 1] = now - last;
    }
    arrivals++;
    last = now;
  }

  void fail(String sentence) {
    if (failure == null) {
      failure = sentence;
    }
  }

  boolean succeeded() {
    return failure == null && done;
  }

  /** By the server's own count, else by the events that carried a token. */
  long outputTokens() {
    return completionTokens >= 0 ? completionTokens : arrivals;
  }

  long inputTokens() {
    return promptTokens >= 0 ? promptTokens : Math.max(0, planned.inputTokens());
  }

  /** Time between consecutive arrivals. */
  long[] gaps() {
    return Arrays.copyOf(gaps, Math.max(0, arrivals - 1));
  }
}
