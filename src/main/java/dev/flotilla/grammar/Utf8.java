package dev.flotilla.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Ranges of characters as sequences of ranges of bytes. */
final class Utf8 {
  /** The first character that needs one more byte. */
  private static final int[] LIMITS = {0x80, 0x800, 0x1_0000, 0x11_0000};

  private Utf8() {}

  /** First and last of each byte in turn: {first, last, first, last, …}. */
  static List<int[]> sequences(CodePoints set) {
    List<int[]> all = new ArrayList<>();
    for (int i = 0; i < set.ranges(); i++) {
      int from = set.first(i);
      for (int limit : LIMITS) {
        int to = Math.min(set.last(i), limit - 1);
        if (from <= to) {
          split(from, to, all);
          from = to + 1;
        }
      }
    }
    return all;
  }

  /**
   * Splits until all bytes but the first differing one run over all continuations; both ends have
   * the same number of bytes. Source: the compiler of RE2.
   */
  private static void split(int from, int to, List<int[]> all) {
    for (int bits = 6; bits <= 18; bits += 6) {
      int mask = (1 << bits) - 1;
      if ((from & ~mask) != (to & ~mask)) {
        if ((from & mask) != 0) {
          split(from, from | mask, all);
          split((from | mask) + 1, to, all);
          return;
        }
        if ((to & mask) != mask) {
          split(from, (to & ~mask) - 1, all);
          split(to & ~mask, to, all);
          return;
        }
      }
    }
    byte[] low = bytes(from);
    byte[] high = bytes(to);
    int[] sequence = new int[2 * low.length];
    for (int i = 0; i < low.length; i++) {
      sequence[2 * i] = low[i] & 0xFF;
      sequence[2 * i + 1] = high[i] & 0xFF;
    }
    all.add(sequence);
  }

  private static byte[] bytes(int codePoint) {
    return Character.toString(codePoint).getBytes(StandardCharsets.UTF_8);
  }
}
