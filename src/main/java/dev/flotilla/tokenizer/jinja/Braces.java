package dev.flotilla.tokenizer.jinja;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's {@code text.format(…)}, with members and without all but the plainest formats. */
final class Braces {
  private static final Pattern PLACE =
      Pattern.compile("\\{(?<name>[^{}!:]*)(?:!(?<conversion>[rs]))?(?::(?<spec>[^{}]*))?\\}");
  private static final Pattern SPEC = Pattern.compile("(?:\\.(?<places>\\d+)f|(?<width>0?\\d*)d?)");

  private final String format;
  private final Args args;
  private int used;

  Braces(String format, Args args) {
    this.format = format;
    this.args = args;
  }

  String format() {
    StringBuilder out = new StringBuilder();
    Matcher place = PLACE.matcher(format);
    int at = 0;
    while (at < format.length()) {
      char c = format.charAt(at);
      if (c != '{' && c != '}') {
        out.append(c);
        at++;
      } else if (at + 1 < format.length() && format.charAt(at + 1) == c) {
        out.append(c);
        at += 2;
      } else if (c == '}') {
        throw TemplateException.value("Single '}' encountered in format string");
      } else if (place.region(at, format.length()).lookingAt()) {
        out.append(one(place));
        at = place.end();
      } else {
        throw TemplateException.value("Single '{' encountered in format string");
      }
      Text.check(out.length());
    }
    return out.toString();
  }

  private String one(Matcher place) {
    Object value = value(place.group("name"));
    String conversion = place.group("conversion");
    if (conversion != null) {
      value = conversion.equals("r") ? Text.repr(value) : Text.str(value);
    }
    String spec = place.group("spec");
    return spec == null || spec.isEmpty() ? Text.str(value) : formatted(value, spec);
  }

  private Object value(String name) {
    String[] parts = name.split("\\.", -1);
    Object value;
    if (parts[0].isEmpty() || Character.isDigit(parts[0].charAt(0))) {
      int index = parts[0].isEmpty() ? used++ : Integer.parseInt(parts[0]);
      if (index >= args.count()) {
        throw new TemplateException(TemplateException.Kind.INDEX, "tuple index out of range");
      }
      value = args.positional().get(index);
    } else {
      value = args.named().getOrDefault(parts[0], Undefined.name(parts[0]));
      if (value instanceof Undefined u) {
        throw u.failure();
      }
    }
    for (int i = 1; i < parts.length; i++) {
      value = Attributes.attribute(value, parts[i]);
    }
    return value;
  }

  private static String formatted(Object value, String spec) {
    Matcher m = SPEC.matcher(spec);
    if (!m.matches() || !Types.isNumber(value)) {
      throw TemplateException.unsupported("the format '%s' is not supported", spec);
    }
    if (m.group("places") != null) {
      return Percent.fixed(Numbers.real(value), Integer.parseInt(m.group("places")));
    }
    return new Percent("%" + m.group("width") + "d", value).format();
  }
}
