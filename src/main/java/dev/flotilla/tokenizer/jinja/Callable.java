package dev.flotilla.tokenizer.jinja;

/** A value that can be called. */
interface Callable {
  /** Python's name for its type. */
  default String type() {
    return "function";
  }

  Object call(Run run, Args args);

  /** One that needs nothing of the rendering. */
  static Callable of(java.util.function.Function<Args, Object> function) {
    return (_, args) -> function.apply(args);
  }
}
