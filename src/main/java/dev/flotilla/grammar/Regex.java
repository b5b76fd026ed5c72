package dev.flotilla.grammar;

import java.util.List;

/** A regular expression as a tree. */
sealed interface Regex {
  /** Any one of the given code points. */
  record Chars(CodePoints set) implements Regex {}

  /** One after the other. */
  record Sequence(List<Regex> parts) implements Regex {}

  /** One of them. */
  record Choice(List<Regex> options) implements Regex {}

  /** So many times; {@code max} -1 is without limit. */
  record Repeat(Regex body, int min, int max) implements Regex {}

  /** Nothing, at the beginning of the text. */
  record Begin() implements Regex {}

  /** Nothing, at the end of the text. */
  record End() implements Regex {}

  /** A text as it stands. */
  static Regex literal(String text) {
    return new Sequence(
        text.codePoints().mapToObj(c -> (Regex) new Chars(CodePoints.of(c))).toList());
  }

  /** Matches where this matches a part. */
  static Regex within(Regex part) {
    Regex anything = new Repeat(new Chars(CodePoints.ALL), 0, -1);
    return new Sequence(List.of(anything, part, anything));
  }
}
