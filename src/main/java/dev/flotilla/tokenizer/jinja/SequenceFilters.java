package dev.flotilla.tokenizer.jinja;

import dev.flotilla.tokenizer.jinja.Args.Bound;
import dev.flotilla.tokenizer.jinja.Filters.Filter;
import dev.flotilla.tokenizer.jinja.TemplateException.Kind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Jinja's filters on sequences and mappings. */
final class SequenceFilters {
  private SequenceFilters() {}

  static Map<String, Filter> all() {
    Map<String, Filter> all = new HashMap<>();
    all.put("length", Filters.plain(v -> (long) Sequences.length(v)));
    all.put("count", Filters.plain(v -> (long) Sequences.length(v)));
    all.put("list", Filters.plain(v -> Sequences.list(v)));
    all.put("first", Filters.plain(v -> first(v)));
    all.put("last", Filters.plain(v -> last(v)));
    all.put("reverse", Filters.plain(v -> Sequences.reversed(v)));
    all.put("join", (_, v, a) -> join(v, a.bind("do_join", 0, "d", "attribute")));
    all.put("items", Filters.plain(v -> Once.lazy(() -> items(v))));
    all.put(
        "dictsort",
        (_, v, a) -> dictsort(v, a.bind("do_dictsort", 0, "case_sensitive", "by", "reverse")));
    all.put(
        "sort",
        (_, v, a) -> sort(v, a.bind("do_sort", 0, "reverse", "case_sensitive", "attribute")));
    all.put(
        "unique", (_, v, a) -> unique(v, a.bind("do_unique", 0, "case_sensitive", "attribute")));
    all.put(
        "min", (_, v, a) -> extreme(v, a.bind("do_min", 0, "case_sensitive", "attribute"), "<"));
    all.put(
        "max", (_, v, a) -> extreme(v, a.bind("do_max", 0, "case_sensitive", "attribute"), ">"));
    all.put("sum", (_, v, a) -> sum(v, a.bind("do_sum", 0, "attribute", "start")));
    all.put("map", SequenceFilters::map);
    all.put("select", (_, v, a) -> select(v, a, false, true));
    all.put("reject", (_, v, a) -> select(v, a, false, false));
    all.put("selectattr", (_, v, a) -> select(v, a, true, true));
    all.put("rejectattr", (_, v, a) -> select(v, a, true, false));
    all.put(
        "batch",
        (_, v, a) -> {
          Bound b = a.bind("do_batch", 1, "linecount", "fill_with");
          return Once.lazy(() -> batch(v, b));
        });
    all.put(
        "slice",
        (_, v, a) -> {
          Bound b = a.bind("do_slice", 1, "slices", "fill_with");
          return Once.lazy(() -> slice(v, b));
        });
    all.put(
        "groupby",
        (_, v, a) -> groupby(v, a.bind("do_groupby", 1, "attribute", "default", "case_sensitive")));
    return all;
  }

  private static Object first(Object value) {
    Iterator<Object> items = Sequences.iterator(value);
    return items.hasNext() ? items.next() : Undefined.hint("No first item, sequence was empty.");
  }

  private static Object last(Object value) {
    if (!Sequences.sized(value)) {
      throw TemplateException.type("'%s' object is not reversible", Types.name(value));
    }
    List<Object> items = Sequences.list(value);
    return items.isEmpty() ? Undefined.hint("No last item, sequence was empty.") : items.getLast();
  }

  private static Object join(Object value, Bound args) {
    Object attribute = args.given(1);
    Iterator<Object> items = Sequences.iterator(value);
    String separator = Text.str(args.or(0, ""));
    StringBuilder out = new StringBuilder();
    boolean first = true;
    while (items.hasNext()) {
      Object item = items.next();
      out.append(first ? "" : separator);
      out.append(Text.str(attribute == null ? item : path(attribute, null).apply(item)));
      Text.check(out.length());
      first = false;
    }
    return out.toString();
  }

  private static Iterator<Object> items(Object value) {
    if (value instanceof Undefined) {
      return List.of().iterator();
    }
    if (!(value instanceof Dict dict)) {
      throw TemplateException.type("Can only get item pairs from a mapping.");
    }
    return dict.items().iterator();
  }

