package dev.flotilla.tokenizer.jinja;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/** Python's strings: their white space, their code points, and how values are written. */
final class Text {
  /** Characters of one string; a prompt of more fits no model. */
  static final int LENGTH_MAX = 32 * 1024 * 1024;

  private static final String WHITE =
      "\t\n\u000b\f\r\u001c\u001d\u001e\u001f \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004"
          + "\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000";
  private static final String LINE_ENDS = "\n\r\u000b\f\u001c\u001d\u001e\u0085\u2028\u2029";

  private Text() {}

  /** Refuses a string that would be too long, before it is made. */
  static void check(long length) {
    if (length > LENGTH_MAX) {
      throw TemplateException.limit(
          "a text of %d characters is longer than the %d allowed", length, LENGTH_MAX);
    }
  }

  static boolean isSpace(int c) {
    return WHITE.indexOf(c) >= 0;
  }

  /** Whether all from a place on is white space. */
  static boolean isSpace(String text, int from) {
    return text.chars().skip(from).allMatch(Text::isSpace);
  }

  /** Takes white space, or the given characters, from the ends. */
  static String strip(String text, @Nullable String chars, boolean left, boolean right) {
    int from = 0;
    int to = text.length();
    while (left && from < to) {
      int c = text.codePointAt(from);
      if (!strips(c, chars)) {
        break;
      }
      from += Character.charCount(c);
    }
    while (right && to > from) {
      int c = text.codePointBefore(to);
      if (!strips(c, chars)) {
        break;
      }
      to -= Character.charCount(c);
    }
    return text.substring(from, to);
  }

  private static boolean strips(int c, @Nullable String chars) {
    return chars == null ? isSpace(c) : chars.indexOf(c) >= 0;
  }

  /** Code points, which Python counts and indexes by. */
  static int length(String text) {
    return text.codePointCount(0, text.length());
  }

  static List<Object> characters(String text) {
    List<Object> characters = new ArrayList<>(text.length());
    text.codePoints().forEach(c -> characters.add(Character.toString(c)));
    return characters;
  }

