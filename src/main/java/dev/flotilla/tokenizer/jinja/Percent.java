package dev.flotilla.tokenizer.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's {@code text % values}. Used once. */
final class Percent {
  private static final Pattern PLACE =
      Pattern.compile(
          "%(?:\\((?<key>[^)]*)\\))?(?<flags>[-+ 0#]*)(?<width>\\*|\\d*)"
              + "(?:\\.(?<precision>\\*|\\d*))?[hlL]?(?<kind>.)",
          Pattern.DOTALL);

  private final String format;
  private final Object values;
  private final List<Object> row;
  private int used;

  Percent(String format, Object values) {
    this.format = format;
    this.values = values;
    this.row = values instanceof Tuple tuple ? tuple.items() : List.of(values);
  }

  String format() {
    StringBuilder out = new StringBuilder();
    int at = 0;
    boolean named = false;
    Matcher place = PLACE.matcher(format);
    for (int next = format.indexOf('%'); next >= 0; next = format.indexOf('%', at)) {
      out.append(format, at, next);
      if (!place.region(next, format.length()).lookingAt()) {
        throw TemplateException.value("incomplete format");
      }
      at = place.end();
      if (place.group("kind").equals("%")) {
        out.append('%');
        continue;
      }
      named |= place.group("key") != null;
      out.append(one(place));
      Text.check(out.length());
    }
    // Python lets what has items, and is no tuple, pass unused.
    boolean subscripted =
        values instanceof Dict || values instanceof List<?> || values instanceof Undefined;
    if (!named && used < row.size() && !subscripted) {
      throw TemplateException.type("not all arguments converted during string formatting");
    }
    return out.append(format, at, format.length()).toString();
  }

  private Object value(Matcher place) {
    String key = place.group("key");
    if (key != null) {
      if (!(values instanceof Dict dict)) {
        throw TemplateException.type("format requires a mapping");
      }
      Object value = dict.get(key);
      if (value == null) {
        throw new TemplateException(TemplateException.Kind.INDEX, Text.repr(key));
      }
      return value;
    }
    if (used == row.size()) {
      throw TemplateException.type("not enough arguments for format string");
    }
    return row.get(used++);
  }

  private String one(Matcher place) {
    String flags = Objects.requireNonNull(place.group("flags"));
    String widths = Objects.requireNonNull(place.group("width"));
    String precisions = place.group("precision");
    if (widths.equals("*") || "*".equals(precisions)) {
      throw TemplateException.unsupported("* in a format is not supported");
    }
    int width = widths.isEmpty() ? 0 : Integer.parseInt(widths);
    int precision =
        precisions == null ? -1 : precisions.isEmpty() ? 0 : Integer.parseInt(precisions);
    Text.check(Math.max(width, precision));
    Object value = value(place);
    char kind = place.group("kind").charAt(0);
    String text = converted(kind, value, precision, flags);
    boolean number = kind != 's' && kind != 'r' && kind != 'c' && kind != 'a';
    int missing = width - Text.length(text);
    if (missing <= 0) {
      return text;
    }
    if (flags.contains("-")) {
      return text + " ".repeat(missing);
    }
    if (number && flags.contains("0")) {
      int sign = !text.isEmpty() && "+- ".indexOf(text.charAt(0)) >= 0 ? 1 : 0;
      return text.substring(0, sign) + "0".repeat(missing) + text.substring(sign);
    }
    return " ".repeat(missing) + text;
  }

  private static String converted(char kind, Object value, int precision, String flags) {
    return switch (kind) {
      case 's' -> cut(Text.str(value), precision);
      case 'r' -> cut(Text.repr(value), precision);
      case 'd', 'i', 'u' -> signed(integer(value, kind).toString(), flags);
      case 'x' -> signed(integer(value, kind).toString(16), flags);
      case 'X' -> signed(integer(value, kind).toString(16).toUpperCase(Locale.ROOT), flags);
      case 'o' -> signed(integer(value, kind).toString(8), flags);
      case 'f', 'F' -> signed(fixed(real(value), precision < 0 ? 6 : precision), flags);
      default ->
          throw TemplateException.unsupported("the format character '%s' is not supported", kind);
    };
  }

  private static String cut(String text, int precision) {
    return precision < 0 || precision >= Text.length(text)
        ? text
        : text.substring(0, text.offsetByCodePoints(0, precision));
  }

  private static String signed(String digits, String flags) {
    return digits.startsWith("-")
        ? digits
        : flags.contains("+") ? "+" + digits : flags.contains(" ") ? " " + digits : digits;
  }

  private static double real(Object value) {
    if (value instanceof Undefined u) {
      throw u.failure();
    }
    if (!Types.isNumber(value)) {
      throw TemplateException.type("must be real number, not %s", Types.name(value));
    }
    return Numbers.real(value);
  }

  private static BigInteger integer(Object value, char kind) {
    if (value instanceof Undefined u) {
      throw u.failure();
    }
    if (value instanceof Double d && "diu".indexOf(kind) >= 0) {
      return new BigDecimal(d).toBigInteger();
    }
    if (!Types.isInteger(value)) {
      throw TemplateException.type(
          "%%%s format: a%s is required, not %s",
          kind, "diu".indexOf(kind) >= 0 ? " real number" : "n integer", Types.name(value));
    }
    return Numbers.big(value);
  }

  /** A float with so many places, rounded as its exact value says. */
  static String fixed(double value, int places) {
    if (Double.isNaN(value) || Double.isInfinite(value)) {
      return Text.number(value);
    }
    String text = new BigDecimal(value).setScale(places, RoundingMode.HALF_EVEN).toPlainString();
    return value < 0 && !text.startsWith("-") ? "-" + text : text;
  }
}