  /** What an attribute's path such as {@code a.b.0} gives of an item. */
  private static Function<Object, Object> path(Object attribute, @Nullable Object otherwise) {
    List<Object> parts = new ArrayList<>();
    if (Types.isText(attribute)) {
      for (String part : Text.str(attribute).split("\\.", -1)) {
        boolean digits = !part.isEmpty() && part.chars().allMatch(Character::isDigit);
        parts.add(digits ? (Object) Long.valueOf(part) : part);
      }
    } else if (attribute != None.NONE) {
      parts.add(attribute);
    }
    return item -> {
      Object value = item;
      for (Object part : parts) {
        value = Attributes.item(value, part);
        if (otherwise != null && value instanceof Undefined) {
          value = otherwise;
        }
      }
      return value;
    };
  }

  private static Object folded(Object value, boolean caseSensitive) {
    return !caseSensitive && Types.isText(value) ? Text.str(value).toLowerCase(Locale.ROOT) : value;
  }

  private static Object dictsort(Object value, Bound args) {
    if (value instanceof Undefined u) {
      throw u.failure();
    }
    if (!(value instanceof Dict dict)) {
      throw new TemplateException(
          Kind.ATTRIBUTE, "'%s' object has no attribute 'items'".formatted(Types.name(value)));
    }
    int place =
        switch (Text.str(args.or(1, "key"))) {
          case "key" -> 0;
          case "value" -> 1;
          default ->
              throw new TemplateException(
                  Kind.FILTER_ARGUMENT, "You can only sort by either \"key\" or \"value\"");
        };
    return sorted(
        dict.items(),
        item -> folded(((Tuple) item).items().get(place), args.flag(0)),
        args.flag(2));
  }

  private static Object sort(Object value, Bound args) {
    Object attribute = args.or(2, None.NONE);
    List<Function<Object, Object>> paths = new ArrayList<>();
    if (Types.isText(attribute)) {
      for (String one : Text.str(attribute).split(",", -1)) {
        paths.add(path(one, null));
      }
    } else {
      paths.add(path(attribute, null));
    }
    return sorted(
        Sequences.list(value),
        item -> {
          List<Object> keys = new ArrayList<>();
          paths.forEach(p -> keys.add(folded(p.apply(item), args.flag(1))));
          return keys;
        },
        args.flag(0));
  }

  private static List<Object> sorted(
      List<Object> items, Function<Object, Object> key, boolean reverse) {
    record Keyed(Object key, Object item) {}
    List<Keyed> keyed = new ArrayList<>();
    items.forEach(item -> keyed.add(new Keyed(key.apply(item), item)));
    Comparator<Keyed> order = (a, b) -> Compare.order(a.key(), b.key());
    keyed.sort(reverse ? order.reversed() : order);
    List<Object> sorted = new ArrayList<>();
    keyed.forEach(k -> sorted.add(k.item()));
    return sorted;
  }

  private static Object unique(Object value, Bound args) {
    Function<Object, Object> path = path(args.or(1, None.NONE), null);
    Set<Object> seen = new HashSet<>();
    return filtered(
        () -> Sequences.iterator(value),
        item -> seen.add(Compare.hashKey(folded(path.apply(item), args.flag(0)))));
  }

  private static Once filtered(Supplier<Iterator<Object>> source, Predicate<Object> wanted) {
    return Once.lazy(
        () -> {
          Iterator<Object> items = source.get();
          return new Generated(
              () -> {
                while (items.hasNext()) {
                  Object item = items.next();
                  if (wanted.test(item)) {
                    return item;
                  }
                }
                return null;
              });
        });
  }

  private static Object extreme(Object value, Bound args, String operator) {
    Function<Object, Object> path = path(args.or(1, None.NONE), null);
    Iterator<Object> items = Sequences.iterator(value);
    if (!items.hasNext()) {
      return Undefined.hint("No aggregated item, sequence was empty.");
    }
    Object best = items.next();
    Object key = folded(path.apply(best), args.flag(0));
    while (items.hasNext()) {
      Object item = items.next();
      Object other = folded(path.apply(item), args.flag(0));
      if (Compare.ordered(operator, other, key)) {
        best = item;
        key = other;
      }
    }
    return best;
  }

  private static Object sum(Object value, Bound args) {
    Function<Object, Object> path = path(args.or(0, None.NONE), null);
    Object sum = args.or(1, 0L);
    if (Types.isText(sum)) {
      throw TemplateException.type("sum() can't sum strings [use ''.join(seq) instead]");
    }
    Iterator<Object> items = Sequences.iterator(value);
    while (items.hasNext()) {
      sum = Numbers.binary("+", sum, path.apply(items.next()));
    }
    return sum;
  }

