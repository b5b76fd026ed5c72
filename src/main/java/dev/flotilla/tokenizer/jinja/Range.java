package dev.flotilla.tokenizer.jinja;

import java.util.AbstractList;

/** Python's range, within the sandbox's bound of length. */
final class Range extends AbstractList<Object> {
  /** The sandbox's own bound. */
  static final int LENGTH_MAX = 100_000;

  final long start;
  final long stop;
  final long step;
  private final int size;

  Range(long start, long stop, long step) {
    this.start = start;
    this.stop = stop;
    this.step = step;
    double length = Math.ceil(((double) stop - start) / step);
    if (length > LENGTH_MAX) {
      throw new TemplateException(
          TemplateException.Kind.OVERFLOW,
          "Range too big. The sandbox blocks ranges larger than MAX_RANGE (%d)."
              .formatted(LENGTH_MAX));
    }
    this.size = (int) Math.max(0, length);
  }

  @Override
  public Object get(int index) {
    return start + index * step;
  }

  @Override
  public int size() {
    return size;
  }
}
