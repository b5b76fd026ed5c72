package dev.flotilla.tokenizer.jinja;

import dev.flotilla.tokenizer.jinja.Args.Bound;
import dev.flotilla.tokenizer.jinja.TemplateException.Kind;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Jinja's filters on single values; those on sequences are in {@link SequenceFilters}. */
final class Filters {
  /** Filters that jinja2 has and no chat template needs. */
  private static final Set<String> UNSUPPORTED =
      Set.of(
          "filesizeformat",
          "pprint",
          "random",
          "striptags",
          "urlencode",
          "urlize",
          "wordwrap",
          "xmlattr");

  private static final Pattern WORD = Pattern.compile("\\w+", Pattern.UNICODE_CHARACTER_CLASS);
  private static final Pattern TITLE = Pattern.compile("[-\\s({\\[<]+");
  private static final Map<String, Filter> ALL = all();

  private Filters() {}

  /** One filter. */
  interface Filter {
    Object apply(Run run, Object value, Args args);
  }

  private static Map<String, Filter> all() {
    Map<String, Filter> all = new HashMap<>(SequenceFilters.all());
    all.put("tojson", (_, v, a) -> Json.filter(v, a));
    all.put("string", plain(v -> v instanceof Markup ? v : Text.str(v)));
    all.put("safe", plain(v -> new Markup(Text.str(v))));
    all.put("escape", plain(Markup::escape));
    all.put("e", plain(Markup::escape));
    all.put("forceescape", plain(v -> Markup.escape(Text.str(v))));
    all.put("upper", plain(v -> Text.str(v).toUpperCase(Locale.ROOT)));
    all.put("lower", plain(v -> Text.str(v).toLowerCase(Locale.ROOT)));
    all.put("capitalize", plain(v -> Strings.capitalize(Text.str(v))));
    all.put("title", plain(v -> title(Text.str(v))));
    all.put("trim", (_, v, a) -> trim(v, a.bind("do_trim", 0, "chars")));
    all.put("replace", (_, v, a) -> replace(v, a.bind("do_replace", 2, "old", "new", "count")));
    all.put("indent", (_, v, a) -> indent(v, a.bind("do_indent", 0, "width", "first", "blank")));
    all.put(
        "center",
        (_, v, a) ->
            Strings.pad(
                Text.str(v), a.bind("do_center", 0, "width").integer(0, 80), " ", "center"));
    all.put(
        "truncate",
        (_, v, a) -> truncate(v, a.bind("do_truncate", 0, "length", "killwords", "end", "leeway")));
    all.put("wordcount", plain(v -> WORD.matcher(Text.str(v)).results().count()));
    all.put("format", Filters::format);
    all.put("default", (_, v, a) -> otherwise(v, a));
    all.put("d", (_, v, a) -> otherwise(v, a));
    all.put("int", (_, v, a) -> integer(v, a.bind("do_int", 0, "default", "base")));
    all.put("float", (_, v, a) -> real(v, a.bind("do_float", 0, "default")));
    all.put("abs", plain(Filters::abs));
    all.put("round", (_, v, a) -> round(v, a.bind("do_round", 0, "precision", "method")));
    all.put("attr", (_, v, a) -> attr(v, a.bind("do_attr", 1, "name").required(0)));
    return Map.copyOf(all);
  }

  /** A filter without parameters. */
  static Filter plain(Function<Object, Object> filter) {
    return (_, value, args) -> {
      args.bind("filter", 0);
      return filter.apply(value);
    };
  }

  /** Whether jinja2 has a filter of that name. */
  static boolean exists(String name) {
    return ALL.containsKey(name) || UNSUPPORTED.contains(name);
  }

  static Object apply(Run run, String name, Object value, Args args) {
    Filter filter = ALL.get(name);
    if (filter == null) {
      throw UNSUPPORTED.contains(name)
          ? TemplateException.unsupported("the filter '%s' is not supported", name)
          : new TemplateException(Kind.RUNTIME, "No filter named '%s' found.".formatted(name));
    }
    return filter.apply(run, value, args);
  }

