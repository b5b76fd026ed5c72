package dev.flotilla.tokenizer.jinja;

import dev.flotilla.tokenizer.jinja.TemplateException.Kind;

/**
 * What a name or an attribute gives that does not exist: it prints as nothing, is false and empty,
 * and every other use of it is an error with its sentence.
 */
record Undefined(Kind kind, String sentence) {
  static Undefined name(String name) {
    return hint(Text.repr(name) + " is undefined");
  }

  static Undefined hint(String sentence) {
    return new Undefined(Kind.UNDEFINED, sentence);
  }

  /** What does not exist in a value. */
  static Undefined member(Object of, Object name) {
    String type = of == None.NONE ? "None" : Types.qualified(of) + " object";
    return hint(
        name instanceof String
            ? "%s has no attribute %s".formatted(Text.repr(type), Text.repr(name))
            : "%s has no element %s".formatted(type, Text.repr(name)));
  }

  /** What the sandbox keeps from templates. */
  static Undefined unsafe(Object of, String name) {
    return new Undefined(
        Kind.SECURITY,
        "access to attribute %s of %s object is unsafe."
            .formatted(Text.repr(name), Text.repr(Types.name(of))));
  }

  TemplateException failure() {
    return new TemplateException(kind, sentence);
  }
}
