package dev.flotilla.tokenizer.jinja;

import dev.flotilla.tokenizer.jinja.Args.Bound;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** The methods of Python's str. */
final class Strings {
  private static final Set<String> UNSUPPORTED =
      Set.of("encode", "expandtabs", "format_map", "isidentifier", "maketrans", "translate");

  private Strings() {}

  /** A method of a text; null if Python has none of that name. */
  static @Nullable Object method(String text, String name) {
    if (UNSUPPORTED.contains(name)) {
      throw TemplateException.unsupported("the string method '%s' is not supported", name);
    }
    BiFunction<String, Args, Object> method = find(name);
    return method == null ? null : Callable.of(args -> method.apply(text, args));
  }

  private static @Nullable BiFunction<String, Args, Object> find(String name) {
    return switch (name) {
      case "strip" -> (s, a) -> strip(s, a, name, true, true);
      case "lstrip" -> (s, a) -> strip(s, a, name, true, false);
      case "rstrip" -> (s, a) -> strip(s, a, name, false, true);
      case "split" -> (s, a) -> split(s, a, name, false);
      case "rsplit" -> (s, a) -> split(s, a, name, true);
      case "splitlines" ->
          (s, a) -> new ArrayList<Object>(Text.lines(s, a.bind(name, 0, "keepends").flag(0)));
      case "partition" -> (s, a) -> partition(s, separator(a, name), false);
      case "rpartition" -> (s, a) -> partition(s, separator(a, name), true);
      case "startswith" -> (s, a) -> affix(s, a, name, true);
      case "endswith" -> (s, a) -> affix(s, a, name, false);
      case "removeprefix" ->
          (s, a) -> {
            String affix = text(a.bind(name, 1, "prefix").required(0));
            return s.startsWith(affix) ? s.substring(affix.length()) : s;
          };
      case "removesuffix" ->
          (s, a) -> {
            String affix = text(a.bind(name, 1, "suffix").required(0));
            return s.endsWith(affix) ? s.substring(0, s.length() - affix.length()) : s;
          };
      case "replace" ->
          (s, a) -> {
            Bound b = a.bind(name, 2, "old", "new", "count");
            for (int i = 0; i < 2; i++) {
              if (!Types.isText(b.required(i))) {
                throw TemplateException.type(
                    "replace() argument %d must be str, not %s", i + 1, Types.name(b.required(i)));
              }
            }
            return replace(s, text(b.required(0)), text(b.required(1)), b.integer(2, -1));
          };
      case "join" -> (s, a) -> join(s, a.bind(name, 1, "iterable").required(0));
      case "find", "rfind", "index", "rindex", "count" -> (s, a) -> search(s, a, name);
      case "format" -> (s, a) -> new Braces(s, a).format();
      default -> cases(name);
    };
  }

  private static @Nullable BiFunction<String, Args, Object> cases(String name) {
    return switch (name) {
      case "upper" -> plain(name, s -> s.toUpperCase(Locale.ROOT));
      case "lower", "casefold" -> plain(name, s -> s.toLowerCase(Locale.ROOT));
      case "title" -> plain(name, Strings::title);
      case "capitalize" -> plain(name, Strings::capitalize);
      case "swapcase" -> plain(name, Strings::swapcase);
      case "isupper" -> plain(name, s -> isCased(s, true));
      case "islower" -> plain(name, s -> isCased(s, false));
      case "isspace" -> plain(name, s -> all(s, Text::isSpace));
      case "isalpha" -> plain(name, s -> all(s, Character::isLetter));
      case "isdigit", "isdecimal", "isnumeric" -> plain(name, s -> all(s, Character::isDigit));
      case "isalnum" -> plain(name, s -> all(s, Character::isLetterOrDigit));
      case "isascii" -> plain(name, s -> s.chars().allMatch(c -> c < 128));
      case "isprintable" -> plain(name, s -> Text.repr(s).equals("'" + s + "'"));
      case "istitle" ->
          plain(name, s -> s.chars().anyMatch(Character::isLetter) && title(s).equals(s));
      case "zfill" -> (s, a) -> zfill(s, a.bind(name, 1, "width").integer(0, 0));
      case "ljust", "rjust", "center" ->
          (s, a) -> {
            Bound b = a.bind(name, 1, "width", "fillchar");
            return pad(s, b.integer(0, 0), text(b.or(1, " ")), name);
          };
      default -> null;
    };
  }

  private static BiFunction<String, Args, Object> plain(
      String name, Function<String, Object> method) {
    return (text, args) -> {
      args.bind("str." + name, 0);
      return method.apply(text);
    };
  }