  private static Object trim(Object value, Bound args) {
    Object chars = args.given(0);
    return Text.strip(Text.str(value), chars == null ? null : Text.str(chars), true, true);
  }

  private static Object replace(Object value, Bound args) {
    Object count = args.given(2);
    return Strings.replace(
        Text.str(value),
        Text.str(args.required(0)),
        Text.str(args.required(1)),
        count == null ? -1 : Numbers.index(count));
  }

  private static Object indent(Object value, Bound args) {
    if (value instanceof Undefined u) {
      throw u.failure();
    }
    if (value instanceof List<?> && !(value instanceof Range)) {
      throw new TemplateException(Kind.ATTRIBUTE, "'list' object has no attribute 'splitlines'");
    }
    if (!Types.isText(value)) {
      throw value instanceof Tuple
          ? TemplateException.type("can only concatenate tuple (not \"str\") to tuple")
          : TemplateException.type(
              "unsupported operand type(s) for +=: '%s' and 'str'", Types.name(value));
    }
    Object width = args.or(0, 4L);
    String indent =
        Types.isText(width)
            ? Text.str(width)
            : Numbers.repeated(" ", Math.max(0, Numbers.index(width)));
    List<String> lines = Text.lines(Text.str(value) + "\n", false);
    StringBuilder out = new StringBuilder(args.flag(1) ? indent : "");
    for (int i = 0; i < lines.size(); i++) {
      out.append(i == 0 ? "" : "\n");
      out.append(i == 0 || (lines.get(i).isEmpty() && !args.flag(2)) ? "" : indent);
      out.append(lines.get(i));
      Text.check(out.length());
    }
    return out.toString();
  }

  private static String title(String text) {
    StringBuilder out = new StringBuilder();
    Matcher gaps = TITLE.matcher(text);
    int at = 0;
    while (gaps.find()) {
      word(out, text.substring(at, gaps.start()));
      out.append(gaps.group());
      at = gaps.end();
    }
    word(out, text.substring(at));
    return out.toString();
  }

  private static void word(StringBuilder out, String word) {
    if (!word.isEmpty()) {
      int first = word.offsetByCodePoints(0, 1);
      out.append(word.substring(0, first).toUpperCase(Locale.ROOT));
      out.append(word.substring(first).toLowerCase(Locale.ROOT));
    }
  }

  private static Object truncate(Object value, Bound args) {
    String end = Text.str(args.or(2, "..."));
    int length = args.integer(0, 255);
    Object leeway = args.given(3);
    if (length < Text.length(end)) {
      throw TemplateException.value("expected length >= %d, got %d", Text.length(end), length);
    }
    if (Sequences.length(value) <= length + (leeway == null ? 5 : Numbers.index(leeway))) {
      return value;
    }
    if (!Types.isText(value)) {
      throw TemplateException.unsupported("truncate cuts text only, no %s", Types.name(value));
    }
    String text = Text.str(value);
    String cut = text.substring(0, text.offsetByCodePoints(0, length - Text.length(end)));
    int space = cut.lastIndexOf(' ');
    return (args.flag(1) || space < 0 ? cut : cut.substring(0, space)) + end;
  }

  private static Object format(Run run, Object value, Args args) {
    if (!args.named().isEmpty() && args.count() > 0) {
      throw new TemplateException(
          Kind.FILTER_ARGUMENT, "can't handle positional and keyword arguments at the same time");
    }
    Dict named = new Dict();
    args.named().forEach(named::put);
    Object values = args.named().isEmpty() ? new Tuple(args.positional()) : named;
    return new Percent(Text.str(value), values).format();
  }

  private static Object otherwise(Object value, Args args) {
    Bound bound = args.bind("do_default", 0, "default_value", "boolean");
    return value instanceof Undefined || (bound.flag(1) && !Types.truth(value))
        ? bound.or(0, "")
        : value;
  }

