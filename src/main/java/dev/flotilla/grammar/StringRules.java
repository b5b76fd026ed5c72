package dev.flotilla.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Which strings a schema accepts: lengths in code points, a pattern, a format. */
final class StringRules {
  /** Formats by the expression that stands for them: a part of each that every validator takes. */
  private static final Map<String, String> FORMATS =
      Map.ofEntries(
          Map.entry("date", date()),
          Map.entry("time", time()),
          Map.entry("date-time", date() + "T" + time()),
          Map.entry("duration", "P(\\d{1,4}D(T\\d{1,2}H)?|T\\d{1,4}(H|M|S)|\\d{1,4}W)"),
          Map.entry(
              "uuid", "[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
          Map.entry("email", "[a-z0-9]{1,16}([._-][a-z0-9]{1,16}){0,2}@" + host()),
          Map.entry("hostname", host()),
          Map.entry("ipv4", octet() + "(\\." + octet() + "){3}"),
          Map.entry("ipv6", "[0-9a-f]{1,4}(:[0-9a-f]{1,4}){7}"),
          Map.entry(
              "uri",
              "https?://"
                  + host()
                  + "(/[a-zA-Z0-9_~-]{1,32}){0,6}(\\?[a-z]{1,16}=[a-zA-Z0-9]{1,32})?"));

  private static final CharNfa ANY = CharNfa.repeated(CodePoints.ALL, 0, -1, "string");

  private StringRules() {}

  private static String date() {
    return "[12]\\d{3}-((0[1-9]|1[0-2])-(0[1-9]|1\\d|2[0-8])"
        + "|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)";
  }

  private static String time() {
    return "([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,6})?(Z|[+-](0\\d|1[0-3]):[0-5]\\d)";
  }

  private static String octet() {
    return "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
  }

  private static String host() {
    return "[a-z0-9]([a-z0-9-]{0,16}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,16}[a-z0-9])?){0,2}\\.[a-z]{2,6}";
  }

  /** Every string. */
  static CharNfa any() {
    return ANY;
  }

  /** The values of a schema of type string. */
  static CharNfa of(JsonNode schema, SchemaPlace place) {
    int min = place.count(schema, "minLength", 0);
    int max = place.count(schema, "maxLength", -1);
    if (max >= 0 && min > max) {
      throw place.never("minLength", "is above maxLength");
    }
    List<CharNfa> parts = new ArrayList<>();
    if (schema.has("pattern")) {
      JsonNode pattern = schema.get("pattern");
      if (!pattern.isTextual()) {
        throw place.bad("pattern", "must be a string");
      }
      Regex within = Regex.within(RegexParser.parse(pattern.textValue(), "pattern"));
      parts.add(CharNfa.of(within, "pattern"));
    }
    String format = FORMATS.get(schema.path("format").asText());
    if (format != null) {
      parts.add(CharNfa.of(RegexParser.parse(format, "format"), "format"));
    } else if (schema.has("format") && !Keywords.saysNothing(schema.get("format"))) {
      throw place.unsupported("format", schema.get("format") + " is not one of the formats built");
    }
    if (min > 0 || max >= 0) {
      parts.add(CharNfa.repeated(CodePoints.ALL, min, max, max >= 0 ? "maxLength" : "minLength"));
    }
    CharNfa all = ANY;
    for (int i = 0; i < parts.size(); i++) {
      all = i == 0 ? parts.get(0) : all.intersect(parts.get(i), "pattern");
    }
    if (all.isEmpty()) {
      throw place.never(
          schema.has("pattern") ? "pattern" : "format", "leaves no string with the other keywords");
    }
    return all;
  }
}
