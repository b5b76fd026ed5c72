package dev.flotilla.tokenizer.jinja;

import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Items that are made when they are wanted, as by Python's generators. */
final class Generated implements Iterator<Object> {
  private final Supplier<@Nullable Object> source;
  private @Nullable Object next;
  private boolean ended;

  /** From a source that gives null at the end. */
  Generated(Supplier<@Nullable Object> source) {
    this.source = source;
  }

  @Override
  public boolean hasNext() {
    if (next == null && !ended) {
      next = source.get();
      ended = next == null;
    }
    return next != null;
  }

  @Override
  public Object next() {
    if (!hasNext() || next == null) {
      throw new NoSuchElementException();
    }
    Object item = next;
    next = null;
    return item;
  }
}
