package dev.flotilla.tokenizer.jinja;

import dev.flotilla.tokenizer.jinja.TemplateException.Kind;
import java.util.Map;
import java.util.function.BiPredicate;

/** What may stand behind {@code is}. */
final class Tests {
  private static final Map<String, BiPredicate<Object, Args>> ALL =
      Map.ofEntries(
          plain("defined", v -> !(v instanceof Undefined)),
          plain("undefined", v -> v instanceof Undefined),
          plain("none", v -> v == None.NONE),
          plain("boolean", v -> v instanceof Boolean),
          plain("true", v -> Boolean.TRUE.equals(v)),
          plain("false", v -> Boolean.FALSE.equals(v)),
          plain("integer", v -> Types.isInteger(v) && !(v instanceof Boolean)),
          plain("float", v -> v instanceof Double),
          plain("number", Types::isNumber),
          plain("string", Types::isText),
          plain("mapping", v -> v instanceof Dict),
          plain("iterable", v -> Sequences.iterable(v)),
          plain("sequence", Tests::sequence),
          plain("callable", v -> v instanceof Callable || v instanceof Undefined),
          plain("escaped", v -> v instanceof Markup),
          plain("lower", v -> Strings.isCased(Text.str(v), false)),
          plain("upper", v -> Strings.isCased(Text.str(v), true)),
          plain("odd", v -> rest(v, 2L).equals(1L)),
          plain("even", v -> Compare.equal(rest(v, 2L), 0L)),
          plain("filter", v -> Filters.exists(Text.str(v))),
          plain("test", v -> exists(Text.str(v))),
          Map.entry("divisibleby", (v, a) -> Compare.equal(rest(v, other(a)), 0L)),
          Map.entry("sameas", (v, a) -> same(v, other(a))),
          Map.entry("in", (v, a) -> Sequences.contains(other(a), v)),
          Map.entry("eq", (v, a) -> Compare.equal(v, other(a))),
          Map.entry("==", (v, a) -> Compare.equal(v, other(a))),
          Map.entry("equalto", (v, a) -> Compare.equal(v, other(a))),
          Map.entry("ne", (v, a) -> !Compare.equal(v, other(a))),
          Map.entry("!=", (v, a) -> !Compare.equal(v, other(a))),
          ordered("gt", ">"),
          ordered("greaterthan", ">"),
          ordered(">", ">"),
          ordered("ge", ">="),
          ordered(">=", ">="),
          ordered("lt", "<"),
          ordered("lessthan", "<"),
          ordered("<", "<"),
          ordered("le", "<="),
          ordered("<=", "<="));

  private Tests() {}

  private static Map.Entry<String, BiPredicate<Object, Args>> plain(
      String name, java.util.function.Predicate<Object> test) {
    return Map.entry(
        name,
        (value, args) -> {
          args.bind("test_" + name, 0);
          return test.test(value);
        });
  }

  private static Map.Entry<String, BiPredicate<Object, Args>> ordered(
      String name, String operator) {
    return Map.entry(name, (v, a) -> Compare.ordered(operator, v, other(a)));
  }

  static boolean exists(String name) {
    return ALL.containsKey(name);
  }

  static boolean holds(String name, Object value, Args args) {
    BiPredicate<Object, Args> test = ALL.get(name);
    if (test == null) {
      throw new TemplateException(Kind.RUNTIME, "No test named '%s' found.".formatted(name));
    }
    return test.test(value, args);
  }

  private static Object other(Args args) {
    return args.bind("test", 1, "other").required(0);
  }

  private static Object rest(Object value, Object by) {
    return Numbers.binary("%", value, by);
  }

  private static boolean sequence(Object value) {
    return Sequences.sized(value) && !(value instanceof View) && !(value instanceof Loop);
  }

  /** Identity, which for Python's small values is equality within one type. */
  @SuppressWarnings("ReferenceEquality") // Identity is what is asked for.
  private static boolean same(Object a, Object b) {
    return a == b
        || (a.getClass() == b.getClass()
            && (a instanceof Boolean || a instanceof Long || a instanceof String)
            && a.equals(b));
  }
}
