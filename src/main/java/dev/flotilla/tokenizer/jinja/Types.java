package dev.flotilla.tokenizer.jinja;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What kind of value a value is, as Python sees it. */
final class Types {
  private Types() {}

  /** Takes a value of Java's: JSON's kinds of value, and those of this package. */
  static Object of(@Nullable Object value) {
    return switch (value) {
      case null -> None.NONE;
      case Integer i -> i.longValue();
      case Short i -> i.longValue();
      case BigInteger i -> Numbers.narrow(i);
      case Float f -> f.doubleValue();
      case java.math.BigDecimal d -> d.doubleValue();
      case Map<?, ?> map -> {
        Dict dict = new Dict();
        map.forEach((k, v) -> dict.put(of(k), of(v)));
        yield dict;
      }
      case Range range -> range;
      case Iterable<?> items -> {
        List<Object> list = new ArrayList<>();
        items.forEach(i -> list.add(of(i)));
        yield list;
      }
      case Object known -> known;
    };
  }

  /** All values of a map. */
  static Map<String, Object> of(Map<String, ?> values) {
    Map<String, Object> all = new LinkedHashMap<>();
    values.forEach((name, value) -> all.put(name, of((Object) value)));
    return all;
  }

  static boolean truth(Object value) {
    return switch (value) {
      case None _ -> false;
      case Undefined _ -> false;
      case Boolean b -> b;
      case Long i -> i != 0;
      case Double d -> d != 0;
      case String s -> !s.isEmpty();
      case Markup m -> !m.text().isEmpty();
      case List<?> list -> !list.isEmpty();
      case Tuple tuple -> !tuple.items().isEmpty();
      case Dict dict -> dict.size() > 0;
      case View view -> !view.items().isEmpty();
      default -> true;
    };
  }

  static boolean isText(Object value) {
    return value instanceof String || value instanceof Markup;
  }

  /** Whether it is an int, of which bool is one. */
  static boolean isInteger(Object value) {
    return value instanceof Long || value instanceof BigInteger || value instanceof Boolean;
  }

  static boolean isNumber(Object value) {
    return isInteger(value) || value instanceof Double;
  }

  static String name(Object value) {
    return switch (value) {
      case None _ -> "NoneType";
      case Undefined _ -> "Undefined";
      case Boolean _ -> "bool";
      case Long _, BigInteger _ -> "int";
      case Double _ -> "float";
      case String _ -> "str";
      case Markup _ -> "Markup";
      case Range _ -> "range";
      case List<?> _ -> "list";
      case Tuple _ -> "tuple";
      case Dict _ -> "dict";
      case View view -> view.type();
      case Once once -> once.type();
      case Namespace _ -> "Namespace";
      case Loop _ -> "LoopContext";
      case Callable callable -> callable.type();
      default -> value.getClass().getSimpleName();
    };
  }

  /** With the module where that is not Python's own. */
  static String qualified(Object value) {
    return switch (value) {
      case Markup _ -> "markupsafe.Markup";
      case Namespace _ -> "jinja2.utils.Namespace";
      case Loop _ -> "jinja2.runtime.LoopContext";
      case Macro _ -> "jinja2.runtime.Macro";
      default -> name(value);
    };
  }
}
