package dev.flotilla.protocol;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * The bytes of log-probabilities: how many positions each delta has, then over all positions the
 * chosen tokens, their values, how many best tokens follow, then all of those and their values.
 */
final class LogprobsLayout {
  private LogprobsLayout() {}

  static void write(
      List<ToFrontend.Delta> deltas,
      Function<ToFrontend.Delta, List<Logprobs>> which,
      FrameWriter out) {
    List<Logprobs> all = new ArrayList<>();
    for (ToFrontend.Delta delta : deltas) {
      List<Logprobs> positions = which.apply(delta);
      out.i32(positions.size());
      all.addAll(positions);
    }
    all.forEach(position -> out.i32(position.chosen().token()));
    all.forEach(position -> out.f32(position.chosen().logprob()));
    all.forEach(position -> out.i32(position.top().size()));
    all.forEach(position -> position.top().forEach(entry -> out.i32(entry.token())));
    all.forEach(position -> position.top().forEach(entry -> out.f32(entry.logprob())));
  }

  static List<List<Logprobs>> read(int deltas, FrameReader in) {
    int[] sizes = in.ints(deltas);
    int positions = in.sum(sizes, 12);
    int[] tokens = in.ints(positions);
    float[] values = in.floats(positions);
    int[] topSizes = in.ints(positions);
    int tops = in.sum(topSizes, 8);
    int[] topTokens = in.ints(tops);
    float[] topValues = in.floats(tops);
    List<List<Logprobs>> all = new ArrayList<>(deltas);
    int at = 0;
    int topAt = 0;
    for (int size : sizes) {
      List<Logprobs> own = new ArrayList<>(size);
      for (int i = 0; i < size; i++, at++) {
        List<Logprobs.Entry> top = new ArrayList<>(topSizes[at]);
        for (int j = 0; j < topSizes[at]; j++, topAt++) {
          top.add(new Logprobs.Entry(topTokens[topAt], topValues[topAt]));
        }
        own.add(new Logprobs(new Logprobs.Entry(tokens[at], values[at]), top));
      }
      all.add(own);
    }
    return all;
  }
}
