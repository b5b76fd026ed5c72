package dev.flotilla.tokenizer.jinja;

import java.util.Iterator;

/** Something that can be gone through once, as Python's generators and iterators. */
record Once(String type, Iterator<Object> items) {
  static Once generator(Iterator<Object> items) {
    return new Once("generator", items);
  }
}
