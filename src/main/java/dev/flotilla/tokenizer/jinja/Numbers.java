package dev.flotilla.tokenizer.jinja;

import dev.flotilla.tokenizer.jinja.TemplateException.Kind;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/** Python's arithmetic: whole numbers without bound, floats, and what + and * do to sequences. */
final class Numbers {
  private static final int BITS_MAX = 1 << 16;
  private static final int ITEMS_MAX = 1_000_000;

  private Numbers() {}

  /** As a Long if it fits. */
  static Object narrow(BigInteger value) {
    if (value.bitLength() < Long.SIZE) {
      return value.longValue();
    }
    if (value.bitLength() > BITS_MAX) {
      throw TemplateException.limit("a number of more than %d bits", BITS_MAX);
    }
    return value;
  }

  static BigInteger big(Object integer) {
    return switch (integer) {
      case BigInteger i -> i;
      case Boolean b -> b ? BigInteger.ONE : BigInteger.ZERO;
      default -> BigInteger.valueOf((Long) integer);
    };
  }

  static double real(Object number) {
    if (number instanceof Double d) {
      return d;
    }
    double value = big(number).doubleValue();
    if (Double.isInfinite(value)) {
      throw new TemplateException(Kind.OVERFLOW, "int too large to convert to float");
    }
    return value;
  }

  /** A whole number where Python takes nothing else, such as an index. */
  static int index(Object value) {
    if (value instanceof Undefined u) {
      throw u.failure();
    }
    if (!Types.isInteger(value)) {
      throw TemplateException.type(
          "'%s' object cannot be interpreted as an integer", Types.name(value));
    }
    BigInteger i = big(value);
    int sign = i.signum();
    // Whatever is counted by it ends long before.
    return i.bitLength() < Integer.SIZE
        ? i.intValue()
        : sign < 0 ? -Integer.MAX_VALUE : Integer.MAX_VALUE;
  }

  static Object signed(boolean minus, Object value) {
    if (value instanceof Undefined u) {
      throw u.failure();
    }
    if (value instanceof Double d) {
      return minus ? -d : d;
    }
    if (!Types.isInteger(value)) {
      throw TemplateException.type(
          "bad operand type for unary %s: '%s'", minus ? "-" : "+", Types.name(value));
    }
    return narrow(minus ? big(value).negate() : big(value));
  }

  static Object binary(String operator, Object a, Object b) {
    if (operator.equals("%") && Types.isText(a)) {
      return new Percent(Text.str(a), b).format();
    }
    if (a instanceof Undefined u) {
      throw u.failure();
    }
    if (b instanceof Undefined u) {
      throw u.failure();
    }
    if (Types.isInteger(a) && Types.isInteger(b)) {
      return integers(operator, a, b);
    }
    if (Types.isNumber(a) && Types.isNumber(b)) {
      return reals(operator, real(a), real(b));
    }
    return switch (operator) {
      case "+" -> add(a, b);
      case "*" -> {
        if (!Types.isInteger(a) && !Types.isInteger(b)) {
          throw repeats(a) || repeats(b)
              ? TemplateException.type(
                  "can't multiply sequence by non-int of type '%s'", Types.name(repeats(a) ? b : a))
              : unsupported(operator, a, b);
        }
        yield Types.isInteger(b) ? repeat(a, b, a, b) : repeat(b, a, a, b);
      }
      default -> throw unsupported(operator, a, b);
    };
  }

  private static boolean repeats(Object value) {
    return Types.isText(value)
        || value instanceof Tuple
        || (value instanceof List<?> && !(value instanceof Range));
  }

  private static TemplateException unsupported(String operator, Object a, Object b) {
    return TemplateException.type(
        "unsupported operand type(s) for %s: '%s' and '%s'",
        operator.equals("**") ? "** or pow()" : operator, Types.name(a), Types.name(b));
  }

  private static Object add(Object a, Object b) {
    if (Types.isText(a) && Types.isText(b)) {
      if (a instanceof Markup || b instanceof Markup) {
        return new Markup(joined(Markup.escape(a).text(), Markup.escape(b).text()));
      }
      return joined((String) a, (String) b);
    }
    if (a instanceof Tuple x && b instanceof Tuple y) {
      return new Tuple(joined(x.items(), y.items()));
    }
    boolean list = a instanceof List<?> && !(a instanceof Range);
    if (list && b instanceof List<?> y && !(b instanceof Range)) {
      return joined((List<?>) a, y);
    }
    if (list || a instanceof String || a instanceof Tuple) {
      String type = Types.name(a);
      throw TemplateException.type(
          "can only concatenate %s (not \"%s\") to %s", type, Types.name(b), type);
    }
    throw unsupported("+", a, b);
  }

