package dev.flotilla.tokenizer.jinja;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What {@code joiner()} and {@code cycler()} give: values that depend on how often one asked. */
final class Joining implements Callable {
  private final boolean cycler;
  private final List<Object> items;
  private int at;

  private Joining(boolean cycler, List<Object> items) {
    this.cycler = cycler;
    this.items = items;
  }

  static Joining joiner(Args args) {
    return new Joining(false, List.of("", args.bind("joiner", 0, "sep").or(0, ", ")));
  }

  static Joining cycler(Args args) {
    if (args.count() == 0) {
      throw new TemplateException(
          TemplateException.Kind.RUNTIME, "at least one item has to be provided");
    }
    return new Joining(true, args.positional());
  }

  @Override
  public String type() {
    return cycler ? "Cycler" : "Joiner";
  }

  @Override
  public Object call(Run run, Args args) {
    if (cycler) {
      throw TemplateException.type("'Cycler' object is not callable");
    }
    Object item = items.get(at);
    at = 1;
    return item;
  }

  @Nullable Object attribute(String name) {
    return !cycler
        ? null
        : switch (name) {
          case "current" -> items.get(at);
          case "next" ->
              Callable.of(
                  _ -> {
                    Object item = items.get(at);
                    at = (at + 1) % items.size();
                    return item;
                  });
          case "reset" ->
              Callable.of(
                  _ -> {
                    at = 0;
                    return None.NONE;
                  });
          default -> null;
        };
  }
}
