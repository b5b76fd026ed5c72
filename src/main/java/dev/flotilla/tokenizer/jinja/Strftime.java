package dev.flotilla.tokenizer.jinja;

import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** C's {@code strftime} in its own locale. */
final class Strftime {
  private Strftime() {}

  static String format(ZonedDateTime time, String format) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%' || i + 1 == format.length()) {
        out.append(c);
        continue;
      }
      char kind = format.charAt(++i);
      if (kind == '-' && i + 1 < format.length()) {
        kind = format.charAt(++i);
        String padded = one(time, kind);
        String bare = padded.replaceFirst("^[0 ]+", "");
        out.append(bare.isEmpty() && !padded.isEmpty() ? "0" : bare);
      } else {
        out.append(one(time, kind));
      }
    }
    return out.toString();
  }

  private static String one(ZonedDateTime time, char kind) {
    String pattern =
        switch (kind) {
          case 'Y' -> "yyyy";
          case 'y' -> "yy";
          case 'm' -> "MM";
          case 'd' -> "dd";
          case 'e' -> "ppd";
          case 'B' -> "MMMM";
          case 'b', 'h' -> "MMM";
          case 'A' -> "EEEE";
          case 'a' -> "EEE";
          case 'H' -> "HH";
          case 'I' -> "hh";
          case 'M' -> "mm";
          case 'S' -> "ss";
          case 'p' -> "a";
          case 'j' -> "DDD";
          case 'f' -> "SSSSSS";
          case 'F' -> "yyyy-MM-dd";
          case 'T' -> "HH:mm:ss";
          case 'R' -> "HH:mm";
          case 'D', 'x' -> "MM/dd/yy";
          case 'X' -> "HH:mm:ss";
          case 'c' -> "EEE MMM ppd HH:mm:ss yyyy";
          case 'n' -> "'\n'";
          case 't' -> "'\t'";
          // Python's datetime.now() knows of no zone, and writes none.
          case 'z', 'Z' -> "";
          case '%' -> "'%'";
          default ->
              throw TemplateException.unsupported("%%%s in strftime_now is not supported", kind);
        };
    return pattern.isEmpty() ? "" : DateTimeFormatter.ofPattern(pattern, Locale.US).format(time);
  }
}
