package dev.flotilla.tokenizer.jinja;

import java.util.Iterator;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Something that can be gone through once, as Python's generators and iterators. */
record Once(String type, Iterator<Object> items) {
  static Once generator(Iterator<Object> items) {
    return new Once("generator", items);
  }

  /** A generator whose items, and the errors in finding them, come when the first is wanted. */
  static Once lazy(Supplier<Iterator<Object>> source) {
    return generator(
        new Iterator<>() {
          private @Nullable Iterator<Object> items;

          private Iterator<Object> items() {
            if (items == null) {
              items = source.get();
            }
            return items;
          }

          @Override
          public boolean hasNext() {
            return items().hasNext();
          }

          @Override
          public Object next() {
            return items().next();
          }
        });
  }
}
