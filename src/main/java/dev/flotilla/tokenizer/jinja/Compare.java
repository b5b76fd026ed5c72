package dev.flotilla.tokenizer.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Iterator;
import java.util.List;

/** Python's equality and order. */
final class Compare {
  private Compare() {}

  @SuppressWarnings("ReferenceEquality") // Python takes the very same value for equal too.
  static boolean equal(Object a, Object b) {
    if (a == b) {
      return !(a instanceof Double d && d.isNaN());
    }
    if (Types.isNumber(a) && Types.isNumber(b)) {
      return numbers(a, b) == 0;
    }
    if (Types.isText(a) && Types.isText(b)) {
      return Text.str(a).equals(Text.str(b));
    }
    return switch (a) {
      case Undefined _ -> b instanceof Undefined;
      case Range r -> b instanceof Range s && r.equals(s);
      case List<?> list -> b instanceof List<?> other && !(b instanceof Range) && all(list, other);
      case Tuple tuple -> b instanceof Tuple other && all(tuple.items(), other.items());
      case Dict dict -> b instanceof Dict other && dicts(dict, other);
      default -> false;
    };
  }

  private static boolean all(List<?> a, List<?> b) {
    if (a.size() != b.size()) {
      return false;
    }
    Iterator<?> others = b.iterator();
    for (Object item : a) {
      if (!equal(item, others.next())) {
        return false;
      }
    }
    return true;
  }

  private static boolean dicts(Dict a, Dict b) {
    if (a.size() != b.size()) {
      return false;
    }
    for (Dict.Entry entry : a.entries()) {
      Object other = b.get(entry.key());
      if (other == null || !equal(entry.value(), other)) {
        return false;
      }
    }
    return true;
  }

  /**
   * Whether two values stand in an order.
   *
   * @param operator one of {@code < <= > >=}
   */
  static boolean ordered(String operator, Object a, Object b) {
    if ((a instanceof Double x && x.isNaN()) || (b instanceof Double y && y.isNaN())) {
      return false;
    }
    int order = order(operator, a, b);
    return switch (operator) {
      case "<" -> order < 0;
      case "<=" -> order <= 0;
      case ">" -> order > 0;
      default -> order >= 0;
    };
  }

  /** The order for sorting. */
  static int order(Object a, Object b) {
    return order("<", a, b);
  }

  private static int order(String operator, Object a, Object b) {
    if (a instanceof Undefined u) {
      throw u.failure();
    }
    if (b instanceof Undefined u) {
      throw u.failure();
    }
    if (Types.isNumber(a) && Types.isNumber(b)) {
      return numbers(a, b);
    }
    if (Types.isText(a) && Types.isText(b)) {
      return texts(Text.str(a), Text.str(b));
    }
    if (a instanceof List<?> x
        && b instanceof List<?> y
        && !(a instanceof Range)
        && !(b instanceof Range)) {
      return lists(operator, x, y);
    }
    if (a instanceof Tuple x && b instanceof Tuple y) {
      return lists(operator, x.items(), y.items());
    }
    throw TemplateException.type(
        "'%s' not supported between instances of '%s' and '%s'",
        operator, Types.name(a), Types.name(b));
  }

  private static int lists(String operator, List<?> a, List<?> b) {
    for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
      if (!equal(a.get(i), b.get(i))) {
        return order(operator, a.get(i), b.get(i));
      }
    }
    return Integer.compare(a.size(), b.size());
  }

  /** By code points, which differs from Java's order beyond the basic plane. */
  private static int texts(String a, String b) {
    int[] x = a.codePoints().toArray();
    int[] y = b.codePoints().toArray();
    return java.util.Arrays.compare(x, y);
  }

  private static int numbers(Object a, Object b) {
    if (a instanceof Long x && b instanceof Long y) {
      return Long.compare(x, y);
    }
    double x = Numbers.real(a);
    double y = Numbers.real(b);
    if (Double.isNaN(x) || Double.isNaN(y)) {
      return 1;
    }
    if (Double.isInfinite(x) || Double.isInfinite(y)) {
      return Double.compare(x, y);
    }
    return decimal(a).compareTo(decimal(b));
  }

  private static BigDecimal decimal(Object number) {
    return number instanceof Double d ? new BigDecimal(d) : new BigDecimal(Numbers.big(number));
  }

  /** What stands for a value among a dict's keys: equal values have equal ones. */
  static Object hashKey(Object value) {
    return switch (value) {
      case Boolean b -> b ? 1L : 0L;
      case Double d when d == Math.rint(d) && !Double.isInfinite(d) ->
          Numbers.narrow(new BigDecimal(d).toBigInteger());
      case Markup m -> m.text();
      case Tuple t -> new Tuple(t.items().stream().map(Compare::hashKey).toList());
      case Range r -> r;
      case Undefined _ -> Undefined.class;
      case List<?> _ -> throw TemplateException.type("unhashable type: 'list'");
      case Dict _ -> throw TemplateException.type("unhashable type: 'dict'");
      case BigInteger i -> i;
      default -> value;
    };
  }
}
