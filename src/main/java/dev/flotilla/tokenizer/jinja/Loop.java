package dev.flotilla.tokenizer.jinja;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The {@code loop} variable. Reads its items one by one, and ahead only when asked to. */
final class Loop {
  private Iterator<Object> items;
  private int length;
  private int index0 = -1;
  private @Nullable Object before;
  private @Nullable Object current;
  private @Nullable Object after;
  private @Nullable List<Object> changed;

  /**
   * Over items.
   *
   * @param length of them; negative if it is known only at the end
   */
  Loop(Iterator<Object> items, int length) {
    this.items = items;
    this.length = length;
  }

  /** The next item; null after the last. */
  @Nullable Object next() {
    Object item = peek();
    after = null;
    if (item != null) {
      index0++;
      before = current;
      current = item;
    }
    return item;
  }

  private @Nullable Object peek() {
    if (after == null && items.hasNext()) {
      after = items.next();
    }
    return after;
  }

  int index() {
    return index0 + 1;
  }

  int length() {
    if (length < 0) {
      List<Object> rest = new ArrayList<>();
      items.forEachRemaining(rest::add);
      items = rest.iterator();
      length = index() + rest.size() + (after == null ? 0 : 1);
    }
    return length;
  }

  /** An attribute; null if there is none of that name. */
  @Nullable Object attribute(String name) {
    return switch (name) {
      case "index" -> (long) index();
      case "index0" -> (long) index0;
      case "revindex" -> (long) (length() - index0);
      case "revindex0" -> (long) (length() - index());
      case "first" -> index0 == 0;
      case "last" -> peek() == null;
      case "length" -> (long) length();
      case "depth" -> 1L;
      case "depth0" -> 0L;
      case "previtem" -> before == null ? Undefined.hint("there is no previous item") : before;
      case "nextitem" -> {
        Object next = peek();
        yield next == null ? Undefined.hint("there is no next item") : next;
      }
      case "cycle" -> Callable.of(this::cycle);
      case "changed" -> Callable.of(this::changed);
      default -> null;
    };
  }

  private Object cycle(Args args) {
    if (args.count() == 0) {
      throw TemplateException.type("no items for cycling given");
    }
    return args.positional().get(index0 % args.count());
  }

  private Object changed(Args args) {
    boolean same = changed != null && Compare.equal(changed, args.positional());
    changed = args.positional();
    return !same;
  }
}