  /** The lines of a text without their ends. */
  static List<String> lines(String text, boolean keepEnds) {
    List<String> lines = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < text.length(); i++) {
      if (LINE_ENDS.indexOf(text.charAt(i)) >= 0) {
        int end = i;
        if (text.charAt(i) == '\r' && i + 1 < text.length() && text.charAt(i + 1) == '\n') {
          i++;
        }
        lines.add(text.substring(start, keepEnds ? i + 1 : end));
        start = i + 1;
      }
    }
    if (start < text.length()) {
      lines.add(text.substring(start));
    }
    return lines;
  }

  /** Python's {@code str}. */
  static String str(Object value) {
    return switch (value) {
      case String s -> s;
      case Markup m -> m.text();
      case Undefined _ -> "";
      default -> repr(value);
    };
  }

  /** Python's {@code repr}. */
  static String repr(Object value) {
    return switch (value) {
      case None _ -> "None";
      case Undefined _ -> "Undefined";
      case Boolean b -> b ? "True" : "False";
      case Double d -> number(d);
      case String s -> quoted(s);
      case Markup m -> "Markup(" + quoted(m.text()) + ")";
      case Range r ->
          r.step == 1
              ? "range(%d, %d)".formatted(r.start, r.stop)
              : "range(%d, %d, %d)".formatted(r.start, r.stop, r.step);
      case List<?> list -> "[" + joined(list) + "]";
      case Tuple t when t.items().size() == 1 -> "(" + repr(t.items().getFirst()) + ",)";
      case Tuple t -> "(" + joined(t.items()) + ")";
      case Dict d -> pairs(d);
      case View v -> v.type() + "([" + joined(v.items()) + "])";
      case Namespace n -> "<Namespace " + pairs(n.attributes()) + ">";
      case Macro m -> "<Macro " + quoted(m.name()) + ">";
      case Loop l -> "<LoopContext %d/%d>".formatted(l.index(), l.length());
      case Long _, java.math.BigInteger _ -> value.toString();
      default ->
          throw TemplateException.unsupported(
              "a value of type %s has no written form", Types.name(value));
    };
  }

  private static String joined(List<?> items) {
    StringJoiner joined = new StringJoiner(", ");
    items.forEach(i -> joined.add(repr(i)));
    check(joined.length());
    return joined.toString();
  }

  private static String pairs(Dict dict) {
    StringJoiner joined = new StringJoiner(", ", "{", "}");
    dict.entries().forEach(e -> joined.add(repr(e.key()) + ": " + repr(e.value())));
    check(joined.length());
    return joined.toString();
  }

  /** A float as Python writes it: shortest digits, an exponent only outside 1e-4 to 1e16. */
  static String number(double value) {
    if (Double.isNaN(value)) {
      return "nan";
    }
    if (Double.isInfinite(value)) {
      return value > 0 ? "inf" : "-inf";
    }
    if (value == 0) {
      return 1 / value < 0 ? "-0.0" : "0.0";
    }
    BigDecimal decimal = new BigDecimal(Double.toString(value)).stripTrailingZeros();
    BigDecimal single = decimal.round(new MathContext(1));
    if (single.doubleValue() == value) {
      // Java writes two digits where one would do.
      decimal = single;
    }
    String digits = decimal.unscaledValue().abs().toString();
    int exponent = digits.length() - decimal.scale() - 1;
    String sign = value < 0 ? "-" : "";
    if (exponent < -4 || exponent >= 16) {
      String rest = digits.length() > 1 ? "." + digits.substring(1) : "";
      return "%s%s%se%s%02d"
          .formatted(sign, digits.charAt(0), rest, exponent < 0 ? "-" : "+", Math.abs(exponent));
    }
    String plain = decimal.abs().toPlainString();
    return sign + (plain.contains(".") ? plain : plain + ".0");
  }

  private static String quoted(String text) {
    char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
    StringBuilder out = new StringBuilder(text.length() + 2).append(quote);
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\\' -> out.append("\\\\");
                default -> {
                  if (c == quote) {
                    out.append('\\').append(quote);
                  } else if (printable(c)) {
                    out.appendCodePoint(c);
                  } else {
                    out.append(c < 0x100 ? "\\x%02x".formatted(c) : escaped(c));
                  }
                }
              }
            });
    return out.append(quote).toString();
  }

  private static String escaped(int c) {
    return c < 0x10000 ? "\\u%04x".formatted(c) : "\\U%08x".formatted(c);
  }

  private static boolean printable(int c) {
    return c == ' '
        || switch (Character.getType(c)) {
          case Character.CONTROL,
              Character.FORMAT,
              Character.SURROGATE,
              Character.PRIVATE_USE,
              Character.UNASSIGNED,
              Character.LINE_SEPARATOR,
              Character.PARAGRAPH_SEPARATOR,
              Character.SPACE_SEPARATOR ->
              false;
          default -> true;
        };
  }

  /** The meaning of a string literal's inside. */
  static String unescape(String source) {
    StringBuilder out = new StringBuilder(source.length());
    for (int i = 0; i < source.length(); i++) {
      char c = source.charAt(i);
      if (c != '\\') {
        out.append(c);
        continue;
      }
      char kind = source.charAt(++i);
      int digits =
          switch (kind) {
            case 'x' -> 2;
            case 'u' -> 4;
            case 'U' -> 8;
            default -> 0;
          };
      if (digits > 0) {
        out.appendCodePoint(hex(source, i + 1, digits, kind));
        i += digits;
      } else if (kind >= '0' && kind <= '7') {
        int end = i + 1;
        while (end < source.length()
            && end < i + 3
            && source.charAt(end) >= '0'
            && source.charAt(end) <= '7') {
          end++;
        }
        out.appendCodePoint(Integer.parseInt(source.substring(i, end), 8));
        i = end - 1;
      } else {
        simple(out, kind);
      }
    }
    return out.toString();
  }

  private static void simple(StringBuilder out, char kind) {
    switch (kind) {
      case 'n' -> out.append('\n');
      case 't' -> out.append('\t');
      case 'r' -> out.append('\r');
      case 'a' -> out.append('\u0007');
      case 'b' -> out.append('\b');
      case 'f' -> out.append('\f');
      case 'v' -> out.append('\u000b');
      case '\n' -> {
        // A backslash at the end of a line joins the lines.
      }
      case '\\', '\'', '"' -> out.append(kind);
      case 'N' -> throw TemplateException.unsupported("\\N{…} in a string is not supported");
      default -> out.append('\\').append(kind);
    }
  }

  private static int hex(String source, int from, int digits, char kind) {
    String hex = source.substring(from, Math.min(source.length(), from + digits));
    if (hex.length() < digits || !hex.matches("[0-9a-fA-F]+")) {
      throw new TemplateException(
          TemplateException.Kind.SYNTAX,
          "truncated \\%s%s escape".formatted(kind, kind == 'x' ? "XX" : "X".repeat(digits)));
    }
    long c = Long.parseLong(hex, 16);
    if (c > Character.MAX_CODE_POINT) {
      throw new TemplateException(TemplateException.Kind.SYNTAX, "illegal Unicode character");
    }
    return (int) c;
  }
}
