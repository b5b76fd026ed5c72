package dev.flotilla.tokenizer.jinja;

import dev.flotilla.tokenizer.jinja.TemplateException.Kind;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;

/** What Python does with everything that has items. */
final class Sequences {
  private Sequences() {}

  static boolean iterable(Object value) {
    return sized(value) || value instanceof Once;
  }

  /** Whether it has a length. */
  static boolean sized(Object value) {
    return value instanceof List<?>
        || value instanceof Tuple
        || value instanceof Dict
        || value instanceof View
        || value instanceof Undefined
        || value instanceof Loop
        || Types.isText(value);
  }

  static int length(Object value) {
    return switch (value) {
      case String s -> Text.length(s);
      case Markup m -> Text.length(m.text());
      case List<?> list -> list.size();
      case Tuple tuple -> tuple.items().size();
      case Dict dict -> dict.size();
      case View view -> view.items().size();
      case Loop loop -> loop.length();
      case Undefined _ -> 0;
      default ->
          throw TemplateException.type("object of type '%s' has no len()", Types.name(value));
    };
  }

  /** Goes through the items; of a dict through its keys, of a text through its characters. */
  static Iterator<Object> iterator(Object value) {
    if (value instanceof Once once) {
      return once.items();
    }
    if (value instanceof Loop) {
      throw TemplateException.unsupported("going through the loop variable is not supported");
    }
    if (!iterable(value)) {
      throw TemplateException.type("'%s' object is not iterable", Types.name(value));
    }
    return list(value).iterator();
  }

  /** The items as a list, which is not the value's own. */
  static List<Object> list(Object value) {
    return switch (value) {
      case String s -> Text.characters(s);
      case Markup m -> Text.characters(m.text());
      case Range range -> new ArrayList<>(range);
      case List<?> list -> new ArrayList<>(list);
      case Tuple tuple -> new ArrayList<>(tuple.items());
      case Dict dict -> dict.keys();
      case View view -> new ArrayList<>(view.items());
      case Undefined _ -> new ArrayList<>();
      default -> {
        List<Object> all = new ArrayList<>();
        iterator(value)
            .forEachRemaining(
                item -> {
                  Numbers.checkItems(all.size());
                  all.add(item);
                });
        yield all;
      }
    };
  }

  static boolean contains(Object container, Object item) {
    if (Types.isText(container)) {
      if (!Types.isText(item)) {
        throw TemplateException.type(
            "'in <string>' requires string as left operand, not %s", Types.name(item));
      }
      return Text.str(container).contains(Text.str(item));
    }
    if (container instanceof Dict dict) {
      return dict.has(item);
    }
    if (container instanceof View view && view.type().equals("dict_keys")) {
      Compare.hashKey(item);
    }
    if (!iterable(container)) {
      throw TemplateException.type("argument of type '%s' is not iterable", Types.name(container));
    }
    Iterator<Object> items = iterator(container);
    while (items.hasNext()) {
      if (Compare.equal(items.next(), item)) {
        return true;
      }
    }
    return false;
  }

  static Object slice(Object of, Object from, Object to, Object step) {
    return switch (of) {
      case Undefined u -> throw u.failure();
      case String s -> joined(cut(Text.characters(s), from, to, step));
      case Markup m -> new Markup(joined(cut(Text.characters(m.text()), from, to, step)));
      case Range r -> range(r, Cut.of(r.size(), from, to, step));
      case List<?> list -> cut(list, from, to, step);
      case Tuple tuple -> new Tuple(cut(tuple.items(), from, to, step));
      case Dict _ -> throw TemplateException.type("unhashable type: 'slice'");
      default -> throw TemplateException.type("'%s' object is not subscriptable", Types.name(of));
    };
  }

  private static String joined(List<Object> characters) {
    StringBuilder text = new StringBuilder();
    characters.forEach(text::append);
    return text.toString();
  }

  /** Where a slice begins, before which index it ends, and how far apart its items lie. */
  private record Cut(int start, int end, int step) {
    static Cut of(int size, Object from, Object to, Object step) {
      int by = step == None.NONE ? 1 : index(step);
      if (by == 0) {
        throw TemplateException.value("slice step cannot be zero");
      }
      int lowest = by > 0 ? 0 : -1;
      int highest = by > 0 ? size : size - 1;
      int first = by > 0 ? lowest : highest;
      int last = by > 0 ? highest : lowest;
      return new Cut(
          from == None.NONE ? first : bound(from, size, lowest, highest),
          to == None.NONE ? last : bound(to, size, lowest, highest),
          by);
    }
  }

  private static List<Object> cut(List<?> items, Object from, Object to, Object step) {
    Cut cut = Cut.of(items.size(), from, to, step);
    List<Object> some = new ArrayList<>();
    for (long i = cut.start(); cut.step() > 0 ? i < cut.end() : i > cut.end(); i += cut.step()) {
      some.add(items.get((int) i));
    }
    return some;
  }

  private static Range range(Range of, Cut cut) {
    return new Range(
        of.start + cut.start() * of.step, of.start + cut.end() * of.step, of.step * cut.step());
  }

  private static int bound(Object value, int size, int lowest, int highest) {
    long at = index(value);
    return Math.clamp(at < 0 ? at + size : at, lowest, highest);
  }

  private static int index(Object value) {
    if (!Types.isInteger(value)) {
      throw TemplateException.type(
          "slice indices must be integers or None or have an __index__ method");
    }
    return Numbers.index(value);
  }

  /** The items the other way round. */
  static Object reversed(Object value) {
    if (value instanceof String s) {
      return new StringBuilder(s).reverse().toString();
    }
    if (value instanceof Markup m) {
      return new Markup(new StringBuilder(m.text()).reverse().toString());
    }
    if (!iterable(value)) {
      throw new TemplateException(Kind.FILTER_ARGUMENT, "argument must be iterable");
    }
    List<Object> items = list(value);
    Collections.reverse(items);
    return switch (value) {
      case Range _ -> new Once("range_iterator", items.iterator());
      case List<?> _ -> new Once("list_reverseiterator", items.iterator());
      case Dict _ -> new Once("dict_reversekeyiterator", items.iterator());
      case Tuple _, View _, Undefined _ -> new Once("reversed", items.iterator());
      default -> items;
    };
  }
}
