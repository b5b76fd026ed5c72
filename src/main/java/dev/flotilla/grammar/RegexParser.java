package dev.flotilla.grammar;

import java.util.ArrayList;
import java.util.List;

/**
 * Reads the common part of the dialects of ECMAScript, Python and Java: alternatives, groups
 * (capturing, named, {@code (?:)}), classes, {@code .}, the quantifiers {@code * + ? {n} {n,}
 * {n,m}} also in their lazy form, {@code ^} and {@code $}, the escapes {@code \d \w \s \D \W \S \t
 * \n \r \f \v \0 \xHH \}{@code uHHHH \}{@code u{H…} \p{Lu} \P{Lu}} and escaped punctuation. {@code
 * \d}, {@code \w} and {@code \s} are ASCII's. What no finite automaton can do cheaply (look-around,
 * back references, word borders, atomic groups and possessive quantifiers, flags) is refused.
 */
final class RegexParser {
  /** Deeper nesting is nobody's intention and would exhaust the stack. */
  private static final int DEPTH_MAX = 100;

  private static final int REPEAT_MAX = 10_000;

  private static final CodePoints LINE_ENDS = CodePoints.of("\n\r\u2028\u2029");

  private final String text;
  private final String where;
  private int at;
  private int depth;

  private RegexParser(String text, String where) {
    this.text = text;
    this.where = where;
  }

  /**
   * Parses.
   *
   * @param where the keyword that holds the expression, for messages
   * @throws GrammarException if the expression is wrong or beyond the dialect
   */
  static Regex parse(String text, String where) {
    RegexParser parser = new RegexParser(text, where);
    Regex all = parser.choice();
    if (parser.at < text.length()) {
      throw parser.wrong("an unmatched )");
    }
    return all;
  }

  private Regex choice() {
    if (++depth > DEPTH_MAX) {
      throw wrong("more than " + DEPTH_MAX + " nested groups");
    }
    List<Regex> options = new ArrayList<>();
    options.add(sequence());
    while (accept('|')) {
      options.add(sequence());
    }
    depth--;
    return options.size() == 1 ? options.get(0) : new Regex.Choice(options);
  }

  private Regex sequence() {
    List<Regex> parts = new ArrayList<>();
    while (at < text.length() && peek() != '|' && peek() != ')') {
      parts.add(quantified(atom()));
    }
    return parts.size() == 1 ? parts.get(0) : new Regex.Sequence(parts);
  }

  private Regex quantified(Regex atom) {
    Regex result = atom;
    if (at < text.length()) {
      int[] bounds = quantifier();
      if (bounds.length > 0) {
        if (atom instanceof Regex.Begin || atom instanceof Regex.End) {
          throw wrong("a quantifier after an anchor");
        }
        result = new Regex.Repeat(atom, bounds[0], bounds[1]);
        // A lazy quantifier prefers other matches, but matches the same texts.
        if (!accept('?') && at < text.length() && peek() == '+') {
          throw unsupported("possessive quantifiers");
        }
        if (at < text.length() && quantifier().length > 0) {
          throw wrong("a quantifier after a quantifier");
        }
      }
    }
    return result;
  }

  /** Least and most; empty if none follows. */
  private int[] quantifier() {
    return switch (peek()) {
      case '*' -> repeat(0, -1);
      case '+' -> repeat(1, -1);
      case '?' -> repeat(0, 1);
      case '{' -> braces();
      default -> new int[0];
    };
  }

  private int[] repeat(int min, int max) {
    at++;
    return new int[] {min, max};
  }

  private int[] braces() {
    int start = at++;
    int min = number();
    int max = min;
    if (min >= 0 && accept(',')) {
      max = at < text.length() && peek() == '}' ? -1 : number();
      max = max == -2 ? -3 : max;
    }
    if (min < 0 || max == -3 || !accept('}')) {
      // As in every dialect at hand, a brace that begins no quantifier is itself.
      at = start;
      return new int[0];
    }
    if (min > REPEAT_MAX || max > REPEAT_MAX || (max >= 0 && max < min)) {
      throw wrong("the quantifier {%d,%d}; at most %d".formatted(min, max, REPEAT_MAX));
    }
    return new int[] {min, max};
  }

  /** A decimal number; -2 if there is none. */
  private int number() {
    int start = at;
    while (at < text.length() && peek() >= '0' && peek() <= '9') {
      at++;
    }
    return start == at ? -2 : at - start > 6 ? REPEAT_MAX + 1 : digits(start);
  }

  private int digits(int start) {
    return Integer.parseInt(text.substring(start, at));
  }

  private Regex atom() {
    int c = next();
    return switch (c) {
      case '(' -> group();
      case '[' -> new Regex.Chars(characterClass());
      case '.' -> new Regex.Chars(LINE_ENDS.complement());
      case '^' -> new Regex.Begin();
      case '$' -> new Regex.End();
      case '\\' -> escape();
      case '*', '+', '?' -> throw wrong("a quantifier with nothing before it");
      default -> new Regex.Chars(scalar(c));
    };
  }

