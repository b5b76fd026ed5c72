package dev.flotilla.grammar;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntPredicate;

/** An immutable set of Unicode scalar values, kept as ranges in ascending order. */
final class CodePoints {
  /** Every scalar value; surrogates are none. */
  static final CodePoints ALL = new CodePoints(new int[] {0, 0xD7FF, 0xE000, 0x10FFFF});

  static final CodePoints NONE = new CodePoints(new int[0]);

  private final int[] bounds; // first and last of each range, in turn

  private CodePoints(int[] bounds) {
    this.bounds = bounds;
  }

  static CodePoints of(int single) {
    return range(single, single);
  }

  /** Those from {@code first} to {@code last}, without surrogates. */
  static CodePoints range(int first, int last) {
    return new CodePoints(new int[] {first, last}).intersect(ALL);
  }

  static CodePoints of(String characters) {
    CodePoints all = NONE;
    for (int i = 0; i < characters.length(); i++) {
      all = all.union(of(characters.charAt(i)));
    }
    return all;
  }

  static CodePoints where(IntPredicate test) {
    int[] found = new int[64];
    int size = 0;
    for (int from = 0; from <= 0x10FFFF; from++) {
      if (test.test(from)) {
        int to = from;
        while (to < 0x10FFFF && test.test(to + 1)) {
          to++;
        }
        if (size + 2 > found.length) {
          found = Arrays.copyOf(found, size * 2);
        }
        found[size++] = from;
        found[size++] = to;
        from = to;
      }
    }
    return new CodePoints(Arrays.copyOf(found, size)).intersect(ALL);
  }

  int ranges() {
    return bounds.length / 2;
  }

  int first(int range) {
    return bounds[2 * range];
  }

  int last(int range) {
    return bounds[2 * range + 1];
  }

  boolean isEmpty() {
    return bounds.length == 0;
  }

  boolean isSingle() {
    return bounds.length == 2 && bounds[0] == bounds[1];
  }

  CodePoints union(CodePoints other) {
    List<int[]> all = new ArrayList<>();
    for (CodePoints set : List.of(this, other)) {
      for (int i = 0; i < set.ranges(); i++) {
        all.add(new int[] {set.first(i), set.last(i)});
      }
    }
    all.sort(Comparator.comparingInt(range -> range[0]));
    int[] merged = new int[all.size() * 2];
    int size = 0;
    for (int[] range : all) {
      if (size > 0 && range[0] <= merged[size - 1] + 1) {
        merged[size - 1] = Math.max(merged[size - 1], range[1]);
      } else {
        merged[size++] = range[0];
        merged[size++] = range[1];
      }
    }
    return new CodePoints(Arrays.copyOf(merged, size));
  }

  CodePoints intersect(CodePoints other) {
    int[] common = new int[bounds.length + other.bounds.length];
    int size = 0;
    for (int i = 0, j = 0; i < ranges() && j < other.ranges(); ) {
      int from = Math.max(first(i), other.first(j));
      int to = Math.min(last(i), other.last(j));
      if (from <= to) {
        common[size++] = from;
        common[size++] = to;
      }
      if (last(i) < other.last(j)) {
        i++;
      } else {
        j++;
      }
    }
    return new CodePoints(Arrays.copyOf(common, size));
  }

  CodePoints complement() {
    int[] rest = new int[bounds.length + 2];
    int size = 0;
    int next = 0;
    for (int i = 0; i < ranges(); i++) {
      if (first(i) > next) {
        rest[size++] = next;
        rest[size++] = first(i) - 1;
      }
      next = last(i) + 1;
    }
    if (next <= 0x10FFFF) {
      rest[size++] = next;
      rest[size++] = 0x10FFFF;
    }
    return new CodePoints(Arrays.copyOf(rest, size)).intersect(ALL);
  }

  CodePoints minus(CodePoints other) {
    return intersect(other.complement());
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof CodePoints that && Arrays.equals(bounds, that.bounds);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bounds);
  }

  @Override
  public String toString() {
    return Arrays.toString(bounds);
  }
}