  private static String joined(String a, String b) {
    Text.check((long) a.length() + b.length());
    return a + b;
  }

  private static List<Object> joined(List<?> a, List<?> b) {
    checkItems((long) a.size() + b.size());
    List<Object> all = new ArrayList<>(a);
    all.addAll(b);
    return all;
  }

  /** Refuses a list that would be too long, before it is made. */
  static void checkItems(long items) {
    if (items > ITEMS_MAX) {
      throw TemplateException.limit("a list of %d items is longer than %d", items, ITEMS_MAX);
    }
  }

  private static Object repeat(Object what, Object times, Object a, Object b) {
    long count = Math.max(0, index(times));
    return switch (what) {
      case String s -> repeated(s, count);
      case Markup m -> new Markup(repeated(m.text(), count));
      case Range _ -> throw unsupported("*", a, b);
      case List<?> list -> repeated(list, count);
      case Tuple tuple -> new Tuple(repeated(tuple.items(), count));
      default -> throw unsupported("*", a, b);
    };
  }

  static String repeated(String text, long count) {
    Text.check(text.length() * count);
    return text.isEmpty() ? "" : text.repeat((int) count);
  }

  private static List<Object> repeated(List<?> list, long count) {
    checkItems(list.size() * count);
    List<Object> all = new ArrayList<>();
    for (long i = 0; i < count && !list.isEmpty(); i++) {
      all.addAll(list);
    }
    return all;
  }

  private static Object integers(String operator, Object a, Object b) {
    BigInteger x = big(a);
    BigInteger y = big(b);
    return switch (operator) {
      case "+" -> narrow(x.add(y));
      case "-" -> narrow(x.subtract(y));
      case "*" -> narrow(x.multiply(y));
      case "/" -> {
        nonZero(y.signum() != 0, "division by zero");
        yield new java.math.BigDecimal(x)
            .divide(new java.math.BigDecimal(y), new java.math.MathContext(40))
            .doubleValue();
      }
      case "//" -> {
        nonZero(y.signum() != 0, "integer division or modulo by zero");
        BigInteger[] parts = x.divideAndRemainder(y);
        boolean below = parts[1].signum() != 0 && parts[1].signum() != y.signum();
        yield narrow(below ? parts[0].subtract(BigInteger.ONE) : parts[0]);
      }
      case "%" -> {
        nonZero(y.signum() != 0, "integer modulo by zero");
        BigInteger rest = x.remainder(y);
        yield narrow(rest.signum() != 0 && rest.signum() != y.signum() ? rest.add(y) : rest);
      }
      default -> power(x, y);
    };
  }

  private static Object power(BigInteger x, BigInteger y) {
    if (y.signum() < 0) {
      return reals("**", x.doubleValue(), y.doubleValue());
    }
    if (y.bitLength() > 31 || (long) x.bitLength() * y.intValue() > BITS_MAX) {
      if (x.abs().bitLength() > 1) {
        throw TemplateException.limit("a power of more than %d bits", BITS_MAX);
      }
      return narrow(y.testBit(0) || x.signum() == 0 ? x : BigInteger.ONE);
    }
    return narrow(x.pow(y.intValue()));
  }

  private static Object reals(String operator, double x, double y) {
    return switch (operator) {
      case "+" -> x + y;
      case "-" -> x - y;
      case "*" -> x * y;
      case "/" -> {
        nonZero(y != 0, "float division by zero");
        yield x / y;
      }
      case "//" -> {
        nonZero(y != 0, "float floor division by zero");
        double rest = modulo(x, y);
        double whole = (x - rest) / y;
        yield whole == 0 ? Math.copySign(0.0, x / y) : Math.rint(whole);
      }
      case "%" -> {
        nonZero(y != 0, "float modulo");
        yield modulo(x, y);
      }
      default -> {
        nonZero(x != 0 || y >= 0, "0.0 cannot be raised to a negative power");
        yield power(x, y);
      }
    };
  }

  private static double power(double x, double y) {
    double power = Math.pow(x, y);
    if (Double.isInfinite(power) && !Double.isInfinite(x) && !Double.isInfinite(y)) {
      throw new TemplateException(Kind.OVERFLOW, "(34, 'Numerical result out of range')");
    }
    if (Double.isNaN(power) && !Double.isNaN(x) && !Double.isNaN(y)) {
      throw TemplateException.unsupported("complex numbers are not supported");
    }
    return power;
  }

  private static double modulo(double x, double y) {
    double rest = x % y;
    return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
  }

  private static void nonZero(boolean fine, String sentence) {
    if (!fine) {
      throw new TemplateException(Kind.ZERO_DIVISION, sentence);
    }
  }
}