  private Regex group() {
    if (accept('?')) {
      if (accept(':')) {
        return closed();
      }
      boolean python = accept('P');
      if (!accept('<') || (!python && at < text.length() && (peek() == '=' || peek() == '!'))) {
        throw unsupported("look-around, flags and other groups with (?");
      }
      int end = text.indexOf('>', at);
      if (end < 0) {
        throw wrong("a group's name without >");
      }
      at = end + 1;
    }
    return closed();
  }

  private Regex closed() {
    Regex inner = choice();
    if (!accept(')')) {
      throw wrong("a group without )");
    }
    return inner;
  }

  private Regex escape() {
    if (at < text.length()) {
      char c = (char) peek();
      if (c == 'b' || c == 'B') {
        throw unsupported("the word border \\" + c);
      }
      if (c == 'A' || c == 'Z' || c == 'z' || c == 'G') {
        throw unsupported("the anchor \\" + c + "; use ^ or $");
      }
      if ((c >= '1' && c <= '9') || c == 'k') {
        throw unsupported("the back reference \\" + c);
      }
    }
    return new Regex.Chars(escaped());
  }

  /** The characters of an escape, outside or inside of a class. */
  private CodePoints escaped() {
    if (at >= text.length()) {
      throw wrong("a \\ at the end");
    }
    int c = next();
    return switch (c) {
      case 'd' -> CharacterClasses.DIGITS;
      case 'D' -> CharacterClasses.DIGITS.complement();
      case 'w' -> CharacterClasses.WORD;
      case 'W' -> CharacterClasses.WORD.complement();
      case 's' -> CharacterClasses.SPACE;
      case 'S' -> CharacterClasses.SPACE.complement();
      case 't' -> CodePoints.of('\t');
      case 'n' -> CodePoints.of('\n');
      case 'r' -> CodePoints.of('\r');
      case 'f' -> CodePoints.of('\f');
      case 'v' -> CodePoints.of(0x0B);
      case '0' -> CodePoints.of(0);
      case 'x' -> scalar(hex(2));
      case 'u' -> scalar(unicode());
      case 'p' -> CharacterClasses.property(braced(), where);
      case 'P' -> CharacterClasses.property(braced(), where).complement();
      default -> {
        if (Character.isLetterOrDigit(c)) {
          throw unsupported("the escape \\" + Character.toString(c));
        }
        yield scalar(c);
      }
    };
  }

  private int unicode() {
    if (at < text.length() && peek() == '{') {
      String digits = braced();
      if (!digits.matches("[0-9a-fA-F]{1,6}")) {
        throw wrong("\\u{" + digits + "}");
      }
      return Integer.parseInt(digits, 16);
    }
    int unit = hex(4);
    if (Character.isHighSurrogate((char) unit) && text.startsWith("\\u", at)) {
      at += 2;
      return Character.toCodePoint((char) unit, (char) hex(4));
    }
    return unit;
  }

  private int hex(int count) {
    if (at + count > text.length()
        || !text.substring(at, at + count).matches("[0-9a-fA-F]{" + count + "}")) {
      throw wrong("an escape without its %d hexadecimal digits".formatted(count));
    }
    at += count;
    return Integer.parseInt(text.substring(at - count, at), 16);
  }

  private String braced() {
    int end = text.indexOf('}', at);
    if (at >= text.length() || peek() != '{' || end < 0) {
      throw wrong("an escape without its braces");
    }
    String inner = text.substring(at + 1, end);
    at = end + 1;
    return inner;
  }

  private CodePoints characterClass() {
    boolean negated = accept('^');
    CodePoints set = CodePoints.NONE;
    boolean first = true;
    while (true) {
      if (at >= text.length()) {
        throw wrong("a class without ]");
      }
      int c = next();
      if (c == ']') {
        if (first) {
          // ECMAScript and Python read it in different ways.
          throw unsupported("classes that begin with ]; write \\]");
        }
        break;
      }
      first = false;
      set = set.union(range(c));
    }
    return negated ? set.complement() : set;
  }

  private CodePoints range(int c) {
    CodePoints low = member(c);
    boolean range =
        low.isSingle() && at + 1 < text.length() && peek() == '-' && text.charAt(at + 1) != ']';
    if (!range) {
      return low;
    }
    at++;
    CodePoints high = member(next());
    if (!high.isSingle() || high.first(0) < low.first(0)) {
      throw wrong("a range of characters whose ends are out of order");
    }
    return CodePoints.range(low.first(0), high.first(0));
  }

  private CodePoints member(int c) {
    if (c != '\\') {
      return scalar(c);
    }
    return accept('b') ? CodePoints.of('\b') : escaped();
  }

  private CodePoints scalar(int c) {
    if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) {
      throw wrong("a character that is none: U+%04X".formatted(c));
    }
    return CodePoints.of(c);
  }

  private int peek() {
    return text.charAt(at);
  }

  private int next() {
    int c = text.codePointAt(at);
    at += Character.charCount(c);
    return c;
  }

  private boolean accept(char c) {
    boolean here = at < text.length() && text.charAt(at) == c;
    at += here ? 1 : 0;
    return here;
  }

  private GrammarException wrong(String what) {
    return new GrammarException(
        where, "%s: the regular expression has %s (near character %d)".formatted(where, what, at));
  }

  private GrammarException unsupported(String what) {
    return new GrammarException(
        where,
        "%s: regular expressions are supported without %s (near character %d)"
            .formatted(where, what, at));
  }
}
