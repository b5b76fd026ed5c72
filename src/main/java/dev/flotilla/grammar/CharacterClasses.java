package dev.flotilla.grammar;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Named sets of characters. */
final class CharacterClasses {
  static final CodePoints DIGITS = CodePoints.range('0', '9');
  static final CodePoints WORD =
      DIGITS
          .union(CodePoints.range('a', 'z'))
          .union(CodePoints.range('A', 'Z'))
          .union(CodePoints.of('_'));
  static final CodePoints SPACE = CodePoints.of(" \t\n\r\f\u000B");

  private static final Map<String, CodePoints> PROPERTIES = new ConcurrentHashMap<>();

  private static final String CATEGORIES =
      "Cn Lu Ll Lt Lm Lo Mn Me Mc Nd Nl No -- Zs Zl Zp Cc Cf -- Co Cs Pd Ps Pe Pc Po Sm Sc Sk So Pi Pf";

  private CharacterClasses() {}

  /** The set of a general category: one letter or two. */
  static CodePoints property(String name, String where) {
    boolean known =
        name.matches("[A-Z][a-z]?")
            && (" " + CATEGORIES).contains(" " + name)
            && !name.startsWith("-");
    if (!known) {
      throw new GrammarException(
          where,
          "%s: \\p{%s} is not supported; use a general category such as L, Lu or Nd"
              .formatted(where, name));
    }
    return PROPERTIES.computeIfAbsent(
        name, wanted -> CodePoints.where(c -> category(c).startsWith(wanted)));
  }

  private static String category(int c) {
    int type = Character.getType(c);
    return CATEGORIES.substring(3 * type, 3 * type + 2);
  }
}