  private static String text(Object value) {
    if (!Types.isText(value)) {
      throw TemplateException.type("a str is needed, not %s", Types.name(value));
    }
    return Text.str(value);
  }

  private static Object strip(String s, Args args, String name, boolean left, boolean right) {
    Object chars = args.bind(name, 0, "chars").given(0);
    if (chars != null && !Types.isText(chars)) {
      throw TemplateException.type("%s arg must be None or str", name);
    }
    return Text.strip(s, chars == null ? null : Text.str(chars), left, right);
  }

  private static String separator(Args args, String name) {
    String separator = text(args.bind(name, 1, "sep").required(0));
    if (separator.isEmpty()) {
      throw TemplateException.value("empty separator");
    }
    return separator;
  }

  private static Object split(String s, Args args, String name, boolean fromRight) {
    Bound bound = args.bind(name, 0, "sep", "maxsplit");
    Object sep = bound.given(0);
    int most = bound.integer(1, -1);
    int splits = most < 0 ? Integer.MAX_VALUE : most;
    if (sep == null) {
      return blanks(s, splits, fromRight);
    }
    if (!Types.isText(sep)) {
      throw TemplateException.type("must be str or None, not %s", Types.name(sep));
    }
    String separator = Text.str(sep);
    if (separator.isEmpty()) {
      throw TemplateException.value("empty separator");
    }
    List<Object> parts = new ArrayList<>();
    String rest = s;
    while (parts.size() < splits) {
      int at = fromRight ? rest.lastIndexOf(separator) : rest.indexOf(separator);
      if (at < 0) {
        break;
      }
      int behind = at + separator.length();
      parts.add(fromRight ? rest.substring(behind) : rest.substring(0, at));
      rest = fromRight ? rest.substring(0, at) : rest.substring(behind);
    }
    parts.add(rest);
    if (fromRight) {
      Collections.reverse(parts);
    }
    return parts;
  }

  private static Object blanks(String s, int splits, boolean fromRight) {
    List<Object> parts = new ArrayList<>();
    String rest = Text.strip(s, null, !fromRight, fromRight);
    while (!rest.isEmpty()) {
      if (parts.size() == splits) {
        parts.add(rest);
        break;
      }
      int at = edge(rest, fromRight);
      if (fromRight) {
        parts.add(rest.substring(at));
        rest = Text.strip(rest.substring(0, at), null, false, true);
      } else {
        parts.add(rest.substring(0, at));
        rest = Text.strip(rest.substring(at), null, true, false);
      }
    }
    if (fromRight) {
      Collections.reverse(parts);
    }
    return parts;
  }

  private static int edge(String s, boolean fromRight) {
    int at = fromRight ? s.length() : 0;
    while (fromRight
        ? at > 0 && !Text.isSpace(s.charAt(at - 1))
        : at < s.length() && !Text.isSpace(s.charAt(at))) {
      at += fromRight ? -1 : 1;
    }
    return at;
  }

  private static Object partition(String s, String separator, boolean last) {
    int at = last ? s.lastIndexOf(separator) : s.indexOf(separator);
    if (at < 0) {
      return last ? Tuple.of("", "", s) : Tuple.of(s, "", "");
    }
    return Tuple.of(s.substring(0, at), separator, s.substring(at + separator.length()));
  }

  /** The part of a text between two code points, as indices of Java's. */
  private record Part(int from, int to) {
    static Part of(String s, Bound bound, int first) {
      int length = Text.length(s);
      int from = place(bound.given(first), 0, length);
      int to = place(bound.given(first + 1), length, length);
      int start = s.offsetByCodePoints(0, from);
      return new Part(start, Math.max(start, s.offsetByCodePoints(0, to)));
    }

    private static int place(@Nullable Object value, int otherwise, int length) {
      if (value == null) {
        return otherwise;
      }
      int at = Numbers.index(value);
      return Math.clamp((long) (at < 0 ? at + length : at), 0, length);
    }
  }

  private static Object affix(String s, Args args, String name, boolean prefix) {
    Bound bound = args.bind(name, 1, "affix", "start", "end");
    Part part = Part.of(s, bound, 1);
    String text = s.substring(part.from(), part.to());
    Object affix = bound.required(0);
    List<Object> all = affix instanceof Tuple tuple ? tuple.items() : List.of(affix);
    for (Object one : all) {
      if (!Types.isText(one)) {
        throw TemplateException.type(
            "%s first arg must be str or a tuple of str, not %s", name, Types.name(one));
      }
      if (prefix ? text.startsWith(Text.str(one)) : text.endsWith(Text.str(one))) {
        return true;
      }
    }
    return false;
  }

