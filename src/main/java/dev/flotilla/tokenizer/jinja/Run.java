package dev.flotilla.tokenizer.jinja;

import java.time.ZonedDateTime;

/** One rendering: what it may still use, and what it knows of the world. Used by one thread. */
final class Run {
  /**
   * Expressions and statements that one rendering may take. A turn of a conversation takes about a
   * hundred; ten million are a second or two.
   */
  private static final long STEPS_MAX = 10_000_000;

  /** Macros within each other. */
  private static final int DEPTH_MAX = 100;

  final ZonedDateTime now;
  private long steps;
  private int depth;

  Run(ZonedDateTime now) {
    this.now = now;
  }

  void step() {
    spend(1);
  }

  /** Counts a value that was made, since long texts and lists cost more than a step. */
  Object made(Object value) {
    if (value instanceof String text) {
      spend(text.length() >> 8);
    } else if (value instanceof java.util.List<?> list) {
      spend(list.size() >> 4);
    }
    return value;
  }

  private void spend(long count) {
    steps += count;
    if (steps > STEPS_MAX) {
      throw TemplateException.limit("the template takes more than %d steps", STEPS_MAX);
    }
  }

  void enter() {
    if (++depth > DEPTH_MAX) {
      throw TemplateException.limit("macros call each other more than %d deep", DEPTH_MAX);
    }
  }

  void leave() {
    depth--;
  }
}
