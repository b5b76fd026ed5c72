package dev.flotilla.tokenizer.jinja;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** Python's {@code json.dumps}. Used once. */
final class Json {
  private static final int DEPTH_MAX = 900;

  private final boolean ascii;
  private final String indent;
  private final boolean indented;
  private final String comma;
  private final String colon;
  private final boolean sorted;
  private final StringBuilder out = new StringBuilder();
  private int depth;

  private Json(Args.Bound args) {
    Object given = args.given(1);
    this.ascii = args.flag(0);
    this.indented = given != null;
    this.indent =
        given == null
            ? ""
            : Types.isText(given)
                ? Text.str(given)
                : Numbers.repeated(" ", Math.max(0, Numbers.index(given)));
    Object separators = args.given(2);
    if (separators == null) {
      this.comma = indented ? "," : ", ";
      this.colon = ": ";
    } else {
      List<Object> both = Sequences.list(separators);
      if (both.size() != 2) {
        throw TemplateException.value("separators must be two strings, not %d", both.size());
      }
      this.comma = Text.str(both.get(0));
      this.colon = Text.str(both.get(1));
    }
    this.sorted = args.flag(3);
  }

  /** The filter {@code tojson} as transformers defines it. */
  static Object filter(Object value, Args args) {
    Json json =
        new Json(args.bind("tojson", 0, "ensure_ascii", "indent", "separators", "sort_keys"));
    json.value(value);
    return json.out.toString();
  }

  private void value(Object value) {
    Text.check(out.length());
    switch (value) {
      case None _ -> out.append("null");
      case Boolean b -> out.append(b);
      case Double d -> out.append(number(d));
      case String s -> string(s);
      case Markup m -> string(m.text());
      case Long _, java.math.BigInteger _ -> out.append(value);
      case Dict dict -> object(dict);
      case Tuple tuple -> array(tuple.items());
      case List<?> list when !(list instanceof Range) -> array(list);
      default ->
          throw TemplateException.type(
              "Object of type %s is not JSON serializable", Types.name(value));
    }
  }

  private static String number(double value) {
    return Double.isNaN(value)
        ? "NaN"
        : Double.isInfinite(value) ? (value > 0 ? "Infinity" : "-Infinity") : Text.number(value);
  }

  private void array(List<?> items) {
    if (items.isEmpty()) {
      out.append("[]");
      return;
    }
    out.append('[');
    enter();
    Iterator<?> all = items.iterator();
    while (all.hasNext()) {
      value(all.next());
      if (all.hasNext()) {
        out.append(comma);
        line();
      }
    }
    leave();
    out.append(']');
  }

  private void object(Dict dict) {
    if (dict.size() == 0) {
      out.append("{}");
      return;
    }
    out.append('{');
    enter();
    List<Dict.Entry> entries = new ArrayList<>();
    dict.entries().forEach(entries::add);
    if (sorted) {
      entries.sort((a, b) -> Compare.order(a.key(), b.key()));
    }
    Iterator<Dict.Entry> all = entries.iterator();
    while (all.hasNext()) {
      Dict.Entry entry = all.next();
      string(key(entry.key()));
      out.append(colon);
      value(entry.value());
      if (all.hasNext()) {
        out.append(comma);
        line();
      }
    }
    leave();
    out.append('}');
  }

  private static String key(Object key) {
    return switch (key) {
      case String s -> s;
      case Markup m -> m.text();
      case None _ -> "null";
      case Boolean b -> b.toString();
      case Double d -> number(d);
      case Long _, java.math.BigInteger _ -> key.toString();
      default ->
          throw TemplateException.type(
              "keys must be str, int, float, bool or None, not %s", Types.name(key));
    };
  }

  private void enter() {
    if (++depth > DEPTH_MAX) {
      throw TemplateException.limit("a value nests deeper than %d levels", DEPTH_MAX);
    }
    line();
  }

  private void leave() {
    depth--;
    line();
  }

  private void line() {
    if (indented) {
      out.append('\n').repeat(indent, depth);
    }
  }

  private void string(String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\f' -> out.append("\\f");
        case '\b' -> out.append("\\b");
        default -> {
          if (c < ' ' || (ascii && c > '~')) {
            out.append("\\u%04x".formatted((int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }
}