  private static Object integer(Object value, Bound args) {
    if (value instanceof Undefined u) {
      throw u.failure();
    }
    Object otherwise = args.or(0, 0L);
    if (Types.isInteger(value)) {
      return Numbers.narrow(Numbers.big(value));
    }
    if (value instanceof Double d) {
      return whole(d, otherwise);
    }
    if (!Types.isText(value)) {
      return otherwise;
    }
    String text = Text.strip(Text.str(value), null, true, true);
    BigInteger parsed = parsed(text, args.integer(1, 10));
    if (parsed != null) {
      return Numbers.narrow(parsed);
    }
    Double real = parsed(text);
    return real == null ? otherwise : whole(real, otherwise);
  }

  private static Object whole(double value, Object otherwise) {
    return Double.isNaN(value) || Double.isInfinite(value)
        ? otherwise
        : Numbers.narrow(new BigDecimal(value).toBigInteger());
  }

  private static @Nullable BigInteger parsed(String text, int base) {
    String digits = text.replaceAll("(?<=[0-9a-zA-Z])_(?=[0-9a-zA-Z])", "");
    String prefix = base == 16 ? "0[xX]" : base == 8 ? "0[oO]" : base == 2 ? "0[bB]" : "(?!)";
    digits = digits.replaceFirst("^([-+]?)" + prefix, "$1");
    try {
      return digits.startsWith("+-") || digits.startsWith("-+")
          ? null
          : new BigInteger(digits, base);
    } catch (NumberFormatException e) {
      return null;
    }
  }

  private static @Nullable Double parsed(String text) {
    String digits = text.replaceAll("(?<=\\d)_(?=\\d)", "").toLowerCase(Locale.ROOT);
    if (digits.matches("[-+]?(\\d+\\.?\\d*|\\.\\d+)(e[-+]?\\d+)?")) {
      return Double.valueOf(digits);
    }
    return switch (digits) {
      case "inf", "+inf", "infinity", "+infinity" -> Double.POSITIVE_INFINITY;
      case "-inf", "-infinity" -> Double.NEGATIVE_INFINITY;
      case "nan", "+nan", "-nan" -> Double.NaN;
      default -> null;
    };
  }

  private static Object real(Object value, Bound args) {
    if (value instanceof Undefined u) {
      throw u.failure();
    }
    if (Types.isNumber(value)) {
      return Numbers.real(value);
    }
    Double parsed =
        Types.isText(value) ? parsed(Text.strip(Text.str(value), null, true, true)) : null;
    return parsed == null ? args.or(0, 0.0) : parsed;
  }

  private static Object abs(Object value) {
    if (value instanceof Double d) {
      return Math.abs(d);
    }
    if (!Types.isInteger(value)) {
      throw TemplateException.type("bad operand type for abs(): '%s'", Types.name(value));
    }
    return Numbers.narrow(Numbers.big(value).abs());
  }

  private static Object round(Object value, Bound args) {
    int places = args.integer(0, 0);
    RoundingMode mode =
        switch (Text.str(args.or(1, "common"))) {
          case "common" -> RoundingMode.HALF_EVEN;
          case "ceil" -> RoundingMode.CEILING;
          case "floor" -> RoundingMode.FLOOR;
          default ->
              throw new TemplateException(
                  Kind.FILTER_ARGUMENT, "method must be common, ceil or floor");
        };
    if (!Types.isNumber(value)) {
      throw TemplateException.type("type %s doesn't define __round__ method", Types.name(value));
    }
    if (Types.isInteger(value) && mode == RoundingMode.HALF_EVEN && places >= 0) {
      return Numbers.narrow(Numbers.big(value));
    }
    double real = Numbers.real(value);
    if (mode != RoundingMode.HALF_EVEN) {
      double scale = Math.pow(10, places);
      return (mode == RoundingMode.CEILING ? Math.ceil(real * scale) : Math.floor(real * scale))
          / scale;
    }
    return Double.isNaN(real) || Double.isInfinite(real)
        ? real
        : new BigDecimal(real).setScale(places, mode).doubleValue();
  }

  private static Object attr(Object value, Object name) {
    Object own = Attributes.own(value, Text.str(name));
    return own == null ? Undefined.member(value, name) : own;
  }
}