  private static Object map(Run run, Object value, Args args) {
    return Once.lazy(
        () -> {
          if (!Types.truth(value)) {
            return List.of().iterator();
          }
          Function<Object, Object> function = mapping(run, args);
          Iterator<Object> items = Sequences.iterator(value);
          return new Generated(() -> items.hasNext() ? function.apply(items.next()) : null);
        });
  }

  private static Function<Object, Object> mapping(Run run, Args args) {
    if (args.count() == 0 && args.named().containsKey("attribute")) {
      Map<String, Object> left = new HashMap<>(args.named());
      Object attribute = left.remove("attribute");
      Object otherwise = left.remove("default");
      for (String name : left.keySet()) {
        throw new TemplateException(
            Kind.FILTER_ARGUMENT, "Unexpected keyword argument %s".formatted(Text.repr(name)));
      }
      return path(attribute == null ? None.NONE : attribute, otherwise);
    }
    if (args.count() == 0) {
      throw new TemplateException(Kind.FILTER_ARGUMENT, "map requires a filter argument");
    }
    String name = Text.str(args.positional().getFirst());
    if (!Filters.exists(name)) {
      throw new TemplateException(Kind.RUNTIME, "No filter named '%s'.".formatted(name));
    }
    return item -> Filters.apply(run, name, item, args.rest());
  }

  private static Object select(Object value, Args args, boolean attribute, boolean wanted) {
    return filtered(
        () -> Types.truth(value) ? Sequences.iterator(value) : List.of().iterator(),
        item -> test(item, args, attribute) == wanted);
  }

  private static boolean test(Object item, Args args, boolean attribute) {
    Object subject = item;
    Args rest = args;
    if (attribute) {
      if (args.count() == 0) {
        throw new TemplateException(Kind.FILTER_ARGUMENT, "Missing parameter for attribute name");
      }
      subject = path(args.positional().getFirst(), null).apply(item);
      rest = args.rest();
    }
    if (rest.count() == 0) {
      return Types.truth(subject);
    }
    String name = Text.str(rest.positional().getFirst());
    if (!Tests.exists(name)) {
      throw new TemplateException(Kind.RUNTIME, "No test named '%s'.".formatted(name));
    }
    return Tests.holds(name, subject, rest.rest());
  }

  private static Iterator<Object> batch(Object value, Bound args) {
    int size = Numbers.index(args.required(0));
    Object fill = args.given(1);
    List<Object> batches = new ArrayList<>();
    List<Object> batch = new ArrayList<>();
    for (Object item : Sequences.list(value)) {
      if (batch.size() == size) {
        batches.add(batch);
        batch = new ArrayList<>();
      }
      batch.add(item);
    }
    Numbers.checkItems(size);
    while (fill != null && !batch.isEmpty() && batch.size() < size) {
      batch.add(fill);
    }
    if (!batch.isEmpty()) {
      batches.add(batch);
    }
    return batches.iterator();
  }

  private static Iterator<Object> slice(Object value, Bound args) {
    List<Object> items = Sequences.list(value);
    int slices = Numbers.index(args.required(0));
    Numbers.checkItems(slices);
    if (slices == 0) {
      throw new TemplateException(Kind.ZERO_DIVISION, "integer division or modulo by zero");
    }
    Object fill = args.given(1);
    int each = Math.floorDiv(items.size(), slices);
    int longer = Math.floorMod(items.size(), slices);
    List<Object> all = new ArrayList<>();
    int at = 0;
    for (int i = 0; i < slices; i++) {
      int end = at + each + (i < longer ? 1 : 0);
      List<Object> one = new ArrayList<>(items.subList(at, end));
      if (fill != null && i >= longer) {
        one.add(fill);
      }
      all.add(one);
      at = end;
    }
    return all.iterator();
  }

  private static Object groupby(Object value, Bound args) {
    Function<Object, Object> path = path(args.required(0), args.given(1));
    Function<Object, Object> key = item -> folded(path.apply(item), args.flag(2));
    List<Object> groups = new ArrayList<>();
    List<Object> group = new ArrayList<>();
    for (Object item : sorted(Sequences.list(value), key, false)) {
      if (!group.isEmpty() && !Compare.equal(key.apply(group.getFirst()), key.apply(item))) {
        groups.add(Tuple.of(path.apply(group.getFirst()), group));
        group = new ArrayList<>();
      }
      group.add(item);
    }
    if (!group.isEmpty()) {
      groups.add(Tuple.of(path.apply(group.getFirst()), group));
    }
    return groups;
  }
}
