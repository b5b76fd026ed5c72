package dev.flotilla.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/**
 * Which numbers a schema accepts. They are written with at most 18 digits before and 16 after the
 * point, so that every reader can hold them and no generation counts digits for ever; with bounds
 * there is no exponent.
 */
final class NumberRules {
  private static final int FRACTION_MAX = 16;

  /** Automata with a state for each remainder; more would be felt. */
  private static final int DIVISOR_MAX = 1000;

  /** Digits before or after the point; a double's are fewer. */
  private static final int EXTENT_MAX = 400;

  private static final CharNfa INTEGER = plain("0|-?[1-9]\\d{0,17}");
  private static final CharNfa NUMBER =
      plain("-?(0|[1-9]\\d{0,17})(\\.\\d{1,16})?([eE][+-]?\\d{1,2})?");

  private NumberRules() {}

  private static CharNfa plain(String regex) {
    return CharNfa.of(RegexParser.parse(regex, "number"), "number");
  }

  /** Every number. */
  static CharNfa any() {
    return NUMBER;
  }

  /** The values of a schema of type number, or of type integer. */
  static CharNfa of(JsonNode schema, boolean integer, SchemaPlace place) {
    Bound low = Bound.lower(schema, place);
    Bound high = Bound.upper(schema, place);
    boolean int32 = integer && schema.path("format").asText().equals("int32");
    if (int32 && low == null) {
      low = new Bound(BigDecimal.valueOf(Integer.MIN_VALUE), true);
    }
    if (int32 && high == null) {
      high = new Bound(BigDecimal.valueOf(Integer.MAX_VALUE), true);
    }
    int fraction = integer ? 0 : FRACTION_MAX;
    CharNfa multiples = null;
    if (schema.has("multipleOf")) {
      BigDecimal divisor = divisor(schema.get("multipleOf"), place);
      if (divisor.precision() == 1 && divisor.unscaledValue().intValue() == 1) {
        fraction = Math.min(fraction, Math.max(0, divisor.scale()));
      }
      if (divisor.scale() <= 0) {
        fraction = 0;
        multiples = multiples(divisor.intValueExact());
      } else if (fraction == FRACTION_MAX) {
        throw place.unsupported("multipleOf", "a whole number or a power of ten is supported");
      }
    }
    boolean free = low == null && high == null;
    CharNfa all =
        free && fraction == 0
            ? INTEGER
            : free && fraction == FRACTION_MAX
                ? NUMBER
                : new NumberRange(low, high, fraction).build();
    if (multiples != null) {
      all = all.intersect(multiples, "multipleOf");
    }
    if (all.isEmpty()) {
      throw place.never("minimum", "or another bound leaves no number");
    }
    return all;
  }

  private static BigDecimal divisor(JsonNode value, SchemaPlace place) {
    if (!value.isNumber() || value.decimalValue().signum() <= 0) {
      throw place.bad("multipleOf", "must be a number above 0");
    }
    BigDecimal divisor = value.decimalValue().stripTrailingZeros();
    if (divisor.scale() <= 0 && divisor.compareTo(BigDecimal.valueOf(DIVISOR_MAX)) > 0) {
      throw place.unsupported("multipleOf", "at most " + DIVISOR_MAX + " is supported");
    }
    return divisor.scale() <= 0 ? divisor.setScale(0) : divisor;
  }

  /** Whole numbers that the divisor divides: one state for each remainder. */
  private static CharNfa multiples(int divisor) {
    CharNfa.Builder builder = new CharNfa.Builder("multipleOf");
    int start = builder.state();
    int sign = builder.state();
    builder.edge(start, CodePoints.of('-'), sign);
    for (int r = 0; r < divisor; r++) {
      builder.state();
    }
    builder.accept(2);
    for (int digit = 0; digit < 10; digit++) {
      CodePoints written = CodePoints.of('0' + digit);
      builder.edge(start, written, 2 + digit % divisor);
      builder.edge(sign, written, 2 + digit % divisor);
      for (int r = 0; r < divisor; r++) {
        builder.edge(2 + r, written, 2 + (r * 10 + digit) % divisor);
      }
    }
    return builder.build();
  }

  /**
   * One end of a range.
   *
   * @param closed whether the value itself belongs to it
   */
  record Bound(BigDecimal value, boolean closed) {

    static @Nullable Bound lower(JsonNode schema, SchemaPlace place) {
      return stricter(
          read(schema, "minimum", true, place), read(schema, "exclusiveMinimum", false, place), 1);
    }

    static @Nullable Bound upper(JsonNode schema, SchemaPlace place) {
      return stricter(
          read(schema, "maximum", true, place), read(schema, "exclusiveMaximum", false, place), -1);
    }

    private static @Nullable Bound stricter(
        @Nullable Bound closed, @Nullable Bound open, int sign) {
      if (closed == null || open == null) {
        return closed == null ? open : closed;
      }
      return sign * closed.value.compareTo(open.value) > 0 ? closed : open;
    }

    private static @Nullable Bound read(
        JsonNode schema, String keyword, boolean closed, SchemaPlace place) {
      JsonNode value = schema.get(keyword);
      if (value == null) {
        return null;
      }
      if (!value.isNumber()) {
        throw place.bad(keyword, "must be a number");
      }
      BigDecimal bound = value.decimalValue();
      if (Math.abs((long) bound.precision() - bound.scale()) > EXTENT_MAX
          || bound.scale() > EXTENT_MAX) {
        throw place.unsupported(keyword, "the number is beyond every double");
      }
      return new Bound(bound, closed);
    }

    Bound negated() {
      return new Bound(value.negate(), closed);
    }
  }
}
