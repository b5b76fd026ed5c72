package dev.flotilla.tokenizer.jinja;

import dev.flotilla.tokenizer.jinja.TemplateException.Kind;

/** What every template may call. */
final class Globals {
  private Globals() {}

  /** A scope of them. */
  static Scope scope() {
    return new Scope(null)
        .set("range", Callable.of(Globals::range))
        .set("dict", Callable.of(Globals::dict))
        .set("namespace", Callable.of(args -> new Namespace((Dict) dict(args))))
        .set("joiner", Callable.of(Joining::joiner))
        .set("cycler", Callable.of(Joining::cycler))
        .set(
            "raise_exception",
            Callable.of(
                args -> {
                  Object reason = args.bind("raise_exception", 1, "message").required(0);
                  throw new TemplateException(Kind.RAISED, Text.str(reason));
                }))
        .set(
            "strftime_now",
            (Callable)
                (run, args) -> {
                  Object format = args.bind("strftime_now", 1, "format").required(0);
                  return Strftime.format(run.now, Text.str(format));
                })
        .set(
            "lipsum",
            Callable.of(
                _ -> {
                  throw TemplateException.unsupported("lipsum is not supported");
                }));
  }

  private static Object range(Args args) {
    Args.Bound bound = args.bind("range", 1, "start", "stop", "step");
    long first = Numbers.index(bound.required(0));
    Object stop = bound.get(1);
    long step = bound.integer(2, 1);
    if (step == 0) {
      throw TemplateException.value("range() arg 3 must not be zero");
    }
    return stop == null ? new Range(0, first, step) : new Range(first, Numbers.index(stop), step);
  }

  private static Object dict(Args args) {
    Dict dict = new Dict();
    if (args.count() > 1) {
      throw TemplateException.type("dict expected at most 1 argument, got %d", args.count());
    }
    if (args.count() == 1) {
      Object of = args.positional().getFirst();
      if (of instanceof Dict other) {
        other.entries().forEach(e -> dict.put(e.key(), e.value()));
      } else {
        Sequences.iterator(of)
            .forEachRemaining(
                pair -> {
                  var both = Sequences.list(pair);
                  if (both.size() != 2) {
                    throw TemplateException.value(
                        "dictionary update sequence element has length %d; 2 is required",
                        both.size());
                  }
                  dict.put(both.get(0), both.get(1));
                });
      }
    }
    args.named().forEach(dict::put);
    return dict;
  }
}
