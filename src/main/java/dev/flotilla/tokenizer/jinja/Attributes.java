package dev.flotilla.tokenizer.jinja;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What {@code a.b} and {@code a[b]} give, as the immutable sandbox has it: a dot asks for
 * attributes first, brackets for items first, and what does not exist is undefined.
 */
final class Attributes {
  /** What changes a list or a dict, which the sandbox forbids. */
  private static final Set<String> LIST_CHANGES =
      Set.of("append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove");

  private static final Set<String> DICT_CHANGES =
      Set.of("clear", "pop", "popitem", "setdefault", "update");

  private Attributes() {}

  static Object attribute(Object of, String name) {
    Object value = own(of, name);
    if (value != null) {
      return value;
    }
    if (of instanceof Dict dict) {
      value = dict.get(name);
    }
    return value == null ? Undefined.member(of, name) : value;
  }

  static Object item(Object of, Object index) {
    if (of instanceof Undefined u) {
      throw u.failure();
    }
    Object value = subscripted(of, index);
    if (value == null && Types.isText(index)) {
      value = own(of, Text.str(index));
    }
    return value == null ? Undefined.member(of, index) : value;
  }

  private static @Nullable Object subscripted(Object of, Object index) {
    return switch (of) {
      case Dict dict -> hashable(index) ? dict.get(index) : null;
      case List<?> list -> at(list, index);
      case Tuple tuple -> at(tuple.items(), index);
      case String s -> at(Text.characters(s), index);
      case Markup m -> at(Text.characters(m.text()), index);
      default -> null;
    };
  }

  private static boolean hashable(Object value) {
    return switch (value) {
      case Range _ -> true;
      case List<?> _, Dict _ -> false;
      case Tuple tuple -> tuple.items().stream().allMatch(Attributes::hashable);
      default -> true;
    };
  }

  private static @Nullable Object at(List<?> items, Object index) {
    if (!Types.isInteger(index)) {
      return null;
    }
    int at = Numbers.index(index);
    int place = at < 0 ? at + items.size() : at;
    return place >= 0 && place < items.size() ? items.get(place) : null;
  }

  /** An attribute that a value has by its type; null if it has none of that name. */
  static @Nullable Object own(Object of, String name) {
    if (of instanceof Undefined u) {
      if (name.equals("__class__")) {
        return Undefined.unsafe(of, name);
      }
      throw u.failure();
    }
    if (of instanceof Namespace namespace) {
      return namespace.attributes().get(name);
    }
    if (name.startsWith("_")) {
      return name.startsWith("__") && name.endsWith("__") ? Undefined.unsafe(of, name) : null;
    }
    return switch (of) {
      case String s -> Strings.method(s, name);
      case Markup m -> Strings.method(m.text(), name);
      case Loop loop -> loop.attribute(name);
      case Dict dict -> dictMember(dict, name);
      case Range range -> rangeMember(range, name);
      case List<?> list ->
          LIST_CHANGES.contains(name) ? Undefined.unsafe(of, name) : listMember(list, name, of);
      case Tuple tuple -> listMember(tuple.items(), name, of);
      case Macro macro -> name.equals("name") ? macro.name() : null;
      case Joining joining -> joining.attribute(name);
      case Double d -> name.equals("is_integer") ? Callable.of(_ -> d == Math.rint(d)) : null;
      default -> null;
    };
  }

  private static @Nullable Object dictMember(Dict dict, String name) {
    if (DICT_CHANGES.contains(name)) {
      return Undefined.unsafe(dict, name);
    }
    return switch (name) {
      case "items" -> Callable.of(a -> view(a, name, dict));
      case "keys" -> Callable.of(a -> view(a, name, dict));
      case "values" -> Callable.of(a -> view(a, name, dict));
      case "copy" -> Callable.of(_ -> dict.copy());
      case "get" ->
          Callable.of(
              a -> {
                Args.Bound bound = a.bind("get", 1, "key", "default");
                Object value = dict.get(bound.required(0));
                return value == null ? bound.or(1, None.NONE) : value;
              });
      case "fromkeys" -> throw TemplateException.unsupported("dict.fromkeys is not supported");
      default -> null;
    };
  }

  private static Object view(Args args, String name, Dict dict) {
    args.bind(name, 0);
    return new View(
        "dict_" + name,
        switch (name) {
          case "items" -> dict.items();
          case "keys" -> dict.keys();
          default -> dict.values();
        });
  }

  private static @Nullable Object rangeMember(Range range, String name) {
    return switch (name) {
      case "start" -> range.start;
      case "stop" -> range.stop;
      case "step" -> range.step;
      default -> listMember(range, name, range);
    };
  }

  private static @Nullable Object listMember(List<?> list, String name, Object of) {
    return switch (name) {
      case "count" ->
          Callable.of(
              a -> {
                Object item = a.bind("count", 1, "value").required(0);
                return list.stream().filter(i -> Compare.equal(i, item)).count();
              });
      case "index" ->
          Callable.of(
              a -> {
                Object item = a.bind("index", 1, "value").required(0);
                for (int i = 0; i < list.size(); i++) {
                  if (Compare.equal(list.get(i), item)) {
                    return (long) i;
                  }
                }
                throw of instanceof Tuple
                    ? TemplateException.value("tuple.index(x): x not in tuple")
                    : TemplateException.value("%s is not in list", Text.repr(item));
              });
      case "copy" -> of instanceof Tuple || of instanceof Range ? null : Callable.of(_ -> list);
      default -> null;
    };
  }
}