  /** Replaces at most so many occurrences; all if the count is negative. */
  static String replace(String s, String old, String by, int count) {
    StringBuilder out = new StringBuilder();
    int at = 0;
    int left = count < 0 ? Integer.MAX_VALUE : count;
    while (left-- > 0) {
      int found = s.indexOf(old, old.isEmpty() && !out.isEmpty() ? at + 1 : at);
      if (found < 0 || (old.isEmpty() && at == s.length() && !out.isEmpty())) {
        break;
      }
      out.append(s, at, found).append(by);
      Text.check(out.length());
      at = found + old.length();
      if (old.isEmpty() && by.isEmpty()) {
        break;
      }
    }
    return out.append(s, at, s.length()).toString();
  }

  /** Joins texts, and only texts. */
  static String join(String separator, Object items) {
    if (!Sequences.iterable(items)) {
      throw TemplateException.type("can only join an iterable");
    }
    StringBuilder out = new StringBuilder();
    Iterator<Object> all = Sequences.iterator(items);
    for (int i = 0; all.hasNext(); i++) {
      Object item = all.next();
      if (!Types.isText(item)) {
        throw TemplateException.type(
            "sequence item %d: expected str instance, %s found", i, Types.name(item));
      }
      out.append(i == 0 ? "" : separator).append(Text.str(item));
      Text.check(out.length());
    }
    return out.toString();
  }

  private static Object search(String s, Args args, String name) {
    Bound bound = args.bind(name, 1, "sub", "start", "end");
    String sub = text(bound.required(0));
    Part part = Part.of(s, bound, 1);
    String text = s.substring(part.from(), part.to());
    if (name.equals("count")) {
      long count = sub.isEmpty() ? Text.length(text) + 1 : 0;
      for (int at = text.indexOf(sub);
          at >= 0 && !sub.isEmpty();
          at = text.indexOf(sub, at + sub.length())) {
        count++;
      }
      return count;
    }
    int at = name.startsWith("r") ? text.lastIndexOf(sub) : text.indexOf(sub);
    if (at < 0 && name.endsWith("index")) {
      throw TemplateException.value("substring not found");
    }
    return at < 0 ? -1L : (long) s.codePointCount(0, part.from() + at);
  }

  static String capitalize(String s) {
    if (s.isEmpty()) {
      return s;
    }
    int first = s.codePointAt(0);
    int rest = Character.charCount(first);
    return Character.toString(Character.toTitleCase(first))
        + s.substring(rest).toLowerCase(Locale.ROOT);
  }

  private static String title(String s) {
    StringBuilder out = new StringBuilder();
    boolean[] inside = new boolean[1];
    s.codePoints()
        .forEach(
            c -> {
              boolean cased =
                  Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
              out.appendCodePoint(
                  !cased ? c : inside[0] ? Character.toLowerCase(c) : Character.toTitleCase(c));
              inside[0] = cased;
            });
    return out.toString();
  }

  private static String swapcase(String s) {
    StringBuilder out = new StringBuilder();
    s.codePoints()
        .forEach(
            c -> {
              String one = Character.toString(c);
              out.append(
                  Character.isUpperCase(c)
                      ? one.toLowerCase(Locale.ROOT)
                      : one.toUpperCase(Locale.ROOT));
            });
    return out.toString();
  }

  /** Whether there are cased letters, and all of them of one case. */
  static boolean isCased(String s, boolean upper) {
    boolean right =
        s.codePoints().anyMatch(upper ? Character::isUpperCase : Character::isLowerCase);
    return right
        && s.codePoints()
            .noneMatch(
                c ->
                    (upper ? Character.isLowerCase(c) : Character.isUpperCase(c))
                        || Character.isTitleCase(c));
  }

  private static boolean all(String s, IntPredicate test) {
    return !s.isEmpty() && s.codePoints().allMatch(test);
  }

  private static String zfill(String s, int width) {
    int missing = width - Text.length(s);
    if (missing <= 0) {
      return s;
    }
    boolean signed = !s.isEmpty() && "+-".indexOf(s.charAt(0)) >= 0;
    String zeros = Numbers.repeated("0", missing);
    return signed ? s.charAt(0) + zeros + s.substring(1) : zeros + s;
  }

  /** Fills a text up to a width. */
  static String pad(String s, int width, String fill, String name) {
    if (Text.length(fill) != 1) {
      throw TemplateException.type("The fill character must be exactly one character long");
    }
    int missing = Math.max(0, width - Text.length(s));
    int left =
        switch (name) {
          case "ljust" -> 0;
          case "rjust" -> missing;
          // Python's own choice of the side that gets more.
          default -> missing / 2 + (missing & width & 1);
        };
    return Numbers.repeated(fill, left) + s + Numbers.repeated(fill, missing - left);
  }
}
