package dev.flotilla.protocol;

import dev.flotilla.protocol.FrameException.Problem;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of the times of those requests that end with a message: how many those are, their
 * places among its deltas, then one column of nanoseconds per part.
 */
final class TimingLayout {
  private static final int BYTES = 4 + 3 * 8;

  private TimingLayout() {}

  static void write(List<ToFrontend.Delta> deltas, FrameWriter out) {
    int[] places = new int[deltas.size()];
    ToFrontend.Timing[] timings = new ToFrontend.Timing[deltas.size()];
    int count = 0;
    for (int i = 0; i < deltas.size(); i++) {
      ToFrontend.Timing timing = deltas.get(i).timing();
      if (timing != null) {
        places[count] = i;
        timings[count++] = timing;
      }
    }
    out.i32(count);
    for (int i = 0; i < count; i++) {
      out.i32(places[i]);
    }
    for (int i = 0; i < count; i++) {
      out.i64(timings[i].queued());
    }
    for (int i = 0; i < count; i++) {
      out.i64(timings[i].prefill());
    }
    for (int i = 0; i < count; i++) {
      out.i64(timings[i].decode());
    }
  }

  /** One per delta, null where it has none. */
  static ToFrontend.@Nullable Timing[] read(int deltas, FrameReader in) {
    int count = in.count(BYTES);
    int[] places = in.ints(count);
    long[] queued = in.longs(count);
    long[] prefill = in.longs(count);
    long[] decode = in.longs(count);
    ToFrontend.@Nullable Timing[] timings = new ToFrontend.@Nullable Timing[deltas];
    for (int i = 0; i < count; i++) {
      if (places[i] < 0 || places[i] >= deltas) {
        throw new FrameException(
            Problem.BODY, "a place of 0 to " + (deltas - 1), Integer.toString(places[i]));
      }
      timings[places[i]] = new ToFrontend.Timing(queued[i], prefill[i], decode[i]);
    }
    return timings;
  }
}
